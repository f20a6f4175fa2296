"""Which actions of a unit need attention on the day of the report, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from assignments.models import Role, Unit
from plan.models import ActionItem, Due, Status
from pmqa_tracker import thai
from reports.progress.read import ReportData

DUE_NOW, SILENT = "ครบกำหนดในงวดนี้", "ยังไม่รายงานในงวดนี้"


@dataclass(frozen=True, kw_only=True)
class Attention:
    """An action that needs attention.

    Attributes:
        part: how the unit takes part in it, or which units it waits for.
        reasons: why, most pressing first.
        urgency: order of the rows; lower comes first.
    """

    action: ActionItem
    part: str
    reasons: list[str]
    urgency: tuple[int, int]


def list_unit_attention(data: ReportData, unit: Unit) -> list[Attention]:
    """Return the actions that need attention and that the unit leads or supports by name, most pressing first.

    What it leads through a collective is on the sheet of the collective; here are only such actions returned to the
    unit. A supporting unit reports nothing, so its rows are only those overdue or blocked.
    """
    found: list[Attention] = []
    for action in data.actions:
        role = next((part.role for part in action.assignments.all() if part.unit_id == unit.pk), None)
        returned = data.returned.get((action.pk, unit.pk), "")
        if role == Role.LEAD or returned:
            silent = _silent(action) if unit.pk in data.standing(action).owing else ""
            found += _attention(data, action, _together(action, unit), silent, returned)
        elif role == Role.SUPPORT and is_urgent(action):
            found += _attention(data, action, f"สนับสนุน\n(หลัก: {lead_units(action)})")
    return sorted(found, key=lambda each: each.urgency)


def list_shared_attention(data: ReportData, collective: Unit) -> list[Attention]:
    """Return the actions that need attention and that the collective leads; `part` names the units that owe."""
    names = {unit.pk: unit.abbreviation for unit in data.units}
    found = []
    for action in data.actions_led_by(collective):
        standing = data.standing(action)
        members = [name for pk, name in names.items() if pk in standing.lead - standing.own]
        owing = [name for pk, name in names.items() if pk in standing.owing]
        returned = [
            f"{name} {data.returned[action.pk, pk]}" for pk, name in names.items() if (action.pk, pk) in data.returned
        ]
        found += _attention(
            data, action, _members(owing, members), _silent(action) if owing else "", " · ".join(returned)
        )
    return sorted(found, key=lambda each: each.urgency)


def list_urgent(data: ReportData) -> list[Attention]:
    """Return the overdue actions, longest overdue first, then the blocked ones; `part` names the lead units."""
    found: list[Attention] = []
    for action in data.actions:
        if is_urgent(action):
            found += _attention(data, action, lead_units(action))
    return sorted(found, key=lambda each: each.urgency)


def is_urgent(action: ActionItem) -> bool:
    """Whether an action is overdue or blocked."""
    return action.due == Due.OVERDUE or action.status_on == Status.BLOCKED


def lead_units(action: ActionItem) -> str:
    """Return the abbreviations of the lead units."""
    return _names(action.lead)


def support_units(action: ActionItem) -> str:
    """Return the abbreviations of the supporting units."""
    return _names(action.support)


def days_late(data: ReportData, action: ActionItem) -> int:
    """Return the days since the last period of an overdue action ended; 0 for other actions."""
    return (data.as_of.day - action.last_period.ends_on).days if action.due == Due.OVERDUE else 0


def _attention(
    data: ReportData, action: ActionItem, part: str, silent: str = "", returned: str = ""
) -> list[Attention]:
    """Return the row of an action, or nothing if there is no reason; units that only support give neither text."""
    late = days_late(data, action)
    is_due = action.due == Due.NOW and action.last_period == data.as_of.period
    reasons = [
        (0, f"ส่งกลับให้แก้ไข: {returned}" if returned else ""),
        (1, f"ล่าช้า {late} วัน" if late else ""),
        (2, str(Status.BLOCKED.label) if action.status_on == Status.BLOCKED else ""),
        (3, DUE_NOW if is_due else ""),
        (4, silent),
    ]
    given = [(rank, text) for rank, text in reasons if text]
    if not given:
        return []
    return [Attention(action=action, part=part, reasons=[text for _rank, text in given], urgency=(given[0][0], -late))]


def _silent(action: ActionItem) -> str:
    day = f"ล่าสุด {thai.format_date(timezone.localdate(action.updated_at))}" if action.updated_at else "ยังไม่เคยรายงาน"
    return f"{SILENT} ({day})"


def _members(owing: Sequence[str], members: Sequence[str]) -> str:
    """Name the units that owe a report, or the others if these are fewer."""
    others = [name for name in members if name not in owing]
    if not owing or len(others) >= len(owing):
        return ", ".join(owing)
    return f"ทั้ง {len(owing)} หน่วยงาน" if not others else f"{len(owing)} หน่วยงาน (ทุกหน่วยงานยกเว้น {', '.join(others)})"


def _together(action: ActionItem, unit: Unit) -> str:
    others = _names(part for part in action.lead if part.unit_id != unit.pk)
    return f"หลัก\n(ร่วมกับ {others})" if others else "หลัก"


def _names(assignments: Iterable) -> str:
    return ", ".join(str(each.unit) for each in assignments)
