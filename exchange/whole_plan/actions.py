"""Plan the actions of a whole-plan workbook with the units in charge of them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from assignments.models import Assignment
from criteria.models import Level
from exchange.data_sheet.columns import ROLE_OF_COLUMN, ActionSheet
from exchange.matching import ActionsByContent, ContentKey, content_key
from exchange.refs import refs_of
from exchange.whole_plan.records import NewRecord, PlannedRecords
from exchange.whole_plan.references import Register, Spellings
from exchange.whole_plan.rows import PlanRow, PlanSheets
from exchange.whole_plan.tables import ACTIONS
from plan.models import ActionItem, Plan, Status

CONTENT = ("levels", "number", "text")  # with the criterion, what identifies an action without a ref


@dataclass(kw_only=True)
class ActionPlanner:
    """Plans the actions of a plan.

    Attributes:
        plan: the plan, new or stored.
        criteria, requirements, periods, units: what the cells of an action name.
    """

    records: PlannedRecords
    sheets: PlanSheets
    plan: Plan
    criteria: Register
    requirements: Register
    periods: Register
    units: Register

    def plan_actions(self) -> None:
        """Add the actions of the file that do not exist yet, and compare the others."""
        rows = self.sheets.rows[ACTIONS]
        is_new = self.plan._state.adding
        existing = [] if is_new else list(self.plan.actions.with_details().in_order())
        by_ref, by_content = Spellings({each.ref: each for each in existing}), ActionsByContent(existing)
        sheet = ActionSheet(self.periods.records, ())
        for row in rows:
            self._find(row)
            if (ref := row.values.get("ref")) and (stored := by_ref.find(ref)):
                row.values["ref"] = stored.ref
        named = {row.values.get("ref") for row in rows}
        refs = FreeRefs(named | set(by_ref.by_name))
        seen: dict[Any, PlanRow] = {}
        keys = [self._content(row) for row in rows]
        contents = {key: row for row, key in zip(rows, keys, strict=True) if key and row.values.get("ref")}
        for row, key in zip(rows, keys, strict=True):
            ref, nearest = row.values.get("ref"), ""
            if ref == "" and key:
                if not row.is_first(contents, key, "text"):
                    continue
                if known := by_content.find(key, taken=named):
                    row.values |= {"ref": known.ref, "text": known.text, "number": known.number}
                else:
                    nearest = by_content.describe_nearest(key[0], row.values["text"], taken=named)
                    row.values["ref"] = refs.next(row.values["criterion"], row.values["levels"])
                ref = row.values["ref"]
            is_first = row.is_first(seen, ref.casefold() if ref else row.number, "ref")
            action = by_ref.find(ref) if ref and is_first else None
            if action:
                self._compare(row, action)
            else:
                self._add(row, place=len(seen), nearest=nearest, sheet=sheet)

    def _find(self, row: PlanRow) -> None:
        """Find what the cells of a row name."""
        for name in ("first", "last"):
            self.periods.find(row, name, row.cells[name])
        for name in ROLE_OF_COLUMN:
            self.units.find(row, name, row.cells[name])
        code, levels = row.values.get("criterion"), row.values.get("levels")
        criterion = self.criteria.find(row, "criterion", code) if code else None
        if criterion and levels:
            row.values["criterion"] = criterion.code
            named = [self.requirements.find(row, "levels", (criterion.code, int(level))) for level in levels]
            row.found["levels"] = None if None in named else named

    def _content(self, row: PlanRow) -> ContentKey | None:
        """The content of an action's row, as a key; None with an error in it."""
        if "criterion" not in row.found or not row.values.keys() >= set(CONTENT):
            return None
        return content_key(row.values["criterion"], *(row.values[name] for name in CONTENT))

    def _add(self, row: PlanRow, *, place: int, nearest: str, sheet: ActionSheet) -> None:
        """Add the action of a row with its units; `place` is its position if the row names none."""
        action, answers = ActionItem(), row.found.get("levels")
        ref, text = row.values.get("ref", ""), row.values.get("text", "")
        given = {"plan": self.plan}
        if row.values.get("position", "") is None:
            given["position"] = place
        many = {"requirements": answers}
        is_added = self.records.add(row, action, ref, text, given=given, many=many, nearest=nearest)
        if not is_added or not row.found.keys() >= set(ROLE_OF_COLUMN):
            return
        action.set_search_text()
        self.records.new[-1] = replace(self.records.new[-1], token=self._token(row, action, sheet))
        assignments = [
            Assignment(action=action, unit=unit, role=role, position=number)
            for name, role in ROLE_OF_COLUMN.items()
            for number, unit in enumerate(row.found.get(name) or (), start=1)
        ]
        self.records.new += [NewRecord(record=assignment) for assignment in assignments]

    def _token(self, row: PlanRow, action: ActionItem, sheet: ActionSheet) -> str:
        """The token that `ActionSheet.token_of` gives to the new action of a row."""
        values = {
            "levels": row.values["levels"], "number": action.number, "text": action.text, "first": action.first_period,
            "last": action.last_period, "basis": ActionItem.Basis(action.schedule_basis),
            "lead": row.found["lead"], "support": row.found["support"], "status": Status(action.status),
            "progress": action.progress,
        }  # fmt: skip
        return f"{action.version}-{sheet.digest(values)}"

    def _compare(self, row: PlanRow, action: ActionItem) -> None:
        """Add an error for each cell that differs from an existing action."""
        self.records.compare(row, action, given={"position": action.position})
        stored = list(action.requirements.all())
        answers = row.found.get("levels")
        if answers and {each.pk for each in answers} != {each.pk for each in stored}:
            row.add_difference(action, "levels", ", ".join(Level(each.level).short for each in stored))
        for name in ROLE_OF_COLUMN:
            units = [each.unit for each in getattr(action, name)]
            if name in row.found and [unit.pk for unit in units] != [unit.pk for unit in row.found[name]]:
                row.add_difference(action, name, ", ".join(map(str, units)) or "–")
        self.records.findings.unchanged += not row.errors


class FreeRefs:
    """Finds refs that no action has in any capital letters, without counting from 1 for every action."""

    def __init__(self, taken: Collection[str | None]) -> None:
        self.taken = {ref.casefold() for ref in taken if ref}
        self.refs: dict[tuple[str, tuple[Level, ...]], Iterator[str]] = {}

    def next(self, code: str, levels: tuple[Level, ...]) -> str:
        """The next free ref of a criterion and levels."""
        refs = self.refs.setdefault((code, levels), refs_of(code, levels))
        return next(ref for ref in refs if ref.casefold() not in self.taken)
