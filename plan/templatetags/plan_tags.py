"""Template tags for status, health, progress, schedule and verdicts; colour is never the only sign."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from plan.models import ActionItem, Due, Health, Plan, Status
from plan.schedule import format_schedule
from pmqa_tracker import thai
from pmqa_tracker.templatetags.page import icon, percent

register = template.Library()
# State of a plan → look of its badge.
PLAN_LOOKS = {Plan.State.PREPARATION: "not_started", Plan.State.RUNNING: "in_progress", Plan.State.ENDED: "none"}


def _badge(name: str, label: str) -> SafeString:
    return format_html('<span class="badge-status is-{}">{}{}</span>', name, icon(name), label)


@register.simple_tag
def status_badge(value: str) -> SafeString:
    """A Status as a badge."""
    status = Status(value)
    return _badge(status.look.icon, status.label)


@register.simple_tag
def plan_state(plan: Plan) -> SafeString:
    """The state of a plan as a badge."""
    return _badge(PLAN_LOOKS[plan.state], plan.get_state_display())


@register.simple_tag
def status_mark(value: str) -> SafeString:
    """A Status as an icon with its label for screen readers."""
    status = Status(value)
    return icon(status.look.icon, str(status.label))


@register.simple_tag
def health_badge(value: str) -> SafeString:
    """A Health as a badge."""
    health = Health(value)
    return _badge(health.look.icon, health.label)


@register.simple_tag
def lag_badge(health: str, status: str) -> SafeString | str:
    """A badge of the health, or "" if the status or `overdue_badge` already shows it."""
    is_redundant = health in (Health.NONE, Health.OVERDUE) or status == Status.DONE
    return "" if is_redundant else health_badge(health)


@register.simple_tag
def overdue_badge(due: str, updated_on: datetime | None = None) -> SafeString | str:
    """A badge for an overdue action, with the day of its update if no update is owed; "" for other actions."""
    if due != Due.OVERDUE:
        return ""
    if not updated_on:
        return _badge(Due.OVERDUE.look.icon, Due.OVERDUE.label)
    label = _("Overdue, updated on %(day)s") % {"day": thai.format_date(timezone.localdate(updated_on))}
    return _badge(Due.OVERDUE.look.icon, label)


@register.simple_tag
def progress_bar(progress: int, expected: float | None = None) -> SafeString:
    """A bar of the progress (%), with a mark at the expected progress."""
    label = _("Progress %(progress)s %%") % {"progress": progress}
    if expected is not None:
        label += " · " + _("expected %(expected)s") % {"expected": percent(expected)}
    mark = (
        format_html('<path class="bar-expected" d="M{0} 0V8"/>', f"{min(expected, 99.2):.1f}")
        if expected is not None
        else ""
    )
    return format_html(
        '<svg class="progress-line" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="bar-track" width="100" height="8"/><rect class="bar-done" width="{}" height="8"/>{}</svg>',
        label,
        progress,
        mark,
    )


@register.simple_tag
def progress_line(progress: int, expected: float | None = None) -> SafeString:
    """The bar of `progress_bar` with its figure, for lists of many rows: a third of the bytes."""
    mark, words = "", ""
    if expected is not None:
        mark = format_html('<rect x="{}%"/>', f"{min(expected, 99.2):.0f}")
        words = format_html("<span> {}</span>", _("expected %(expected)s") % {"expected": percent(expected)})
    return format_html(
        '<div class="line"><svg aria-hidden="true"><rect width="{}%"/>{}</svg><b>{}{}</b></div>',
        progress,
        mark,
        percent(progress),
        words,
    )


@register.simple_tag
def schedule(action: ActionItem) -> str:
    """The months of an action's schedule, such as "ส.ค.–ก.ย. 2562 ถึง ก.ค.–ก.ย. 2563"."""
    return format_schedule(action.first_period, action.last_period)


@register.simple_tag
def verdict_badge(passed: bool) -> SafeString:
    """A badge that says whether a requirement passed."""
    return _badge("passed", _("Passed")) if passed else _badge("failed", _("Failed"))
