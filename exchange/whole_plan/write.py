"""Write a plan from a whole-plan workbook: add new records, and check that existing ones equal the file."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from assignments.models import Assignment, Organization, Unit
from assignments.unit_names import UnitNames, parse_units
from criteria.models import Assessment, Category, Criterion, Framework, Level, Requirement, Verdict
from exchange.data_sheet.columns import ROLE_OF_COLUMN
from exchange.data_sheet.write import ChangedMeanwhileError, free_ref
from exchange.findings import Findings, similar
from exchange.matching import ActionsByContent, ContentKey, content_key
from exchange.models import ImportJob
from exchange.parse import parse_period
from exchange.whole_plan.rows import PlanRow, RecordReader, existing_plan_note
from exchange.whole_plan.tables import ACTIONS, CATEGORIES, CRITERIA, PERIODS, PLAN, UNITS, VERDICTS
from plan.models import ActionItem, Period, Plan
from pmqa_tracker import thai
from pmqa_tracker.database_text import find_named
from pmqa_tracker.parsing.values import parse_text
from pmqa_tracker.tasks import ProgressCallback
from spreadsheets.read import ReadWorkbook, WorkbookRefusedError


def write_plan(
    book: ReadWorkbook, job: ImportJob, on_progress: ProgressCallback
) -> tuple[Findings, int, list[dict[str, Any]], Plan | None]:
    """Add the records of a workbook that do not exist yet. The caller opens the transaction.

    Returns:
        The findings, the number of new records, the data to undo them, and the plan.

    Raises:
        WorkbookRefusedError: the file is not a whole-plan workbook.
        ChangedMeanwhileError: another user added the same record at the same time.
    """
    if book.sheet(PLAN) is None and book.sheet(ACTIONS) is None:
        raise WorkbookRefusedError(_("This is not a workbook of a whole plan. Download the template and fill it in."))
    records = RecordReader(book, job, on_progress)
    plan = None
    if records.is_readable:
        try:
            with transaction.atomic():
                plan = PlanWriter(records).make()
        except IntegrityError as error:
            raise ChangedMeanwhileError(job.file_name) from error
    records.findings.sort([sheet.name for sheet in book.sheets])
    return records.findings, len(records.made), records.made, plan


class PlanWriter:
    """Writes the records of a plan, each after the records it refers to."""

    def __init__(self, records: RecordReader) -> None:
        self.records = records
        self.head = records.read_plan_sheet()

    def make(self) -> Plan | None:
        """Write all records; return the plan, or None if its sheet has errors."""
        organization, framework = self._organization(), self._framework()
        units = self._units(organization) if organization else []
        criteria = self._criteria(framework, self._categories(framework)) if framework else {}
        assessment = self._assessment(organization, framework) if organization and framework else None
        requirements = self._verdicts(criteria, assessment)
        plan = self._plan(assessment)
        periods = self._periods(plan)
        self._actions(plan, criteria, requirements, periods, units)
        return plan

    def _find_or_add(
        self,
        row: PlanRow,
        record: Any,
        values: Mapping[str, Any],
        name: str,
        title: str = "",
        *,
        nearest: str = "",
        **many: Any,
    ) -> Any:
        """The record of a row: the existing one if it equals the row, or a new one; None with errors."""
        if record.pk is not None:
            if not self.records.is_unchanged(row, record, values):
                return None
            self.records.findings.unchanged += 1
            return record
        for key, value in values.items():
            setattr(record, key, value)
        made = self.records.add(row, record, name, many)
        if made:
            self.records.add_new_finding(row, name, title, nearest)
        return made

    def _is_first(self, row: PlanRow, seen: dict[Any, int], key: Any, name: str) -> bool:
        """Whether no earlier row has this key; add an error otherwise. `seen` maps key → row number."""
        if key in seen:
            text = _("Row %(row)s is about the same record; keep one of the two.")
            self.records.add_error(row, name, text % {"row": seen[key]})
            return False
        seen[key] = row.number
        return True

    def _organization(self) -> Organization | None:
        name = self.head.values.get("organization")
        if not name:
            return None
        found = find_named(Organization.objects.all(), "name", name)
        return found or self._find_or_add(self.head, Organization(), {"name": name, "short_name": name[:60]}, name)

    def _framework(self) -> Framework | None:
        values = self.head.values
        points = ("basic_points", "advance_points", "significance_points", "are_points_confirmed")
        names = {name: name for name in ("edition", "fiscal_year", *points)}
        names |= {"framework": "slug", "framework_name": "name"}
        if not values.get("framework") or not names.keys() <= values.keys():
            return None
        record = find_named(Framework.objects.all(), "slug", values["framework"]) or Framework()
        given = {field: values[name] for name, field in names.items() if values[name] is not None or not record.pk}
        return self._find_or_add(self.head, record, given, values["framework"])

    def _units(self, organization: Organization) -> list[Unit]:
        existing = {_unit_key(unit.abbreviation): unit for unit in organization.units.prefetch_related("members")}
        rows = self.records.read_rows(UNITS, {"members": parse_text})
        seen: dict[Any, int] = {}
        later = []
        for row in rows:
            key = _unit_key(row.values.get("abbreviation") or "")
            if not self.records.is_complete(row) or not self._is_first(row, seen, key, "abbreviation"):
                continue
            values = {key: value for key, value in row.values.items() if key not in ("members", "position")}
            unit = existing.get(key) or Unit(organization=organization)
            is_new = unit.pk is None
            if is_new:
                values["position"] = row.values["position"] if row.values["position"] is not None else len(existing) + 1
            unit = self._find_or_add(row, unit, values, values["abbreviation"], values["name_th"])
            if unit:
                existing[key] = unit
                later.append((row, unit, is_new))
        names = UnitNames.of(existing.values())
        for row, unit, is_new in later:
            members = self.records.parse_later(row, "members", lambda cell: parse_units(cell, names))
            if members is None:
                continue
            if members and not unit.is_collective:
                self.records.add_error(row, "members", _("Only a collective has member units."))
            elif is_new:
                self.records.note.set_on(unit).members.set(members)
            elif {each.pk for each in members} != {each.pk for each in unit.members.all()}:
                stored = ", ".join(str(each) for each in unit.members.all()) or "–"
                self.records.add_difference(row, "members", stored)
        return list(existing.values())

    def _categories(self, framework: Framework) -> dict[int, Category]:
        existing = {each.number: each for each in framework.categories.all()}
        seen: dict[Any, int] = {}
        for row in self.records.read_rows(CATEGORIES):
            if self.records.is_complete(row) and self._is_first(row, seen, row.values["number"], "number"):
                category = existing.get(row.values["number"]) or Category(framework=framework)
                made = self._find_or_add(row, category, row.values, str(row.values["number"]), row.values["name"])
                if made:
                    existing[made.number] = made
        return existing

    def _criteria(self, framework: Framework, categories: Mapping[int, Category]) -> dict[str, Criterion]:
        existing = {each.code: each for each in framework.criteria.select_related("category", "parent")}
        seen: dict[Any, int] = {}
        rows = self.records.read_rows(CRITERIA)
        # Headings before the criteria under them, in whatever order the file has them.
        for place, row in enumerate(sorted(rows, key=lambda each: bool(each.values.get("parent"))), start=1):
            row.use_stored_spelling(existing, "code", "parent")
            if not self.records.is_complete(row) or not self._is_first(row, seen, row.values["code"], "code"):
                continue
            values = dict(row.values)
            category = categories.get(values["category"])
            parent = existing.get(values["parent"]) if values["parent"] else None
            if category is None:
                text = _("There is no category with this number; add it to the sheet of categories.")
                self.records.add_error(row, "category", text)
            if values["parent"] and parent is None:
                text = _("There is no criterion with this code.")
                self.records.add_error(row, "parent", text, similar(values["parent"], existing))
            if category is None or (values["parent"] and parent is None):
                continue
            criterion = existing.get(values["code"]) or Criterion()
            if values["position"] is None:
                values["position"] = place if criterion.pk is None else criterion.position
            made = self._find_or_add(
                row, criterion, {**values, "category": category, "parent": parent}, values["code"], values["title"]
            )
            if made:
                existing[made.code] = made
        return existing

    def _assessment(self, organization: Organization, framework: Framework) -> Assessment | None:
        if not self.records.is_complete(self.head):
            return None
        values = self.head.values
        name = values["assessment"]
        key = thai.search_key(name)
        record = next((each for each in organization.assessments.all() if thai.search_key(each.name) == key), None)
        record = record or Assessment(name=name, organization=organization)
        fields = {"framework": framework, "kind": values["kind"], "assessed_on": values["assessed_on"]}
        return self._find_or_add(self.head, record, fields, name)

    def _plan(self, assessment: Assessment | None) -> Plan | None:
        if assessment is None:
            return None
        values = {key: self.head.values[key] for key in ("slug", "title", "starts_on", "ends_on")}
        previous = None
        if self.head.values["previous"]:
            previous = find_named(Plan.objects.all(), "slug", self.head.values["previous"])
            if previous is None:
                slugs = Plan.objects.values_list("slug", flat=True)
                self.records.add_error(self.head, "previous", _("There is no plan with this code."), slugs)
                return None
        record = find_named(Plan.objects.all(), "slug", values["slug"]) or Plan()
        values["slug"] = record.slug or values["slug"]
        if record.pk:
            self.records.findings.existing_plan = existing_plan_note(record)
        values |= {"organization": assessment.organization, "assessment": assessment, "previous": previous}
        return self._find_or_add(self.head, record, values, values["slug"], values["title"])

    def _periods(self, plan: Plan | None) -> list[Period]:
        existing = {each.number: each for each in plan.periods.all()} if plan else {}
        seen: dict[Any, int] = {}
        periods = []
        for row in self.records.read_rows(PERIODS):
            if not self.records.is_complete(row) or not self._is_first(row, seen, row.values["number"], "number"):
                continue
            if plan is None:
                periods.append(Period(**row.values))  # not saved; only to parse the cells of the actions
                continue
            record = existing.get(row.values["number"]) or Period(plan=plan)
            made = self._find_or_add(row, record, row.values, str(row.values["number"]))
            if made:
                existing[made.number] = made
        return sorted(existing.values() or periods, key=lambda each: each.number)

    def _verdicts(
        self, criteria: Mapping[str, Criterion], assessment: Assessment | None
    ) -> dict[tuple[str, int], Requirement]:
        requirements = Requirement.objects.filter(criterion__in=[each.pk for each in criteria.values()])
        existing = {(each.criterion.code, each.level): each for each in requirements.select_related("criterion")}
        judged = (
            {each.requirement_id: each for each in Verdict.objects.filter(assessment=assessment)} if assessment else {}
        )
        parents = {each.parent_id for each in criteria.values() if each.parent_id}
        seen: dict[Any, int] = {}
        for row in self.records.read_rows(VERDICTS):
            if not self.records.is_complete(row):
                continue
            row.use_stored_spelling(criteria, "criterion")
            code, level = row.values["criterion"], int(row.values["level"])
            if not self._is_first(row, seen, (code, level), "level"):
                continue
            criterion = criteria.get(code)
            if criterion is None or criterion.pk in parents:
                candidates = similar(code, criteria) if criterion is None else []
                text = _("This criterion is a heading; enter verdicts for the criteria under it.")
                text = _("There is no criterion with this code.") if criterion is None else text
                self.records.add_error(row, "criterion", text, candidates)
                continue
            name = f"{code} {Level(level).short}"
            requirement = existing.get((code, level)) or Requirement(criterion=criterion, level=level)
            requirement = self._find_or_add(row, requirement, {"text": row.values["text"]}, name)
            if requirement:
                existing[code, level] = requirement
                self._verdict(row, name, assessment, requirement, judged.get(requirement.pk))
        return existing

    def _verdict(
        self, row: PlanRow, name: str, assessment: Assessment | None, requirement: Requirement, verdict: Verdict | None
    ) -> None:
        values = {key: row.values[key] for key in ("passed", "reason", "printed")}
        if values["passed"] is None:
            if values["reason"]:
                self.records.add_error(row, "passed", _("There is a reason without a verdict; write ผ่าน or ไม่ผ่าน."))
            return
        if assessment:
            self._find_or_add(row, verdict or Verdict(assessment=assessment, requirement=requirement), values, name)

    def _actions(
        self,
        plan: Plan | None,
        criteria: Mapping[str, Criterion],
        requirements: Mapping[tuple[str, int], Requirement],
        periods: list[Period],
        units: list[Unit],
    ) -> None:
        names = UnitNames.of(units)
        readers = {
            "first": lambda cell: parse_period(cell, periods),
            "last": lambda cell: parse_period(cell, periods),
            "lead": lambda cell: tuple(parse_units(cell, names)),
            "support": lambda cell: tuple(parse_units(cell, names)),
        }
        existing = {each.ref: each for each in plan.actions.with_details().in_order()} if plan else {}
        by_content = ActionsByContent(existing.values())
        rows = self.records.read_rows(ACTIONS, readers)
        for row in rows:
            row.use_stored_spelling(criteria, "criterion")
            row.use_stored_spelling(existing, "ref")
        named = {row.values.get("ref") for row in rows}
        taken = named | set(existing)
        seen: dict[Any, int] = {}
        contents = {_content_of(row): row.number for row in rows if self.records.is_complete(row) and row.values["ref"]}
        for row in rows:
            if not self.records.is_complete(row):
                continue
            values = dict(row.values)
            criterion = criteria.get(values["criterion"])
            answers = [requirements.get((values["criterion"], int(level))) for level in values["levels"]]
            if criterion is None:
                self.records.add_error(
                    row,
                    "criterion",
                    _("There is no criterion with this code."),
                    similar(values["criterion"], criteria),
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
                if not self._is_first(row, contents, key, "text"):
                    continue
                if known := by_content.find(key, taken=named):
                    values |= {"ref": known.ref, "text": known.text, "number": known.number}
                else:
                    nearest = by_content.describe_nearest(values["criterion"], values["text"], taken=named)
                    values["ref"] = free_ref(values["criterion"], values["levels"], taken)
                    taken.add(values["ref"])
            if plan and self._is_first(row, seen, values["ref"], "ref"):
                action = existing.get(values["ref"])
                self._action(row, plan, criterion, answers, values, action, place=len(seen), nearest=nearest)

    def _action(
        self,
        row: PlanRow,
        plan: Plan,
        criterion: Criterion,
        answers: Any,
        values: dict[str, Any],
        action: Any,
        *,
        place: int,
        nearest: str,
    ) -> None:
        fields = {
            "ref": values["ref"], "criterion": criterion, "number": values["number"], "text": values["text"],
            "first_period": values["first"], "last_period": values["last"], "schedule_basis": values["basis"],
            "reading_note": values["reading_note"],
        }  # fmt: skip
        position = values["position"] if values["position"] is not None else place
        if action is None:
            made = self._find_or_add(
                row,
                ActionItem(plan=plan),
                {**fields, "position": position},
                values["ref"],
                values["text"],
                nearest=nearest,
                requirements=answers,
            )
            for name, role in ROLE_OF_COLUMN.items() if made else ():
                for number, unit in enumerate(values[name], start=1):
                    assignment = Assignment(action=made, unit=unit, role=role, position=number)
                    self.records.note.set_on(assignment).save()
            return
        errors = len(self.records.findings.errors)
        self.records.is_unchanged(row, action, fields)
        if {each.pk for each in answers} != {each.pk for each in action.requirements.all()}:
            self.records.add_difference(
                row, "levels", ", ".join(Level(each.level).short for each in action.requirements.all())
            )
        for name in ROLE_OF_COLUMN:
            stored = [each.unit for each in getattr(action, name)]
            if [unit.pk for unit in stored] != [unit.pk for unit in values[name]]:
                self.records.add_difference(row, name, ", ".join(map(str, stored)) or "–")
        if len(self.records.findings.errors) == errors:
            self.records.findings.unchanged += 1


def _content_of(row: PlanRow) -> ContentKey:
    """The content of an action's row, as a key."""
    return content_key(*(row.values[name] for name in ("criterion", "levels", "number", "text")))


def _unit_key(abbreviation: str) -> str:
    """A key that the spellings of an abbreviation share, with or without dots."""
    return thai.search_key(abbreviation).replace(".", "")
