"""The timeline: the bar of each action over its periods, with progress and overdue mark."""

import re
from datetime import date
from types import SimpleNamespace

import pytest

from criteria.models import Criterion
from plan.models import ActionItem, Period, Status
from reports.figures.timeline import build_timeline, day_position

pytestmark = pytest.mark.django_db
TIMELINE = "/plans/2562-2563/timeline/"
BAR = re.compile(
    r'<a\s+class="timeline-bar is-(\w+)\s*(is-inferred)?\s*"\s+href="[^"]*/actions/([^/]+)/">.*?</a>', re.S
)


def bars(client, **parameters):
    """Return ref → (status, is inferred, % filled, is late) of each bar on the page."""
    page = client.get(TIMELINE, parameters).content.decode()
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
        actions = [bar.action for _criterion, group in response.context["timeline"].groups for bar in group]
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
    for _criterion, group in timeline.groups:
        for bar in group:
            if bar.span:
                assert len(bar.before) == bar.action.first_period.number - 1
                assert bar.span == bar.action.last_period.number - bar.action.first_period.number + 1
            assert len(bar.before) + bar.span + len(bar.after) == timeline.columns - 1


def test_filter_narrows_the_rows_and_is_printed(demo, client, manager):
    client.force_login(manager)
    response = client.get(TIMELINE, {"status": "BLOCKED", "as_of": "2020-05-15"})
    shown = bars(client, status="BLOCKED", as_of="2020-05-15")
    assert {status for status, *_rest in shown.values()} == {Status.BLOCKED}
    assert "สถานะ: ติดปัญหา" in response.content.decode()


def test_invalid_parameters_give_warnings(demo, client, manager):
    client.force_login(manager)
    response = client.get(TIMELINE, {"health": "GOOD", "colour": "red", "as_of": "2020-02-31"})
    words = " ".join(str(message) for message in response.context["messages"])
    assert all(each in words for each in ("ความก้าวหน้าเทียบแผน", "colour", "2020-02-31"))
    assert response.context["count"] == 141


def test_a_plan_may_have_another_number_of_periods():
    months = [(date(2020, month, 1), date(2020, month, 28)) for month in range(1, 8)]
    periods = [Period(pk=pk, number=pk, starts_on=first, ends_on=last) for pk, (first, last) in enumerate(months, 1)]
    action = ActionItem(criterion=Criterion(pk=1), first_period=periods[1], last_period=periods[5])
    as_of = SimpleNamespace(periods=periods, day=periods[0].ends_on)
    ((_criterion, (bar,)),) = build_timeline([action], as_of).groups
    assert (len(bar.before), bar.span, len(bar.after)) == (1, 5, 1)


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
