"""Figures and cells as they are drawn on the dashboards."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from plan.models import Change, Health
from pmqa_tracker.templatetags.page import icon
from reports.addresses import rows_address
from reports.figures.groups import Figure
from reports.figures.matrix import Heading
from reports.figures.maturity import MapCellState, level_name

register = template.Library()


@register.simple_tag(takes_context=True)
def figure(context: dict[str, Any], value: Figure) -> SafeString:
    """A figure as a link to exactly the rows it counts; a nought has none to show."""
    if not value.count:
        return format_html('<span class="zero">{}</span>', 0)
    return format_html('<a href="{}">{}</a>', rows_address(context["plan"], value.query), value.count)


@register.simple_tag(takes_context=True)
def rows_url(context: dict[str, Any], value: Figure, **further: str) -> str:
    """The address of the rows a figure counts; `further` parameters order them."""
    return rows_address(context["plan"], {**value.query, **further})


@register.simple_tag(takes_context=True)
def key_figure(context: dict[str, Any], value: Figure, kind: str, label: str) -> SafeString:
    """One of the figures looked at first: number, icon and word, the whole of it a link to the rows."""
    body = format_html("<b>{}</b> <span>{}{}</span>", value.count, icon(kind), label)
    if value.count:
        body = format_html('<a href="{}">{}</a>', rows_address(context["plan"], value.query), body)
    else:
        body = format_html("<p>{}</p>", body)
    return format_html('<li class="key-figure kind-{}{}">{}</li>', kind, "" if value.count else " is-zero", body)


@register.simple_tag(takes_context=True)
def change_figure(context: dict[str, Any], change: Change, value: Figure) -> SafeString:
    """How many actions changed in one way, as a link to them."""
    return key_figure(context, value, change.look.icon, str(change.label))


@register.simple_tag(takes_context=True)
def sort_link(context: dict[str, Any], heading: Heading, table: str) -> SafeString:
    """A column's heading as a link that sorts by it; the icon of a status before it.

    Its id, unique by the table's name, is how htmx leaves the focus on it.
    """
    parameters = context["request"].GET.copy()
    parameters["sort"] = heading.sort
    address = f"?{parameters.urlencode()}"
    mark = icon(heading.column.kind) if heading.column.kind else ""
    arrow = {"descending": " ↓", "ascending": " ↑"}.get(heading.direction, "")
    return format_html(
        '<a class="sort-link" id="sort-{4}-{5}" href="{0}" hx-get="{0}">{1}<span>{2}{3}</span></a>',
        address,
        mark,
        heading.column.label,
        arrow,
        table,
        heading.column.name,
    )


@register.filter
def signed(value: float | None) -> str:
    """A difference with its sign: "+3", "−2", "+1.5"; ±0 where there is none, a dash where it is not known."""
    if value is None:
        return "–"
    shown = f"{abs(value):.1f}".removesuffix(".0")
    return "±0" if shown == "0" else f"{'+' if value > 0 else '−'}{shown}"


@register.simple_tag
def difference(then: float | None, now: float | None) -> str:
    """Percentage points between two percentages."""
    return signed(None if then is None or now is None else now - then)


@register.simple_tag
def gap_badge(gap: float) -> SafeString:
    """How far the progress is from what is expected, in percentage points: icon and words."""
    if gap >= 0:
        look, text = Health.ON_TRACK.look, _("%(points)s points ahead of the plan")
    else:
        look, text = Health.BEHIND.look, _("%(points)s points behind the plan")
    shown = f"{abs(gap):.1f}".removesuffix(".0")
    return format_html(
        '<span class="badge-status is-{}">{}<span>{}</span></span>',
        look.icon,
        icon(look.icon),
        text % {"points": shown},
    )


@register.simple_tag
def cell_mark(state: str) -> SafeString:
    """The state of a cell of the maturity map as an icon that is read out as a word."""
    state = MapCellState(state)
    return icon("none" if state == MapCellState.UNKNOWN else state.lower(), str(state.label))


@register.simple_tag
def cell_badge(state: str) -> SafeString:
    """The state of a cell of the maturity map: icon and word."""
    state = MapCellState(state)
    name = "none" if state == MapCellState.UNKNOWN else state.lower()
    return format_html('<span class="badge-status is-{}">{}<span>{}</span></span>', name, icon(name), state.label)


@register.simple_tag
def level_reached(now: int, supposed: int) -> str:
    """The highest level a criterion reached, and where it would get as supposed: "Basic → Advance"."""
    return level_name(now) if now == supposed else f"{level_name(now)} → {level_name(supposed)}"
