"""Requirements that raise the score most: compared with every other choice, and on the plan of the department."""

import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from criteria.models import Assessment, Category, Criterion, Framework, Level, Requirement
from criteria.scoring import score, weights
from reports.figures.maturity import CriterionRow, MapCategory, MapCell, MaturityMap, set_cell_states
from reports.figures.unlock import find_unlock_steps

VERDICTS = {"P": True, "F": False}


class Verdict:
    def __init__(self, passed):
        self.passed = passed


def make_map(categories, points=(300, 100, 100)):
    """Build a map from lists of top criteria, each a leaf such as "P F F" or a list of leaves; "-" is not assessed."""
    framework = Framework(**dict(zip(("basic_points", "advance_points", "significance_points"), points, strict=True)))
    assessment = Assessment(framework=framework)
    parts, numbers = [], iter(range(1, 1000))
    for category_number, tops in enumerate(categories, 1):
        category, rows = Category(pk=category_number, number=category_number), []
        for top in tops:
            criterion = Criterion(pk=next(numbers), category=category)
            rows.append(CriterionRow(criterion, isinstance(top, list)))
            for leaf in top if isinstance(top, list) else [top]:
                if isinstance(top, list):
                    rows.append(CriterionRow(Criterion(pk=next(numbers), category=category, parent=criterion), False))
                rows[-1].cells = make_cells(rows[-1].criterion, leaf)
        parts.append(MapCategory(category, rows))
    rows = [row for part in parts for row in part.rows]
    passed = {row.criterion.pk: {cell.level for cell in row.cells if cell.passes} for row in rows if row.is_assessed}
    now = score([row.criterion for row in rows], passed, framework)
    return MaturityMap(parts, assessment, now, now)


def make_cells(criterion, leaf):
    """Build the cells of a leaf such as "P F2 F0": verdict, and number of open actions."""
    cells = []
    for level, letter in zip(Level, leaf.split(), strict=True):
        verdict = Verdict(VERDICTS[letter[0]]) if letter[0] in VERDICTS else None
        unfinished = int(letter[1:] or 0)
        requirement = Requirement(pk=criterion.pk * 10 + level, criterion=criterion, level=level)
        cells.append(MapCell(level, requirement, verdict, 0, unfinished, code=f"{criterion.pk}-{level.initial}"))
    set_cell_states(cells)
    return cells


def lift(the_map, codes):
    """Return the score if these requirements also pass."""
    passed = {
        row.criterion.pk: {cell.level for cell in row.cells if cell.passes or cell.code in codes}
        for row in the_map.rows
        if row.is_assessed
    }
    return score([row.criterion for row in the_map.rows], passed, the_map.framework).total or 0


LEAF = st.tuples(*[st.sampled_from(["P", "F0", "F1", "F2", "-"])] * 3).map(" ".join)
CATEGORY = st.lists(st.one_of(LEAF, st.lists(LEAF, min_size=1, max_size=2)), min_size=1, max_size=2)


@given(st.lists(CATEGORY, min_size=1, max_size=3), st.integers(1, 3), st.sampled_from([(300, 100, 100), (1, 50, 0)]))
@settings(max_examples=150)
def test_no_other_choice_raises_the_score_more(categories, limit, points):
    the_map = make_map(categories, points)
    found = find_unlock_steps(the_map, limit)
    codes = [step.cell.code for step in found]
    cells = the_map.open_cells

    def worth(chosen):
        """Return the sort key of a choice: points gained, then fewest requirements, unplanned ones, open actions."""
        gain = round(lift(the_map, chosen) - lift(the_map, ()), 6)
        open_actions = sum(cells[code].unfinished.count for code in chosen)
        return gain, -len(chosen), -sum(cells[code].total == 0 for code in chosen), -open_actions

    every = [each for number in range(limit + 1) for each in combinations(cells, number)]
    assert worth(codes) == max(map(worth, every))
    assert sum(step.gain for step in found) == pytest.approx(worth(codes)[0], abs=1e-5)
    assert len(codes) == len(set(codes)) <= limit


@given(st.lists(CATEGORY, min_size=1, max_size=3))
@settings(max_examples=100)
def test_weights_equal_nested_means(categories):
    the_map = make_map(categories)
    criteria = [row.criterion for row in the_map.rows]
    shares = weights(criteria, [row.criterion.pk for row in the_map.rows if row.is_assessed])
    total = sum(share * int(the_map.now.by_criterion[pk]) for pk, share in shares.items())
    assert float(total) == pytest.approx(the_map.now.total or 0)
    assert sum(shares.values()) == (1 if shares else 0)


def test_steps_of_a_small_map():
    # Category 1: a leaf of weight 1/2; category 2: a parent of two leaves (1/8 each), and a leaf (1/4).
    the_map = make_map([["F1 P F0"], [["P F1 F1", "F9 F1 P"], "P P F1"]])
    first = find_unlock_steps(the_map, 1)
    # Basic of the first opens Advance too: 400 points × 1/2.
    assert [(step.cell.code, step.gain) for step in first] == [("1-B", 200)]
    second = find_unlock_steps(the_map, 2)
    # Then its Significance, 100 × 1/2, beats 300 × 1/8 of the fourth and 100 × 1/4 of the last.
    assert [(step.cell.code, step.gain) for step in second] == [("1-B", 200), ("1-S", 50)]
    assert [step.cell.code for step in find_unlock_steps(the_map, 3)] == ["1-B", "1-S", "4-B"]


def test_only_failed_requirements_are_proposed():
    assert find_unlock_steps(make_map([["- - -"]]), 3) == []
    assert find_unlock_steps(make_map([["P P P"]]), 3) == []


MAP = "/plans/2562-2563/criteria/"


@pytest.mark.django_db
def test_link_assumes_the_proposed_requirements(demo, client, manager):
    client.force_login(manager)
    response = client.get(MAP, {"unlock": "4"})
    missing = response.context["missing"]
    assert len(missing) == 4
    expected = response.context["map"].now.total + response.context["gain"]
    page = response.content.decode()
    for each in missing:
        assert each.step.cell.code in response.context["try_query"]
        assert {action.pk for action in each.actions} == {
            action.pk
            for action in response.context["plan"].actions.filter(requirements=each.step.cell.requirement)
            if action.status not in ("DONE", "CANCELLED")
        }
        assert len(each.actions) == each.step.cell.unfinished.count
        for action in each.actions:
            assert action.ref in page
    assumed = client.get(f"{MAP}?{response.context['try_query']}")
    assert assumed.context["map"].if_assumed.total == pytest.approx(expected)
    assert len(re.findall(r'id="pass-[^"]+"\s+checked', assumed.content.decode())) == 4


@pytest.mark.django_db
def test_the_day_of_the_page_is_the_day_of_the_proposal(demo, client, manager):
    client.force_login(manager)
    early = client.get(MAP, {"as_of": "2019-08-10", "unlock": "10"})
    assert all(each.step.cell.done == 0 for each in early.context["missing"])
    assert "as_of=2019-08-10" in early.context["try_query"]
    late = client.get(MAP, {"unlock": "10"})
    assert sum(each.step.cell.done for each in late.context["missing"]) > 0
