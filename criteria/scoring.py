"""Gating and score (design §4): which level a criterion has reached, and how many points that makes."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean

from criteria.models import Assessment, Criterion, Level


@dataclass(frozen=True, kw_only=True)
class Score:
    """Points by gating; the mean of means, never rounded here.

    Attributes:
        total: mean of the categories assessed; None where none is.
        by_category: category pk → points.
        by_criterion: criterion pk → points, parents included.
        reached: leaf criterion pk → highest level reached, 0 for none.
    """

    total: float | None
    by_category: Mapping[int, float]
    by_criterion: Mapping[int, float]
    reached: Mapping[int, int]


def reached_level(passed: Collection[int]) -> int:
    """The highest level for which it and all below it passed; 0 where Basic did not."""
    level = 0
    for each in Level.values:
        if each not in passed:
            break
        level = each
    return level


def points_of(level: int, assessment: Assessment) -> int:
    """Points of a leaf criterion that reached `level`: Basic, and what each further level adds."""
    steps = (assessment.basic_points, assessment.advance_points, assessment.significance_points)
    return sum(steps[:level])


def score(criteria: Iterable[Criterion], passed: Mapping[int, Collection[int]], assessment: Assessment) -> Score:
    """Score an assessment.

    Args:
        criteria: all criteria, in any order.
        passed: leaf criterion pk → the levels that passed; a leaf that was not assessed is not a key.
        assessment: whose points count.

    Returns:
        A leaf's points are those of the level it reached; a parent's are the mean of its assessed children, a
        category's the mean of its top criteria, the total the mean of the categories.
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
            by_criterion[criterion.pk] = points_of(reached[criterion.pk], assessment)
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
    """How much of the total a point of each leaf criterion makes: the means of `score`, multiplied out, exactly.

    Args:
        criteria: all criteria, in any order.
        assessed: the leaf criteria that were assessed; the others weigh nothing and are left out.
    """
    by_pk = {criterion.pk: criterion for criterion in criteria}
    top = {pk: by_pk[by_pk[pk].parent_id or pk] for pk in assessed}
    children = Counter(criterion.pk for criterion in top.values())
    tops = Counter(criterion.category_id for criterion in set(top.values()))
    return {
        pk: Fraction(1, len(tops) * tops[criterion.category_id] * children[criterion.pk])
        for pk, criterion in top.items()
    }
