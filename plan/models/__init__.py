"""Models of the plan: plans, their steps, periods, meetings, actions, progress updates and evidence."""

from plan.models.action import ActionItem
from plan.models.evidence import Evidence, EvidenceWithdrawal
from plan.models.link import LogLink
from plan.models.meeting import Meeting
from plan.models.plan import Period, Plan
from plan.models.status import AT_WORK, STATUSES, Age, Change, Due, Health, Status
from plan.models.step import PlanStep
from plan.models.summary import PlanSummary
from plan.models.update import ProgressUpdate, RemovedUpdate
from pmqa_tracker.append_only import AppendOnlyError

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
    "LogLink",
    "Meeting",
    "Period",
    "Plan",
    "PlanStep",
    "PlanSummary",
    "ProgressUpdate",
    "RemovedUpdate",
    "Status",
]
