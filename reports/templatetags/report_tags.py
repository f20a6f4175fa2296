"""Figures and cells as they are drawn on the dashboards."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from pmqa_tracker.templatetags.page import icon
from reports.figures import Figure
from reports.maturity import CellState

register = template.Library()


@register.simple_tag(takes_context=True)
def figure(context: dict[str, Any], value: Figure) -> SafeString:
    """A figure as a link to exactly the rows it counts; a nought has none to show."""
    if not value.count:
        return format_html('<span class="zero">{}</span>', 0)
    return format_html('<a href="{}">{}</a>', rows_address(context, value.query), value.count)


@register.simple_tag(takes_context=True)
def rows_address(context: dict[str, Any], query: Mapping[str, Any]) -> str:
    """The address of the action list with these filters."""
    address = reverse("action_list", args=[context["plan"].slug])
    return f"{address}?{urlencode(query)}" if query else address


@register.simple_tag(takes_context=True)
def key_figure(context: dict[str, Any], value: Figure, kind: str, label: str) -> SafeString:
    """One of the figures looked at first: number, icon and word, the whole of it a link to the rows."""
    body = format_html("<b>{}</b> <span>{}{}</span>", value.count, icon(kind), label)
    if value.count:
        body = format_html('<a href="{}">{}</a>', rows_address(context, value.query), body)
    else:
        body = format_html("<p>{}</p>", body)
    return format_html('<li class="key-figure kind-{}{}">{}</li>', kind, "" if value.count else " is-zero", body)


@register.simple_tag
def cell_mark(state: str) -> SafeString:
    """The state of a cell of the maturity map as an icon that is read out as a word."""
    state = CellState(state)
    return icon("none" if state == CellState.UNKNOWN else state.lower(), str(state.label))


@register.simple_tag
def cell_badge(state: str) -> SafeString:
    """The state of a cell of the maturity map: icon and word."""
    state = CellState(state)
    name = "none" if state == CellState.UNKNOWN else state.lower()
    return format_html('<span class="badge-status is-{}">{}<span>{}</span></span>', name, icon(name), state.label)
