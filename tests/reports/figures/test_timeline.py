"""The timeline: a bar per criterion, and on demand one per action, over the periods, with progress and overdue mark."""

import re
from datetime import date
from html import unescape
from types import SimpleNamespace

import pytest

from criteria.models import Criterion
from plan.models import Period, Status
from reports.figures.timeline import Opened, Span, build_timeline, day_position

pytestmark = pytest.mark.django_db
TIMELINE = "/plans/2562-2563/timeline/"
BAR = re.compile(r'<a\s+class="timeline-bar is-(\w+)\s*(is-inferred)?\s*"\s+href="../actions/([^/]+)/">.*?</a>', re.S)


def bars(client, **parameters):
    """Return ref → (status, is inferred, % filled, is late) of each bar on the page."""
    page = client.get(TIMELINE, {"open": "all"} | parameters).content.decode()
    return {
        match[3]: (
            match[1].upper(),
            bool(match[2]),
            int(re.search(r'<rect width="(\d+)"', match[0])[1]),
            "late-mark" in match[0],
        )
        for match in BAR.finditer(page)
    }


@pytest.mark.both_databases
def test_bars_equal_the_action_list(demo, client, manager):
    client.force_login(manager)
    for parameters in ({}, {"as_of": "2020-02-10"}, {"as_of": "2020-05-15", "unit": "กพร.", "role": "LEAD"}):
        response = client.get(TIMELINE, parameters)
        actions = [bar.action for group in response.context["timeline"].groups for bar in group.bars]
        drawn = bars(client, **parameters)
        assert drawn == {
            action.ref: (
                action.status_on,
                action.schedule_basis == "INFERRED",
                action.progress_on,
                action.due == "OVERDUE",
            )
            for action in actions
            if action.first_period_id
        }
        listed = client.get("/plans/2562-2563/actions/", parameters).context["page"].paginator.count
        assert len(actions) == listed == response.context["count"]
    everything = bars(client)
    assert {status for status, *_rest in everything.values()} >= {"DONE", "IN_PROGRESS", "NOT_STARTED", "BLOCKED"}
    assert any(late for *_rest, late in bars(client, as_of="2020-05-15").values())


def test_a_bar_lies_over_the_periods_of_its_schedule(demo, client, manager):
    client.force_login(manager)
    timeline = client.get(TIMELINE).context["timeline"]
    for group in timeline.groups:
        spans = [bar.span for bar in group.bars if bar.span.periods]
        for bar in group.bars:
            if bar.span.periods:
                assert bar.span.before == bar.action.first_period.number - 1
                assert bar.span.periods == bar.action.last_period.number - bar.action.first_period.number + 1
            assert bar.span.last + bar.span.after == 5
        assert group.span.before == min(span.before for span in spans)
        assert group.span.last == max(span.last for span in spans)


def test_a_folded_criterion_has_the_mean_and_the_overdue_of_its_actions(demo, client, manager):
    client.force_login(manager)
    response = client.get(TIMELINE, {"as_of": "2020-05-15", "role": "LEAD", "unit": "สพม."})
    groups = response.context["timeline"].groups
    assert {group.is_open for group in groups} == {False}
    assert 'class="timeline-action"' not in response.content.decode()
    for group in groups:
        actions = [bar.action for bar in group.bars]
        counted = [action.progress_on for action in actions if action.status_on != "CANCELLED"]
        assert group.progress == pytest.approx(sum(counted) / len(counted))
        assert group.overdue.count == sum(action.due == "OVERDUE" for action in actions)


@pytest.mark.parametrize(
    ("value", "is_open", "after"),
    [
        ("", False, "1.1"), ("1.1", True, ""), ("2.1", False, "1.1,2.1"), ("1.1,2.1", True, "2.1"),
        ("all", True, "all,-1.1"), ("all,-1.1", False, "all"), ("all,-2.1", True, "all,-1.1,-2.1"),
        (",,", False, "1.1"),
    ],
)  # fmt: skip
def test_open_names_the_criteria_that_show_their_actions(value, is_open, after):
    opened = Opened.parse(value)
    assert (opened.holds("1.1"), opened.toggle("1.1")) == (is_open, after)


def test_each_criterion_opens_and_closes_by_its_link_and_keeps_the_filters(demo, client, manager):
    client.force_login(manager)
    body = client.get(TIMELINE, {"status": "IN_PROGRESS", "as_of": "2020-05-15"}).content.decode()
    link = unescape(re.search(r'id="open-(1\.2\.1)" aria-expanded="false"\s+href="([^"#]*)', body)[2])
    response = client.get(TIMELINE + link)
    shown = {group.criterion.code for group in response.context["timeline"].groups if group.is_open}
    drawn = {match[3] for match in BAR.finditer(response.content.decode())}
    assert shown == {"1.2.1"}
    assert drawn == {ref for ref in drawn if ref.startswith("1.2.1-")} != set()
    back = re.search(r'id="open-1\.2\.1" aria-expanded="true"\s+href="([^"#]*)', response.content.decode())[1]
    assert "status=IN_PROGRESS" in back
    assert "open" not in back


def test_filter_narrows_the_rows_and_is_printed(demo, client, manager):
    client.force_login(manager)
    response = client.get(TIMELINE, {"status": "BLOCKED", "as_of": "2020-05-15"})
    shown = bars(client, status="BLOCKED", as_of="2020-05-15")
    assert {status for status, *_rest in shown.values()} == {Status.BLOCKED}
    assert "สถานะ: ติดปัญหา" in response.content.decode()


def test_invalid_parameters_give_warnings(demo, client, manager):
    client.force_login(manager)
    parameters = {"health": "GOOD", "colour": "red", "as_of": "2020-02-31", "open": "9.9,1.1.1"}
    response = client.get(TIMELINE, parameters)
    words = " ".join(str(message) for message in response.context["messages"])
    assert all(each in words for each in ("ความก้าวหน้าเทียบแผน", "colour", "2020-02-31", "9.9"))
    assert response.context["count"] == 141


def test_a_plan_may_have_another_number_of_periods():
    months = [(date(2020, month, 1), date(2020, month, 28)) for month in range(1, 8)]
    periods = [Period(pk=pk, number=pk, starts_on=first, ends_on=last) for pk, (first, last) in enumerate(months, 1)]
    action = SimpleNamespace(
        criterion=Criterion(pk=1), first_period_id=2, last_period_id=6, status_on="DONE", progress_on=100, due="CLOSED"
    )
    as_of = SimpleNamespace(periods=periods, day=periods[0].ends_on)
    (group,) = build_timeline([action], as_of, opened=Opened.parse(""), query={}).groups
    assert [group.span, group.bars[0].span] == [Span(1, 5, 1)] * 2


@pytest.mark.parametrize(
    ("day", "share"),
    [(date(2019, 8, 1), 100 / 61 / 2), (date(2019, 9, 30), 50), (date(2019, 12, 31), 100), (date(2019, 7, 1), 0)],
)
def test_position_of_the_day(day, share):
    periods = [
        SimpleNamespace(starts_on=date(2019, 8, 1), ends_on=date(2019, 9, 30)),
        SimpleNamespace(starts_on=date(2019, 10, 1), ends_on=date(2019, 12, 31)),
    ]
    assert day_position(SimpleNamespace(periods=periods, day=day)) == pytest.approx(share)
