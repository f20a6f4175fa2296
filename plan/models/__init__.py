"""What the plan room keeps, a file a noun."""

from plan.models.action import ActionItem
from plan.models.log import AppendOnlyError, Evidence, ProgressUpdate
from plan.models.plan import Period, Plan
from plan.models.status import Due, Health, Status

__all__ = [
    "ActionItem",
    "AppendOnlyError",
    "Due",
    "Evidence",
    "Health",
    "Period",
    "Plan",
    "ProgressUpdate",
    "Status",
]
