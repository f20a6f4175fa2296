"""What stands in the rows of the plan form, read from the database: headings, and the blocks under them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from criteria.models import Category, Criterion, Level, Verdict
from plan.as_of import AsOf
from plan.models import ActionItem, Plan


@dataclass
class Block:
    """A row of the document's table: one level, or levels that share their actions.

    Attributes:
        levels: (level, what it asks, its verdict or None), lowest first.
        actions: what is to be done for them, in order.
    """

    levels: list[tuple[Level, str, Verdict | None]]
    actions: list[ActionItem] = field(default_factory=list)


@dataclass
class FormCriterion:
    """A criterion of the form: its heading, whether that is all (`is_passed`), and its blocks."""

    criterion: Criterion
    is_passed: bool = False
    blocks: list[Block] = field(default_factory=list)


def read_form(plan: Plan, as_of: AsOf) -> list[tuple[Category, list[FormCriterion]]]:
    """The form of a plan by category, in a fixed number of queries; categories that were not assessed are left out.

    Actions stand as of the day, with `result_on` and `problem_on`: what was last told of each until then, or None.
    """
    verdicts: dict[int, dict[int, Verdict]] = defaultdict(dict)
    for verdict in plan.assessment.verdicts.select_related("requirement"):
        verdicts[verdict.requirement.criterion_id][verdict.requirement.level] = verdict
    actions: dict[int, list[ActionItem]] = defaultdict(list)
    rows = plan.actions.as_of(as_of).annotate_latest(as_of, "result", "problem")
    for action in rows.with_details().in_order():
        actions[action.criterion_id].append(action)
    criteria = list(Criterion.objects.select_related("category").in_order())
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


def group_levels(judged: dict[int, Verdict], actions: Iterable[ActionItem]) -> list[Block]:
    """A criterion's blocks: its failed levels and those with actions, together where an action answers several.

    Args:
        judged: level → its verdict.
        actions: with their requirements prefetched, in order.
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
        blocks.append(Block(levels, [action for action, own in answered if own & group or own == group]))
    return blocks
