"""Write the actions of a whole-plan workbook with the units in charge of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from assignments.models import Assignment, Unit
from assignments.unit_names import UnitNames, former_names, parse_units
from criteria.models import Criterion, Level, Requirement
from exchange.data_sheet.columns import ROLE_OF_COLUMN
from exchange.findings import similar
from exchange.matching import ActionsByContent, ContentKey, content_key
from exchange.parse import parse_period
from exchange.refs import free_ref
from exchange.whole_plan.rows import PlanRow, RecordReader
from exchange.whole_plan.tables import ACTIONS
from plan.models import ActionItem, Period, Plan


@dataclass(frozen=True, kw_only=True)
class ActionWriter:
    """Writes the actions of a plan.

    Attributes:
        plan: the plan; without one, the rows are only checked.
        criteria: the criteria of its framework by code.
        wrong_codes: codes of criteria whose own row has an error.
        requirements: their requirements by code and level.
        periods: its periods in order.
        units: the units of its organization.
    """

    records: RecordReader
    plan: Plan | None
    criteria: Mapping[str, Criterion]
    wrong_codes: Collection[str]
    requirements: Mapping[tuple[str, int], Requirement]
    periods: list[Period]
    units: list[Unit]

    def write(self) -> None:
        """Add the actions of the file that do not exist yet, and compare the others."""
        names = UnitNames.of(self.units, former_names(self.units))
        readers = {
            "first": lambda cell: parse_period(cell, self.periods),
            "last": lambda cell: parse_period(cell, self.periods),
            "lead": lambda cell: tuple(parse_units(cell, names)),
            "support": lambda cell: tuple(parse_units(cell, names)),
        }
        existing = {each.ref: each for each in self.plan.actions.with_details().in_order()} if self.plan else {}
        by_content = ActionsByContent(existing.values())
        rows = self.records.read_rows(ACTIONS, readers)
        for row in rows:
            row.use_stored_spelling(self.criteria, "criterion")
            row.use_stored_spelling(existing, "ref")
        named = {row.values.get("ref") for row in rows}
        taken = named | set(existing)
        seen: dict[Any, int] = {}
        contents = {_content_of(row): row.number for row in rows if self.records.is_complete(row) and row.values["ref"]}
        for row in rows:
            if not self.records.is_complete(row) or row.values["criterion"] in self.wrong_codes:
                continue
            values = dict(row.values)
            criterion = self.criteria.get(values["criterion"])
            answers = [self.requirements.get((values["criterion"], int(level))) for level in values["levels"]]
            if criterion is None:
                self.records.add_error(
                    row,
                    "criterion",
                    _("There is no criterion with this code."),
                    similar(values["criterion"], self.criteria),
                )
                continue
            if None in answers:
                text = _(
                    "Criterion %(code)s has no requirement at one of these levels; add it to the sheet of verdicts."
                )
                self.records.add_error(row, "levels", text % {"code": values["criterion"]})
                continue
            nearest = ""
            if not values["ref"]:
                key = _content_of(row)
                if not self.records.is_first(row, contents, key, "text"):
                    continue
                if known := by_content.find(key, taken=named):
                    values |= {"ref": known.ref, "text": known.text, "number": known.number}
                else:
                    nearest = by_content.describe_nearest(values["criterion"], values["text"], taken=named)
                    values["ref"] = free_ref(values["criterion"], values["levels"], taken)
                    taken.add(values["ref"])
            if self.plan and self.records.is_first(row, seen, values["ref"], "ref"):
                action = existing.get(values["ref"])
                if action:
                    self._compare(row, action, criterion, answers, values)
                else:
                    self._add(row, criterion, answers, values, place=len(seen), nearest=nearest)

    def _add(
        self, row: PlanRow, criterion: Criterion, answers: Any, values: dict[str, Any], *, place: int, nearest: str
    ) -> None:
        """Add the action of a row with its units; `place` is its position if the row names none."""
        fields = {**_fields(criterion, values), "position": place if values["position"] is None else values["position"]}
        made = self.records.find_or_add(
            row,
            ActionItem(plan=self.plan),
            fields,
            values["ref"],
            values["text"],
            nearest=nearest,
            requirements=answers,
        )
        for name, role in ROLE_OF_COLUMN.items() if made else ():
            for number, unit in enumerate(values[name], start=1):
                assignment = Assignment(action=made, unit=unit, role=role, position=number)
                self.records.note.set_on(assignment).save()

    def _compare(
        self, row: PlanRow, action: ActionItem, criterion: Criterion, answers: Any, values: dict[str, Any]
    ) -> None:
        """Add an error for each cell that differs from an existing action."""
        errors = len(self.records.findings.errors)
        self.records.is_unchanged(row, action, _fields(criterion, values))
        if {each.pk for each in answers} != {each.pk for each in action.requirements.all()}:
            stored = ", ".join(Level(each.level).short for each in action.requirements.all())
            self.records.add_difference(row, action, "levels", stored)
        for name in ROLE_OF_COLUMN:
            stored = [each.unit for each in getattr(action, name)]
            if [unit.pk for unit in stored] != [unit.pk for unit in values[name]]:
                self.records.add_difference(row, action, name, ", ".join(map(str, stored)) or "–")
        if len(self.records.findings.errors) == errors:
            self.records.findings.unchanged += 1


def _fields(criterion: Criterion, values: Mapping[str, Any]) -> dict[str, Any]:
    """Field → value of an action, for those that a row always gives."""
    return {
        "ref": values["ref"], "criterion": criterion, "number": values["number"], "text": values["text"],
        "first_period": values["first"], "last_period": values["last"], "schedule_basis": values["basis"],
        "reading_note": values["reading_note"],
    }  # fmt: skip


def _content_of(row: PlanRow) -> ContentKey:
    """The content of an action's row, as a key."""
    return content_key(*(row.values[name] for name in ("criterion", "levels", "number", "text")))
