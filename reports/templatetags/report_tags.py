"""Template tags for figures, differences and map cells of the dashboards."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from plan.models import Change, Health
from pmqa_tracker.templatetags.page import icon
from reports.figures.groups import Figure
from reports.figures.matrix import Heading
from reports.figures.maturity import MapCellState, level_name
from reports.links import action_list_url

register = template.Library()


@register.simple_tag(takes_context=True)
def figure(context: dict[str, Any], value: Figure) -> SafeString:
    """Render a figure as a link to the rows it counts; zero has no link."""
    if not value.count:
        return format_html('<span class="zero">{}</span>', 0)
    return format_html('<a href="{}">{}</a>', action_list_url(context["plan"], value.query), value.count)


@register.simple_tag(takes_context=True)
def rows_url(context: dict[str, Any], value: Figure, **further: str) -> str:
    """Return the URL of the rows a figure counts, with `further` query parameters such as the order."""
    return action_list_url(context["plan"], {**value.query, **further})


@register.simple_tag(takes_context=True)
def key_figure(context: dict[str, Any], value: Figure, kind: str, label: str) -> SafeString:
    """Render a key figure: number, icon and label in one link to its rows."""
    body = format_html("<b>{}</b> <span>{}{}</span>", value.count, icon(kind), label)
    if value.count:
        body = format_html('<a href="{}">{}</a>', action_list_url(context["plan"], value.query), body)
    else:
        body = format_html("<p>{}</p>", body)
    return format_html('<li class="key-figure kind-{}{}">{}</li>', kind, "" if value.count else " is-zero", body)


@register.simple_tag(takes_context=True)
def change_figure(context: dict[str, Any], change: Change, value: Figure) -> SafeString:
    """Render the number of actions that changed in one way, linked to them."""
    return key_figure(context, value, change.look.icon, str(change.label))


@register.simple_tag(takes_context=True)
def sort_link(context: dict[str, Any], heading: Heading, table: str) -> SafeString:
    """Render a column heading as a link that sorts by the column, after the icon of its status.

    The id contains the name of the table, so that it is unique and htmx keeps the focus on the link.
    """
    parameters = context["request"].GET.copy()
    parameters["sort"] = heading.sort
    parameters.pop("page", None)
    url = f"?{parameters.urlencode()}"
    mark = icon(heading.column.kind) if heading.column.kind else ""
    arrow = {"descending": " ↓", "ascending": " ↑"}.get(heading.direction, "")
    return format_html(
        '<a class="sort-link" id="sort-{4}-{5}" href="{0}" hx-get="{0}">{1}<span>{2}{3}</span></a>',
        url,
        mark,
        heading.column.label,
        arrow,
        table,
        heading.column.name,
    )


@register.filter
def signed(value: float | None) -> str:
    """Format a difference with its sign: "+3", "−2", "+1.5", "±0"; a dash for None."""
    if value is None:
        return "–"
    shown = f"{abs(value):.1f}".removesuffix(".0")
    return "±0" if shown == "0" else f"{'+' if value > 0 else '−'}{shown}"


@register.simple_tag
def difference(then: float | None, now: float | None) -> str:
    """Format the difference of two percentages, in percentage points."""
    return signed(None if then is None or now is None else now - then)


@register.simple_tag(takes_context=True)
def gap_badge(context: dict[str, Any], gap: float) -> SafeString:
    """Render the gap between progress and expected progress, in percentage points: icon and text.

    With `is_final` in the context it says what a plan that has ended reached.
    """
    look = Health.ON_TRACK.look if gap >= 0 else Health.BEHIND.look
    if context.get("is_final"):
        text = _("ended %(points)s points above the plan") if gap > 0 else _("ended %(points)s points below the plan")
        text = text if round(gap, 1) else _("ended as planned")
    else:
        text = _("%(points)s points ahead of the plan") if gap >= 0 else _("%(points)s points behind the plan")
    shown = f"{abs(gap):.1f}".removesuffix(".0")
    return format_html(
        '<span class="badge-status is-{}">{}<span>{}</span></span>',
        look.icon,
        icon(look.icon),
        text % {"points": shown},
    )


@register.simple_tag
def cell_mark(state: str) -> SafeString:
    """Render the state of a cell of the maturity map as an icon with a text for screen readers."""
    state = MapCellState(state)
    return icon("none" if state == MapCellState.UNKNOWN else state.lower(), str(state.label))


@register.simple_tag
def cell_badge(state: str) -> SafeString:
    """Render the state of a cell of the maturity map: icon and label."""
    state = MapCellState(state)
    name = "none" if state == MapCellState.UNKNOWN else state.lower()
    return format_html('<span class="badge-status is-{}">{}<span>{}</span></span>', name, icon(name), state.label)


@register.simple_tag
def level_reached(now: int, assumed: int) -> str:
    """Return the highest level a criterion reached, and the level with the assumptions: "Basic → Advance"."""
    return level_name(now) if now == assumed else f"{level_name(now)} → {level_name(assumed)}"
