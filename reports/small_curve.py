"""The curve of expected and actual progress as a small drawing, which needs no script."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from plan.as_of import AsOf
from plan.models import Meeting
from pmqa_tracker import thai
from pmqa_tracker.templatetags.page import percent
from reports.figures.curve import Curve

WIDTH, HEIGHT = 240, 120


def draw_small_curve(curve: Curve, as_of: AsOf, meetings: Iterable[Meeting]) -> SafeString:
    """Draw the curve as SVG: 100 % at the top, a line at each meeting, and a dot on the day of the page."""
    first, last = curve.points[0].day, curve.points[-1].day

    def across(day: date) -> float:
        return WIDTH * (day - first).days / max((last - first).days, 1)

    def down(value: float) -> float:
        return HEIGHT * (1 - value / 100)

    def line(kind: str, values: Sequence[float | None]) -> SafeString:
        shown = [(point.day, value) for point, value in zip(curve.points, values, strict=True) if value is not None]
        places = " ".join(f"{across(day):.0f},{down(value):.0f}" for day, value in shown)
        return format_html('<polyline class="curve-{}" points="{}"/>', kind, places)

    now = next((point for point in curve.points if point.day == as_of.day), curve.points[-1])
    held = [(f"{across(each.held_on):.0f}", HEIGHT) for each in meetings if first <= each.held_on <= last]
    label = _("Progress over the months; on %(day)s expected %(expected)s, actual %(actual)s")
    label %= {"day": thai.format_date(now.day), "expected": percent(now.expected), "actual": percent(now.actual)}
    dot = [] if now.actual is None else [(f"{across(now.day):.0f}", f"{down(now.actual):.0f}")]
    return format_html(
        '<svg viewBox="-3 -3 {} {}" role="img" aria-label="{}"><path class="curve-frame" d="M0 0H{w}M0 {h}H{w}"/>'
        "{}{}{}{}{}</svg>",
        WIDTH + 6,
        HEIGHT + 6,
        label,
        format_html_join("", '<path class="curve-meeting" d="M{} 0V{}"/>', held),
        line("expected", [point.expected for point in curve.points]),
        line("forecast", [point.forecast for point in curve.points]),
        line("actual", [point.actual for point in curve.points]),
        format_html_join("", '<circle class="curve-now" r="3.5" cx="{}" cy="{}"/>', dot),
        w=WIDTH,
        h=HEIGHT,
    )
