"""Random edits of a data sheet that the import accepts."""

from random import Random
from typing import Any

from assignments.models import Unit
from criteria.models import Level, Requirement
from exchange.data_sheet.columns import format_period, in_thai
from plan.models import ActionItem, Plan, Status
from tests.exchange.workbooks import first_empty

TEXT_COLUMNS = ("result", "problem", "next_step", "reason")
Changes = dict[tuple[str | int, str], Any]


def random_changes(data: bytes, plan: Plan, seed: int, *, rows: int, new: int = 0) -> Changes:
    """(ref or row, column) → value, for `rows` actions of a data sheet and `new` ones below it."""
    random = Random(seed)  # noqa: S311 - nothing here is secret
    actions = random.sample(list(plan.actions.with_details().in_order()), rows)
    changes: Changes = {}
    for action in actions:
        cells = random_progress(random)
        if random.random() < 0.6:
            cells |= random_content(plan, random, action)
        chosen = random.sample(sorted(cells), random.randint(1, len(cells)))
        # The words that a status asks for come with it.
        chosen = {*chosen, *TEXT_COLUMNS} if {"status", "progress"} & {*chosen} else {*chosen}
        chosen |= {"status"} if "progress" in chosen else set()
        changes |= {(action.ref, name): cells[name] for name in chosen}
    row = first_empty(data) if new else 0
    for number in range(row, row + new):
        code = random.choice(list(Requirement.objects.filter(level=2).values_list("criterion__code", flat=True)))
        cells = {"criterion": code, "levels": "A", **random_content(plan, random), **random_progress(random)}
        changes |= {(number, name): value for name, value in cells.items() if value is not None}
    return changes


def random_progress(random: Random) -> dict[str, Any]:
    """A status, sometimes with its progress, and a text for each text column."""
    status = random.choice(list(Status))
    words = {name: f"{name} {random.randint(1000, 9999)} ครับ" for name in TEXT_COLUMNS}
    if status in (Status.DONE, Status.NOT_STARTED):
        progress = random.choice([None, 100 if status == Status.DONE else 0])
    else:
        progress = random.randint(1, 99)
    return {"status": in_thai(status.label)} | ({} if progress is None else {"progress": progress}) | words


def random_content(plan: Plan, random: Random, action: ActionItem | None = None) -> dict[str, Any]:
    """A text, a schedule, units and, for an existing action, a level of its criterion."""
    first, last = sorted(random.sample(list(plan.periods.order_by("number")), 2), key=lambda each: each.number)
    units = random.sample(list(Unit.objects.divisions().active().in_order()), 3)
    cells = {
        "text": f"ข้อความ {random.randint(1000, 9999)}",
        "number": str(random.randint(1, 99)),
        "lead": ", ".join(unit.abbreviation for unit in units[:2]),
        "support": units[2].abbreviation,
    }
    if action is None or action.first_period:
        cells |= {"first": format_period(first), "last": format_period(last)}
    if action:
        levels = list(Requirement.objects.filter(criterion=action.criterion).values_list("level", flat=True))
        cells["levels"] = Level(random.choice(levels)).short
    return cells
