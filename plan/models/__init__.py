"""What the plan room keeps, a file a noun."""

from plan.models.action import ActionItem
from plan.models.evidence import Evidence, EvidenceWithdrawal
from plan.models.log import AppendOnlyError, ProgressUpdate
from plan.models.meeting import Meeting
from plan.models.period_report import PeriodReport, ReportLine, ReportState, ReportStep
from plan.models.plan import Period, Plan
from plan.models.reminder import Reminder
from plan.models.status import AT_WORK, STATUSES, Age, Change, Due, Health, Status
from plan.models.workbook_import import ImportState, WorkbookImport

__all__ = [
    "AT_WORK",
    "STATUSES",
    "ActionItem",
    "Age",
    "AppendOnlyError",
    "Change",
    "Due",
    "Evidence",
    "EvidenceWithdrawal",
    "Health",
    "ImportState",
    "Meeting",
    "Period",
    "PeriodReport",
    "Plan",
    "ProgressUpdate",
    "Reminder",
    "ReportLine",
    "ReportState",
    "ReportStep",
    "Status",
    "WorkbookImport",
]
