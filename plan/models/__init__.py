"""What the plan room keeps, a file a noun."""

from plan.models.action import ActionItem
from plan.models.evidence import Evidence, EvidenceWithdrawal
from plan.models.log import AppendOnlyError, ProgressUpdate
from plan.models.period_report import PeriodReport, ReportLine, ReportState, ReportStep
from plan.models.plan import Period, Plan
from plan.models.reminder import Reminder
from plan.models.status import Due, Health, Status

__all__ = [
    "ActionItem",
    "AppendOnlyError",
    "Due",
    "Evidence",
    "EvidenceWithdrawal",
    "Health",
    "Period",
    "PeriodReport",
    "Plan",
    "ProgressUpdate",
    "Reminder",
    "ReportLine",
    "ReportState",
    "ReportStep",
    "Status",
]
