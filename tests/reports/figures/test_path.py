"""The cheapest path to a target score: compared with every other choice, and on the plan of the department."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.figures.path import PathCost, PathState, find_path
from tests.reports.figures.test_unlock import lift, make_map

# "F1" and "F2" share an action, "F3" has only finished ones, "F0" none.
LEAF = st.tuples(*[st.sampled_from(["P", "F0", "F1", "F2", "F3", "-"])] * 3).map(" ".join)
CATEGORY = st.lists(st.one_of(LEAF, st.lists(LEAF, min_size=1, max_size=2)), min_size=1, max_size=2)


def with_actions(categories, points=(300, 100, 100)):
    """Return the map and requirement pk → pks of its open actions."""
    the_map, still_open = make_map(categories, points), {}
    for row in the_map.rows:
        for cell in row.cells:
            if cell.total == 3:
                cell.done = 3
            elif cell.total:
                still_open[cell.requirement.pk] = {row.criterion.pk * 10 + number for number in range(cell.total)}
    return the_map, still_open


def cost(the_map, codes, still_open):
    cells = [the_map.open_cells[code] for code in codes]
    actions = {action for cell in cells for action in still_open.get(cell.requirement.pk, ())}
    unplanned = sum(not cell.total for cell in cells)
    return PathCost(len(actions) + unplanned, unplanned, len(cells))


@given(
    st.lists(CATEGORY, min_size=1, max_size=2), st.integers(0, 520), st.sampled_from([(300, 100, 100), (1, 450, 49)])
)
@settings(max_examples=120)
def test_no_other_choice_reaches_the_target_cheaper(categories, target, points):
    the_map, still_open = with_actions(categories, points)
    assume(len(the_map.open_cells) <= 8)
    found = find_path(the_map, Fraction(target), still_open)
    every = [each for number in range(len(the_map.open_cells) + 1) for each in combinations(the_map.open_cells, number)]
    scores = {codes: round(lift(the_map, codes), 6) for codes in every}
    reaching = [codes for codes in every if scores[codes] >= target]
    if not reaching:
        assert (found.state, found.reaches) == (PathState.UNREACHABLE, pytest.approx(max(scores.values())))
    elif scores[()] >= target:
        assert (found.state, found.reaches) == (PathState.REACHED, pytest.approx(scores[()]))
    else:
        codes = tuple(cell.code for cell in found.cells)
        assert found.state == PathState.FOUND
        assert (
            found.cost == cost(the_map, codes, still_open) == min(cost(the_map, each, still_open) for each in reaching)
        )
        assert found.reaches == pytest.approx(scores[codes])


def test_path_of_a_small_map():
    # Two categories of one criterion each: every level is worth half of its points.
    the_map, still_open = with_actions([["P F2 F1"], ["F3 F0 P"]])
    assert [cell.code for cell in find_path(the_map, Fraction(300), still_open).cells] == ["2-B"]  # done already
    path = find_path(the_map, Fraction(400), still_open)
    assert ([cell.code for cell in path.cells], path.cost) == (["2-B", "2-A"], PathCost(1, 1, 2))
    assert ([cell.code for cell in path.finished], [cell.code for cell in path.unplanned]) == (["2-B"], ["2-A"])
    # The action of Significance also answers Advance, so that both need two actions.
    path = find_path(the_map, Fraction(500), still_open)
    assert (path.cost, path.reaches) == (PathCost(3, 1, 4), 500)


MAP = "/plans/2562-2563/criteria/"


@pytest.mark.django_db
@pytest.mark.parametrize("day", ["", "2019-08-10"])
def test_page_lists_exactly_the_actions_of_the_path(demo, client, manager, day):
    client.force_login(manager)
    page = client.get(MAP, {"target": "๔๐๐", **({"as_of": day} if day else {})})
    target, plan = page.context["target"], page.context["plan"]
    answered = plan.actions.filter(requirements__in=[cell.requirement for cell in target.path.cells]).distinct()
    listed = [action for part in target.work for action in part.actions]
    if not day:
        assert {each.ref for each in listed} == {
            each.ref for each in answered if each.status not in ("DONE", "CANCELLED")
        }
    assert len(listed) == len(set(listed)) == target.path.cost.actions - target.path.cost.unplanned > 10
    assert all(
        [each.unit for each in action.lead] == list(part.units) for part in target.work for action in part.actions
    )
    assert all(f">{each.ref}<" in page.content.decode() for each in listed)
    supposed = client.get(f"{MAP}?{page.context['try_path']}")
    assert supposed.context["map"].if_assumed.total == pytest.approx(target.path.reaches)
    assert target.path.reaches >= 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("300", "ได้คะแนนถึง 300 แล้ว"),
        ("500.1", "คะแนนสูงสุดคือ 500"),
        ("320", "ขอรับการประเมินซ้ำ"),
        ("สี่ร้อย", "ตัวเลขตั้งแต่ 0 ถึง 500"),
        ("-5", "ตัวเลขตั้งแต่ 0 ถึง 500"),
        ("1e9", "ตัวเลขตั้งแต่ 0 ถึง 500"),
    ],
)
def test_any_other_target_gets_a_clear_answer(demo, client, manager, typed, says):
    client.force_login(manager)
    page = client.get(MAP, {"target": typed}).content.decode()
    assert says in page
    assert f'name="target" value="{typed}"' in page
