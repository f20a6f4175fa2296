"""Rows of the plan form, read from the database: headings of criteria, and the blocks below them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from criteria.models import Category, Criterion, Level, Verdict
from plan.as_of import AsOf
from plan.models import ActionItem, Plan


@dataclass
class FormBlock:
    """A row of the document's table: one level, or several levels that share actions.

    Attributes:
        levels: (level, text of its requirement, its verdict or None), lowest first.
        actions: the actions for these levels, in order.
    """

    levels: list[tuple[Level, str, Verdict | None]]
    actions: list[ActionItem] = field(default_factory=list)


@dataclass
class FormCriterion:
    """A criterion of the form with its blocks; `is_passed` if it passed at every assessed level."""

    criterion: Criterion
    is_passed: bool = False
    blocks: list[FormBlock] = field(default_factory=list)


def read_form(plan: Plan, as_of: AsOf) -> list[tuple[Category, list[FormCriterion]]]:
    """Read the form of a plan by category, in a fixed number of queries.

    Only criteria with a verdict or an action are included, and their parents. Actions are as of the day, with
    `result_on` and `problem_on`: the latest text until that day, or None.
    """
    verdicts: dict[int, dict[int, Verdict]] = defaultdict(dict)
    for verdict in plan.assessment.verdicts.select_related("requirement"):
        verdicts[verdict.requirement.criterion_id][verdict.requirement.level] = verdict
    actions: dict[int, list[ActionItem]] = defaultdict(list)
    rows = plan.actions.as_of(as_of).annotate_latest("result", as_of).annotate_latest("problem", as_of)
    for action in rows.with_details().in_order():
        actions[action.criterion_id].append(action)
    criteria = list(plan.framework.criteria.select_related("category").in_order())
    shown = {each.pk for each in criteria if each.pk in verdicts or each.pk in actions}
    shown |= {each.parent_id for each in criteria if each.pk in shown}
    categories: dict[int, tuple[Category, list[FormCriterion]]] = {}
    for criterion in criteria:
        if criterion.pk in shown:
            judged = verdicts[criterion.pk]
            entry = FormCriterion(
                criterion,
                is_passed=bool(judged) and all(each.passed for each in judged.values()),
                blocks=group_levels(judged, actions[criterion.pk]),
            )
            categories.setdefault(criterion.category_id, (criterion.category, []))[1].append(entry)
    return list(categories.values())


def group_levels(judged: dict[int, Verdict], actions: Iterable[ActionItem]) -> list[FormBlock]:
    """Group the failed levels of a criterion, and the levels with actions, into blocks.

    Levels that share an action are in one block.

    Args:
        judged: level → its verdict.
        actions: the actions in order, with prefetched requirements.
    """
    texts = {level: verdict.requirement.text for level, verdict in judged.items()}
    groups = [{level} for level, verdict in judged.items() if not verdict.passed]
    answered = []
    for action in actions:
        texts |= {each.level: each.text for each in action.requirements.all()}
        levels = {each.level for each in action.requirements.all()}
        answered.append((action, levels))
        joined = levels.union(*(group for group in groups if group & levels))
        groups = [group for group in groups if not group & joined]
        if joined or set() not in groups:
            groups.append(joined)
    blocks = []
    for group in sorted(groups, key=lambda group: min(group, default=0)):
        levels = [(Level(level), texts[level], judged.get(level)) for level in sorted(group)]
        blocks.append(FormBlock(levels, [action for action, own in answered if own & group or own == group]))
    return blocks
