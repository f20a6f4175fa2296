"""The maturity map: states of the cells, scores, assumptions, and links."""

import re
from urllib.parse import urlencode

import pytest

from criteria.models import Level
from plan.as_of import on_day
from plan.models import Plan, Status
from pmqa_tracker import clock
from reports.figures.maturity import MapCell, build_map, set_cell_states
from tests.factories import ActionItemFactory, CriterionFactory, PlanFactory, RequirementFactory, VerdictFactory
from tests.reports.figures.test_unlock import make_map
from tests.reports.test_links import count_rows

P, F = True, False


class Verdict:
    def __init__(self, passed):
        self.passed = passed


@pytest.mark.parametrize(
    ("verdicts", "shares", "states"),
    [
        ((P, P, P), ((0, 0),) * 3, "PASSED PASSED PASSED"),
        ((P, F, F), ((0, 0), (0, 2), (0, 2)), "PASSED FAILED LOCKED"),
        ((P, F, F), ((0, 0), (2, 2), (0, 2)), "PASSED READY LOCKED"),
        ((P, F, F), ((0, 0), (2, 2), (3, 3)), "PASSED READY READY"),
        ((P, F, F), ((0, 0), (1, 2), (3, 3)), "PASSED FAILED LOCKED"),
        ((P, F, P), ((0, 0), (1, 2), (0, 0)), "PASSED FAILED LOCKED"),
        ((F, P, P), ((0, 0), (0, 0), (0, 0)), "FAILED LOCKED LOCKED"),
        ((P, P, F), ((0, 0), (0, 0), (1, 1)), "PASSED PASSED READY"),
        ((P, P, F), ((0, 0), (0, 0), (0, 0)), "PASSED PASSED FAILED"),
        ((P, None, F), ((0, 0), (0, 0), (1, 1)), "PASSED UNKNOWN LOCKED"),
        ((None, None, None), ((0, 0),) * 3, "UNKNOWN UNKNOWN UNKNOWN"),
    ],
)
def test_the_state_of_each_cell(verdicts, shares, states):
    cells = [
        MapCell(level, None, None if passed is None else Verdict(passed), done, total)
        for level, passed, (done, total) in zip(Level, verdicts, shares, strict=True)
    ]
    set_cell_states(cells)
    assert " ".join(cell.state for cell in cells) == states


@pytest.mark.django_db
def test_score_now_and_if_everything_ready_passes(coordinator, report_progress):
    plan = PlanFactory()
    criterion = CriterionFactory()
    for level, passed in zip(Level, (P, F, P), strict=True):
        requirement = RequirementFactory(criterion=criterion, level=level)
        VerdictFactory(assessment=plan.assessment, requirement=requirement, passed=passed)
    advance = criterion.requirements.get(level=Level.ADVANCE)
    actions = [ActionItemFactory(plan=plan, criterion=criterion, requirements=[advance]) for _ in range(3)]

    def read():
        fresh = Plan.objects.get(pk=plan.pk)
        the_map = build_map(fresh, on_day(fresh, clock.today(), fresh.periods.all()))
        cells = [cell for row in the_map.rows for cell in row.cells]
        return [str(cell.state) for cell in cells], the_map.now.total, the_map.if_ready.total

    assert read() == (["PASSED", "FAILED", "LOCKED"], 300, 300)
    report_progress(actions[0], coordinator, status=Status.DONE)
    report_progress(actions[1], coordinator, status=Status.CANCELLED, progress=0, reason="รวมกับรายการอื่น")
    assert read() == (["PASSED", "FAILED", "LOCKED"], 300, 300)
    report_progress(actions[2], coordinator, status=Status.DONE)
    # Advance is ready; the passed level above it counts once Advance passes.
    assert read() == (["PASSED", "READY", "LOCKED"], 300, 500)


@pytest.mark.parametrize(
    ("leaf", "assumed", "states", "reached", "points"),
    [
        ("P F1 F1", "", "PASSED FAILED LOCKED", (1, 1), (300, 300)),
        ("P F1 F1", "A", "PASSED PASSED FAILED", (1, 2), (300, 400)),
        ("P F1 F1", "S", "PASSED FAILED LOCKED", (1, 1), (300, 300)),
        ("P F1 F1", "AS", "PASSED PASSED PASSED", (1, 3), (300, 500)),
        ("F1 P F1", "B", "PASSED PASSED FAILED", (0, 2), (0, 400)),
        ("F1 F1 P", "B", "PASSED FAILED LOCKED", (0, 1), (0, 300)),
        ("F1 F1 P", "BA", "PASSED PASSED PASSED", (0, 3), (0, 500)),
        ("P - F1", "A", "PASSED PASSED FAILED", (1, 2), (300, 400)),
        ("P P P", "S", "PASSED PASSED PASSED", (3, 3), (500, 500)),
    ],
)
def test_assumptions_change_levels_and_points(leaf, assumed, states, reached, points):
    the_map = make_map([[leaf]])
    the_map.assume([f"1-{initial}" for initial in assumed])
    (row,) = the_map.rows
    assert " ".join(cell.state for cell in row.cells) == states
    assert (the_map.now.reached[1], row.reached_assumed) == reached
    assert (the_map.now.total, the_map.if_assumed.total) == points
    assert the_map.parts[0].if_assumed == points[1]


def test_only_assessed_requirements_can_be_assumed():
    assert make_map([["- - -", "P F1 -"]]).open_cells.keys() == {"2-A", "2-S"}


MAP = "/plans/2562-2563/criteria/"


def warnings(response):
    return [str(message) for message in response.context["messages"]]


@pytest.mark.django_db
def test_invalid_parameters_give_warnings(demo, client, manager):
    client.force_login(manager)
    response = client.get(MAP, {"pass": ["9.9-B", "1.2.1-B", "1.2.1-a"], "unlock": "99", "state": "GOOD", "sort": "x"})
    assert response.context["assumed"] == ["1.2.1-A"]  # it exists and has not passed; upper and lower case are the same
    assert response.context["limit"] == 10
    assert response.context["state"] is None
    words = " ".join(warnings(response))
    assert all(each in words for each in ("9.9-B", "1.2.1-B", "99", "GOOD", "sort"))
    assert client.get(MAP, {"unlock": "two"}).context["limit"] == 3
    assert client.get(MAP, {"unlock": "-4"}).context["limit"] == 1
    assert warnings(client.get(MAP, {"pass": "1.2.1-A", "unlock": "5", "state": "READY"})) == []
    for hostile in ("\0", "9" * 400, "๓", "<b>", "' OR 1=1"):
        answer = client.get(MAP, dict.fromkeys(("pass", "unlock", "state"), hostile))
        assert answer.status_code == 200
        assert "<b>”" not in answer.content.decode()


@pytest.mark.django_db
def test_a_state_narrows_the_map_to_exactly_its_cells(demo, client, manager):
    client.force_login(manager)
    whole = client.get(MAP).context["map"]
    assert len({state for state, count in whole.counts.items() if count}) >= 4
    for state, count in whole.counts.items():
        if count:
            page = client.get(MAP, {"state": state}).content.decode()
            assert len(re.findall(rf'class="map-cell cell-{state.lower()}(?! [^"]*is-other)', page)) == count
            rows = page.count('<td class="map-cell') / 3
            assert rows <= count  # every criterion on the page has such a cell


@pytest.mark.django_db
def test_each_cell_counts_exactly_the_rows_its_links_show(demo, client, manager):
    client.force_login(manager)
    plan = Plan.objects.get()
    cells = [cell for row in client.get(MAP).context["map"].rows for cell in row.cells]
    figures = [each for cell in cells for each in (cell.counted, cell.finished, cell.unfinished) if each.count]
    assert len(figures) > 50
    wrong = [each for each in figures if count_rows(plan, f"/?{urlencode(each.query)}") != each.count]
    assert wrong == []


@pytest.mark.django_db
def test_every_link_of_a_past_day_keeps_the_day(demo, client, manager):
    client.force_login(manager)
    page = client.get(MAP, {"as_of": "2020-01-31", "pass": "1.2.1-A"}).content.decode()
    links = re.findall(r'href="(/plans/2562-2563/(?:criteria|units|actions/\?)[^"]*)"', page)
    assert len(links) > 60
    assert [link for link in links if "as_of=2020-01-31" not in link] == []
