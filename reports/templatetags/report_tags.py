"""Template tags for figures, differences and map cells of the dashboards."""

from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from plan.models import Change, Health
from pmqa_tracker import thai
from pmqa_tracker.templatetags.page import day_url, icon, points
from reports.figures.groups import Figure
from reports.figures.matrix import Heading
from reports.figures.maturity import CriterionRow, MapCell, MapCellState, level_name
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
def big_figure(context: dict[str, Any], value: Figure, kind: str) -> SafeString:
    """Render the figure that answers a question: its icon, and the number as a link to its rows."""
    body = format_html("<b>{}</b>", value.count)
    if value.count:
        body = format_html('<a href="{}">{}</a>', action_list_url(context["plan"], value.query), body)
    zero = "" if value.count else " is-zero"
    return format_html('<span class="big-figure kind-{}{}">{}{}</span>', kind, zero, icon(kind), body)


@register.simple_tag(takes_context=True)
def since_then(context: dict[str, Any], then: Figure, now: Figure) -> SafeString:
    """Render how a figure differs from the earlier day of the page: "+3 since 10 Apr 2563"."""
    text = _("%(difference)s since %(day)s")
    text %= {"difference": signed(now.count - then.count), "day": thai.format_date(context["since"].day)}
    return format_html('<span class="since-then">{}</span>', text)


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


@lru_cache(maxsize=100)
def _cell_mark(state: MapCellState, further: str, language: str) -> SafeString:
    """Render the state of a cell of the maturity map as an icon; screen readers read its label and `further`."""
    return icon("none" if state == MapCellState.UNKNOWN else state.lower(), f"{state.label} {further}".strip())


@register.simple_tag(takes_context=True)
def map_row(context: dict[str, Any], row: CriterionRow) -> SafeString:
    """Render a line of the map up to its points: its head and its cells."""
    url = day_url(context, "criterion_detail", row.criterion.code)
    cells = [_map_cell(context, cell, url) for cell in row.cells]
    return format_html("{}{}", _map_title(row, url), mark_safe("".join(cells)))  # noqa: S308 - each cell is safe


def _map_title(row: CriterionRow, url: str) -> SafeString:
    """Render the head of a line of the map: code and title, cut to one line until the user opens it.

    Below it are the level that the criterion reached, and the link to its page.
    """
    reached = "" if row.is_parent or not row.is_assessed else level_reached(row.reached, row.reached_assumed)
    return format_html(
        '<th scope="row"{}><details><summary><b>{}</b> {}</summary><p>{}<a href="{}">{}</a></p></details></th>',
        mark_safe(' colspan="4"') if row.is_parent else "",
        row.criterion.code,
        row.criterion.title,
        format_html("{} · ", reached) if reached else "",
        url,
        _("Reasons and evidence"),
    )


def _map_cell(context: dict[str, Any], cell: MapCell, url: str) -> SafeString:
    """Render a cell of the map: state, and done of all actions, in a link to the level.

    With `is_supposing` in the context, a requirement that has not passed is a tick instead: suppose that it passes.
    """
    state = context.get("state")
    kinds = f"cell-{cell.state.lower()}"
    kinds += " is-assumed" if cell.is_assumed else ""
    kinds += " is-other" if state and cell.state != state else ""
    inside = _cell_mark(cell.state, _("done") if cell.total else "", get_language())
    if cell.total:
        inside += format_html("<b>{}/{}</b>", cell.done, cell.total)
    if context.get("is_supposing") and cell.code in context["map"].open_cells:
        return format_html(
            '<td class="map-cell {0}"><label class="what-if"><input type="checkbox" name="pass" value="{1}"'
            ' id="pass-{1}"{2}>{3}<span class="visually-hidden">{4}</span></label></td>',
            kinds,
            cell.code,
            mark_safe(" checked") if cell.is_assumed else "",
            inside,
            _("suppose that %(code)s passes") % {"code": cell.code},
        )
    return format_html('<td class="map-cell {}"><a href="{}#level-{}">{}</a></td>', kinds, url, cell.level, inside)


@register.simple_tag
def cell_badge(state: str) -> SafeString:
    """Render the state of a cell of the maturity map: icon and label."""
    state = MapCellState(state)
    name = "none" if state == MapCellState.UNKNOWN else state.lower()
    return format_html('<span class="badge-status is-{}">{}<span>{}</span></span>', name, icon(name), state.label)


@register.simple_tag
def points_moved(before: float | None, after: float | None, assumed: object) -> SafeString | str:
    """Format points as assessed and, if there are assumptions that change them, with these: "300 → 400"."""
    if not assumed or before == after:
        return points(before)
    return format_html("{} → <b>{}</b>", points(before), points(after))


@register.simple_tag
def level_reached(now: int, assumed: int) -> str:
    """Return the highest level a criterion reached, and the level with the assumptions: "Basic → Advance"."""
    return level_name(now) if now == assumed else f"{level_name(now)} → {level_name(assumed)}"
