"""Plan the requirements and verdicts of a whole-plan workbook."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from criteria.models import Assessment, Level, Requirement, Verdict
from exchange.whole_plan.records import PlannedRecords
from exchange.whole_plan.references import Find, Register
from exchange.whole_plan.rows import EMPTY, PlanRow, PlanSheets
from exchange.whole_plan.standard import StandardPlanner
from exchange.whole_plan.tables import VERDICTS
from pmqa_tracker.parsing.errors import UnreadableError


def plan_verdicts(
    records: PlannedRecords,
    sheets: PlanSheets,
    standard: StandardPlanner,
    criteria: Register,
    assessment: Assessment,
) -> Register:
    """The requirements of the framework with those that the file adds; and the verdicts of the assessment."""
    requirements = standard.register(["criterion", "level"], _find_requirement)
    by_pk = {each.pk: each for each in criteria.records}
    existing = {}
    if standard.is_stored:
        for requirement in Requirement.objects.filter(criterion__framework=standard.framework):
            requirement.criterion = by_pk[requirement.criterion_id]
            existing[requirement.criterion.code, requirement.level] = requirement
            requirements.add(requirement)
    stored = [] if assessment._state.adding else assessment.verdicts.all()
    judged = {each.requirement_id: each for each in stored}
    headings = {each.parent_id for each in criteria.records if each.parent_id}
    seen: dict[tuple[str, int], PlanRow] = {}
    for row in sheets.rows[VERDICTS]:
        criterion = criteria.find(row, "criterion", row.values["criterion"]) if "criterion" in row.values else None
        if criterion:
            row.values["criterion"] = criterion.code
        code, level = row.values.get("criterion", ""), row.values.get("level")
        is_first = row.is_first(seen, (code, level) if code and level else ("row", row.number), "level")
        if criterion and criterion.pk in headings:
            row.add_error("criterion", _("This criterion is a heading; enter verdicts for the criteria under it."))
        name = f"{code} {Level(level).short}" if level else ""
        requirement = existing.get((code, level)) if is_first else None
        if requirement:
            records.findings.unchanged += records.compare(row, requirement, given={})
        else:
            if is_first and level and criterion and not records.is_unsound(criterion):
                standard.check_open(row, "level", _("requirement %(name)s") % {"name": name})
            requirement = Requirement()
            records.add(row, requirement, name, given={})
            requirements.add(requirement, row)
        _plan_verdict(records, row, name, assessment, requirement, judged.get(requirement.pk))
    return requirements


def _plan_verdict(
    records: PlannedRecords,
    row: PlanRow,
    name: str,
    assessment: Assessment,
    requirement: Requirement,
    stored: Verdict | None,
) -> None:
    """Add the verdict of a row, or compare the stored one."""
    if row.values.get("passed", "") is not None:
        given = {"assessment": assessment, "requirement": requirement}
        if stored:
            records.findings.unchanged += records.compare(row, stored, given={})
        else:
            records.add(row, Verdict(), name, given=given)
    elif row.values.get("reason", "") not in EMPTY:
        row.add_error("passed", _("There is a reason without a verdict; write ผ่าน or ไม่ผ่าน."))


def _find_requirement(requirements: Sequence[Requirement]) -> Find:
    known = {(each.criterion.code, each.level): each for each in reversed(requirements)}

    def find(named: tuple[str, int]) -> Requirement:
        if named not in known:
            text = _("Criterion %(code)s has no requirement at one of these levels; add it to the sheet of verdicts.")
            raise UnreadableError(text % {"code": named[0]})
        return known[named]

    return find
