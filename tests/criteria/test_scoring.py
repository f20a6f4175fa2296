"""Levels reached and scores of design §4, computed by hand."""

import pytest

from criteria.models import Category, Criterion, Framework
from criteria.scoring import points_of, reached_level, score

POINTS = Framework(basic_points=300, advance_points=100, significance_points=100)


@pytest.mark.parametrize(
    ("passed", "level", "points"),
    [
        (set(), 0, 0),
        ({1}, 1, 300),
        ({1, 2}, 2, 400),
        ({1, 2, 3}, 3, 500),
        ({2}, 0, 0),
        ({2, 3}, 0, 0),
        ({1, 3}, 1, 300),
        ({3}, 0, 0),
    ],
)
def test_level_counts_only_if_all_lower_levels_passed(passed, level, points):
    assert reached_level(passed) == level
    assert points_of(level, POINTS) == points


def test_points_per_level_come_from_the_assessment():
    assert points_of(3, Framework(basic_points=10, advance_points=20, significance_points=40)) == 70


def test_parent_is_the_mean_of_its_children_and_the_total_the_mean_of_the_categories():
    one, two, three = (Category(pk=n, number=n) for n in (1, 2, 3))
    parent = Criterion(pk=10, category=one, code="1.1")
    criteria = [
        Criterion(pk=11, category=one, parent=parent, code="1.1.1"),
        Criterion(pk=12, category=one, parent=parent, code="1.1.2"),
        parent,
        Criterion(pk=13, category=one, code="1.2"),
        Criterion(pk=21, category=two, code="2.1"),
        Criterion(pk=31, category=three, code="3.1"),
    ]
    result = score(criteria, {11: {1, 2, 3}, 12: {1}, 13: {1, 3}, 21: set()}, POINTS)
    assert result.by_criterion == {11: 500, 12: 300, 10: 400, 13: 300, 21: 0}
    assert result.by_category == {1: 350, 2: 0}
    assert result.total == 175
    assert result.reached == {11: 3, 12: 1, 13: 1, 21: 0}


def test_no_verdicts_give_no_score():
    assert score([Criterion(pk=1, category=Category(pk=1), code="1.1")], {}, POINTS).total is None
