"""Plan the import of a whole-plan workbook: its new records, and every error of the file."""

from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchange.data_sheet.changes import ChangeNote
from exchange.findings import Findings
from exchange.run import Applied, ImportRun, PlannedImport
from exchange.whole_plan.actions import ActionPlanner
from exchange.whole_plan.apply import add_records, check_versions, read_versions
from exchange.whole_plan.organization import find_organization, plan_units
from exchange.whole_plan.plan import plan_assessment, plan_periods, plan_plan
from exchange.whole_plan.records import PlannedRecords
from exchange.whole_plan.references import Register
from exchange.whole_plan.rows import PlanSheets, read_sheets
from exchange.whole_plan.standard import StandardPlanner
from exchange.whole_plan.tables import ACTIONS, PLAN
from exchange.whole_plan.verdicts import plan_verdicts
from spreadsheets.read import WorkbookRefusedError


def plan_changes(run: ImportRun) -> PlannedImport:
    """Find the records that a workbook adds, in memory and in a fixed number of queries.

    Records that exist must equal the file. What the user may do who previews or confirms it now decides, not what the
    person who uploaded it may.

    Raises:
        WorkbookRefusedError: the file is not a whole-plan workbook.
    """
    if run.book.sheet(PLAN) is None and run.book.sheet(ACTIONS) is None:
        raise WorkbookRefusedError(_("This is not a workbook of a whole plan. Download the template and fill it in."))
    sheets = read_sheets(run.book)
    findings, head, user = sheets.findings, sheets.head, run.access.user
    names = [sheet.name for sheet in run.book.sheets]
    if head is None:
        findings.sort(names)
        return PlannedImport(findings=findings, count=0, apply=lambda _file_rows: Applied(changes=[], plan=None))
    total = sum(map(len, sheets.rows.values()))
    records = PlannedRecords(findings, run.on_progress, total)
    organization = find_organization(records, head, user, run.job.organization)
    standard = StandardPlanner(records, sheets, user)
    units = plan_units(records, sheets, organization)
    categories = standard.plan_categories()
    criteria = standard.plan_criteria(categories)
    assessment = plan_assessment(records, head, organization, standard.framework)
    requirements = plan_verdicts(records, sheets, standard, criteria, assessment)
    plan = plan_plan(records, head, user, organization, assessment)
    periods = plan_periods(records, sheets, plan)
    ActionPlanner(
        records=records, sheets=sheets, plan=plan, criteria=criteria, requirements=requirements, periods=periods,
        units=units,
    ).plan_actions()  # fmt: skip
    registers = (standard.earlier, categories, criteria, requirements, units, periods)
    _collect_errors(sheets, registers)
    findings.sort(names)
    run.on_progress(total, total)
    note = ChangeNote(run.access.user, _("Import of %(file)s") % {"file": run.job.file_name})
    known = [organization, standard.framework, assessment, plan, *(each for one in registers for each in one.records)]
    versions = read_versions(known)

    def apply(_file_rows: Collection[int]) -> Applied:
        check_versions(versions)
        return Applied(changes=add_records(records.new, note, run.at), plan=plan)

    return PlannedImport(findings=findings, count=sum(bool(each.name) for each in records.new), apply=apply)


def _collect_errors(sheets: PlanSheets, registers: Iterable[Register]) -> None:
    """Add the errors of all rows to the findings; and a note for each wrong row that others use."""
    for register in registers:
        register.settle()
    rows = [sheets.head, *(row for rows in sheets.rows.values() for row in rows)]
    findings: Findings = sheets.findings
    findings.errors += [error for row in rows for _name, error in row.errors]
    wrong = dict.fromkeys((error.sheet, error.row) for error in findings.errors)
    uses = {place: set[int]() for place in wrong}
    for register in registers:
        for place, users in register.uses.items():
            uses.get(place, set()).update(map(id, users))
    for (sheet, row), users in uses.items():
        if users:
            text = ngettext(
                "See sheet “%(sheet)s”, row %(row)s (%(count)s row uses it).",
                "See sheet “%(sheet)s”, row %(row)s (%(count)s rows use it).",
                len(users),
            )
            findings.notes.append(text % {"sheet": sheet, "row": row, "count": len(users)})
