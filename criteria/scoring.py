"""Scores of an assessment (design §4): the level that each criterion reached, and the points for it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean

from criteria.models import Criterion, Framework, Level


@dataclass(frozen=True, kw_only=True)
class Score:
    """Points of an assessment, not rounded.

    Attributes:
        total: mean of the assessed categories; None if there are none.
        by_category: category pk → points.
        by_criterion: criterion pk → points, parents included.
        reached: leaf criterion pk → highest level reached, or 0.
    """

    total: float | None
    by_category: Mapping[int, float]
    by_criterion: Mapping[int, float]
    reached: Mapping[int, int]


def reached_level(passed: Collection[int]) -> int:
    """Return the highest level that passed together with all levels below it; 0 if Basic failed."""
    level = 0
    for each in Level.values:
        if each not in passed:
            break
        level = each
    return level


def points_of(level: int, framework: Framework) -> int:
    """Return the points of a leaf criterion that reached `level`: the sum for all levels up to it."""
    steps = (framework.basic_points, framework.advance_points, framework.significance_points)
    return sum(steps[:level])


def score(criteria: Iterable[Criterion], passed: Mapping[int, Collection[int]], framework: Framework) -> Score:
    """Score an assessment.

    Args:
        criteria: all criteria, in any order.
        passed: leaf criterion pk → levels that passed; leaves that were not assessed are not keys.
        framework: has the points per level.

    Returns:
        The score. A leaf has the points of its level, a parent the mean of its assessed children, a category the mean
        of its top criteria, and the total is the mean of the categories.
    """
    criteria = list(criteria)
    reached = {pk: reached_level(levels) for pk, levels in passed.items()}
    children: dict[int, list[Criterion]] = {}
    for criterion in criteria:
        if criterion.parent_id:
            children.setdefault(criterion.parent_id, []).append(criterion)
    by_criterion: dict[int, float] = {}
    for criterion in sorted(criteria, key=lambda each: each.pk in children):  # leaves before their parents
        if criterion.pk in children:
            points = [by_criterion[child.pk] for child in children[criterion.pk] if child.pk in by_criterion]
            if points:
                by_criterion[criterion.pk] = fmean(points)
        elif criterion.pk in reached:
            by_criterion[criterion.pk] = points_of(reached[criterion.pk], framework)
    tops: dict[int, list[float]] = {}
    for criterion in criteria:
        if not criterion.parent_id and criterion.pk in by_criterion:
            tops.setdefault(criterion.category_id, []).append(by_criterion[criterion.pk])
    by_category = {category: fmean(points) for category, points in tops.items()}
    return Score(
        total=fmean(by_category.values()) if by_category else None,
        by_category=by_category,
        by_criterion=by_criterion,
        reached=reached,
    )


def weights(criteria: Iterable[Criterion], assessed: Collection[int]) -> dict[int, Fraction]:
    """Return the exact share of the total that one point of each leaf criterion adds; see the means in `score`.

    Args:
        criteria: all criteria, in any order.
        assessed: pks of the assessed leaf criteria; only these are keys of the result.
    """
    by_pk = {criterion.pk: criterion for criterion in criteria}
    top = {pk: by_pk[by_pk[pk].parent_id or pk] for pk in assessed}
    children = Counter(criterion.pk for criterion in top.values())
    tops = Counter(criterion.category_id for criterion in set(top.values()))
    return {
        pk: Fraction(1, len(tops) * tops[criterion.category_id] * children[criterion.pk])
        for pk, criterion in top.items()
    }
