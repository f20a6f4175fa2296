"""Template tag for the state of a submission, as an icon and a word: never by colour alone."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from plan.models import looks
from pmqa_tracker.templatetags.page import icon
from submissions.grid import SubmissionCellState

register = template.Library()
ICONS = {
    SubmissionCellState.NONE: looks.NONE.icon,
    SubmissionCellState.LATER: "locked",
    SubmissionCellState.OPEN: looks.NOT_STARTED.icon,
    SubmissionCellState.LATE: looks.OVERDUE.icon,
    SubmissionCellState.SENT: "sent",
    SubmissionCellState.RETURNED: "returned",
    SubmissionCellState.ACCEPTED: looks.DONE.icon,
}


@register.simple_tag
def submission_badge(value: str) -> SafeString:
    """Render a SubmissionCellState or SubmissionState as a badge."""
    state = SubmissionCellState(value)
    return format_html(
        '<span class="badge-status is-{}">{}<span>{}</span></span>', state.lower(), icon(ICONS[state]), state.label
    )
