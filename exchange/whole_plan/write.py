"""Write a plan from a whole-plan workbook: add new records, and check that existing ones equal the file."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from assignments.models import Organization, User
from criteria.models import Assessment, Criterion, Level, Requirement, Verdict
from exchange.findings import Findings, similar
from exchange.models import ImportJob
from exchange.run import ChangedMeanwhileError
from exchange.whole_plan.actions import ActionWriter
from exchange.whole_plan.organization import find_organization, write_units
from exchange.whole_plan.rows import PlanRow, RecordReader, existing_plan_note
from exchange.whole_plan.standard import StandardWriter
from exchange.whole_plan.tables import ACTIONS, PERIODS, PLAN, VERDICTS
from plan.models import Period, Plan
from plan.models.plan import PlanQuerySet
from pmqa_tracker import thai
from pmqa_tracker.database_text import find_named
from pmqa_tracker.tasks import ProgressCallback
from pmqa_tracker.transactions import write_transaction
from spreadsheets.read import ReadWorkbook, WorkbookRefusedError

PLAN_CELLS = ("slug", "title", "starts_on", "ends_on", "previous")
ASSESSMENT_CELLS = ("assessment", "kind", "assessed_on")


class ErrorRollback(Exception):  # noqa: N818 - it ends the transaction of a file with errors
    """Roll back what was written to find all errors of a file."""


def write_plan(
    book: ReadWorkbook, job: ImportJob, user: User, on_progress: ProgressCallback
) -> tuple[Findings, int, list[dict[str, Any]], Plan | None]:
    """Add the records of a workbook that do not exist yet, or none if it has an error. The caller opens a transaction.

    Args:
        user: whoever previews or confirms it now; what they may do decides, not what the person who uploaded it may.

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
            with write_transaction():
                plan = PlanWriter(records, user, job.organization).write()
                if records.findings.errors:
                    raise ErrorRollback
        except ErrorRollback:
            plan = None
        except IntegrityError as error:
            raise ChangedMeanwhileError(job.file_name) from error
    records.findings.sort([sheet.name for sheet in book.sheets])
    return records.findings, len(records.made), records.made, plan


class PlanWriter:
    """Writes the records of a plan, each after the records it refers to.

    A record whose cells have errors is replaced by a stand-in, so that one pass finds the errors of all sheets.
    """

    def __init__(self, records: RecordReader, user: User, owner: Organization | None) -> None:
        self.records, self.user = records, user
        self.head = records.read_plan_sheet()
        self.organization = find_organization(records, self.head, user, owner)
        self.standard = StandardWriter(records, self.head, user)

    def write(self) -> Plan | None:
        """Write all records; return the plan, or None if its lines have errors."""
        units = write_units(self.records, self.organization)
        criteria = self.standard.write_criteria(self.standard.write_categories())
        assessment = self._assessment()
        requirements = self._verdicts(criteria, assessment)
        plan = self._plan(assessment)
        periods = self._periods(plan)
        ActionWriter(
            records=self.records,
            plan=plan,
            criteria=criteria,
            wrong_codes=self.standard.wrong_codes,
            requirements=requirements,
            periods=periods,
            units=units,
        ).write()
        return plan

    def _assessment(self) -> Assessment:
        """The assessment of the plan sheet, or a stand-in if its cells have errors."""
        made, name = None, self.head.values.get("assessment")
        if self.records.is_complete(self.head, ASSESSMENT_CELLS):
            known = self.organization.assessments.all()
            key = thai.search_key(name)
            stored = next((each for each in known if thai.search_key(each.name) == key), None)
            values = {each: self.head.values[each] for each in ("kind", "assessed_on")}
            if stored is None or self.standard.is_sound:
                values["framework"] = self.standard.framework
            record = stored or Assessment(name=name, organization=self.organization)
            made = self.records.find_or_add(self.head, record, values, name) or stored
        if made:
            return made
        framework = self.standard.framework
        return self.records.stand_in(Assessment(name="–", organization=self.organization, framework=framework))

    def _plan(self, assessment: Assessment) -> Plan | None:
        if not self.records.is_complete(self.head, PLAN_CELLS):
            return None
        own = Plan.objects.visible_to(self.user).filter(organization=self.organization)
        values = {key: self.head.values[key] for key in ("slug", "title", "starts_on", "ends_on")}
        record = find_named(own, "slug", values["slug"])
        if record:
            values["slug"] = record.slug
            self.records.findings.existing_plan = existing_plan_note(record)
            if record.has_ended:
                self.records.add_error(self.head, "slug", record.why_no_reports)
        else:
            values["slug"] = self._free_slug(values["slug"])
        values |= {"organization": self.organization, "assessment": assessment, "previous": self._previous(own)}
        made = self.records.find_or_add(self.head, record or Plan(), values, values["slug"], values["title"])
        return made or record

    def _free_slug(self, slug: str) -> str:
        """The slug; if a plan that the user may not see has it, another one, with an error that offers it."""
        taken = {thai.search_key(each) for each in Plan.objects.values_list("slug", flat=True)}
        if thai.search_key(slug) not in taken:
            return slug
        free = next(each for number in range(2, 999) if thai.search_key(each := f"{slug}-{number}") not in taken)
        text = _("This code is taken. Choose another, such as %(slug)s.")
        self.records.add_error(self.head, "slug", text % {"slug": free}, [free])
        return free

    def _previous(self, own: PlanQuerySet) -> Plan | None:
        slug = self.head.values["previous"]
        found = find_named(own, "slug", slug) if slug else None
        if slug and found is None:
            slugs = list(own.order_by("-starts_on").values_list("slug", flat=True))
            text = _("There is no plan with this code.")
            self.records.add_error(self.head, "previous", text, similar(slug, slugs) or slugs[:3])
        return found

    def _periods(self, plan: Plan | None) -> list[Period]:
        existing = {each.number: each for each in plan.periods.all()} if plan else {}
        seen: dict[Any, int] = {}
        periods = []
        for row in self.records.read_rows(PERIODS):
            if not self.records.is_complete(row):
                continue
            if not self.records.is_first(row, seen, row.values["number"], "number"):
                continue
            if plan is None:
                periods.append(Period(**row.values))  # not saved; only to parse the cells of the actions
                continue
            record = existing.get(row.values["number"]) or Period(plan=plan)
            made = self.records.find_or_add(row, record, row.values, str(row.values["number"]))
            if made:
                existing[made.number] = made
        return sorted(existing.values() or periods, key=lambda each: each.number)

    def _verdicts(
        self, criteria: Mapping[str, Criterion], assessment: Assessment
    ) -> dict[tuple[str, int], Requirement]:
        """Write the requirements and their verdicts; return all requirements by code and level."""
        requirements = Requirement.objects.filter(criterion__framework=self.standard.framework)
        existing = {(each.criterion.code, each.level): each for each in requirements.select_related("criterion")}
        judged = {each.requirement_id: each for each in assessment.verdicts.all()}
        parents = {each.parent_id for each in criteria.values() if each.parent_id}
        seen: dict[Any, int] = {}
        for row in self.records.read_rows(VERDICTS):
            if not self.records.is_complete(row):
                continue
            row.use_stored_spelling(criteria, "criterion")
            code, level = row.values["criterion"], int(row.values["level"])
            if not self.records.is_first(row, seen, (code, level), "level"):
                continue
            criterion = criteria.get(code)
            if code in self.standard.wrong_codes:
                continue
            if criterion is None or criterion.pk in parents:
                candidates = similar(code, criteria) if criterion is None else []
                text = _("This criterion is a heading; enter verdicts for the criteria under it.")
                text = _("There is no criterion with this code.") if criterion is None else text
                self.records.add_error(row, "criterion", text, candidates)
                continue
            requirement = self.standard.requirement(row, criterion, level, existing.get((code, level)))
            if requirement:
                existing[code, level] = requirement
                self._verdict(row, assessment, requirement, judged.get(requirement.pk))
        return existing

    def _verdict(self, row: PlanRow, assessment: Assessment, requirement: Requirement, verdict: Verdict | None) -> None:
        values = {key: row.values[key] for key in ("passed", "reason", "printed")}
        if values["passed"] is not None:
            name = f"{row.values['criterion']} {Level(requirement.level).short}"
            record = verdict or Verdict(assessment=assessment, requirement=requirement)
            self.records.find_or_add(row, record, values, name)
        elif values["reason"]:
            self.records.add_error(row, "passed", _("There is a reason without a verdict; write ผ่าน or ไม่ผ่าน."))
