"""What the pages of this site are made of; a builtin of every template."""

from typing import Any

from django import template
from django.forms import BaseForm
from django.template.base import Node, Parser, Token
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from pmqa_tracker.views import OWNER_FIELD

register = template.Library()


@register.tag
def csrf_token(parser: Parser, token: Token) -> Node:
    """Django's hidden field with the CSRF token, and one that says who opened the form (`OwnerMiddleware`)."""
    return OwnedFormNode()


class OwnedFormNode(CsrfTokenNode):
    """The hidden fields that every form with POST begins with."""

    def render(self, context: Context) -> SafeString:
        user = getattr(context.get("request"), "user", None)
        if user is None or not user.is_authenticated:
            return super().render(context)
        return super().render(context) + format_html('<input type="hidden" name="{}" value="{}">', OWNER_FIELD, user.pk)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A drawing of `static/img/icons.svg`; without a label it is decoration and kept from screen readers."""
    source = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon icon-{}" role="img" aria-label="{}"><use href="{}"/></svg>', name, label, source
        )
    return format_html('<svg class="icon icon-{}" aria-hidden="true"><use href="{}"/></svg>', name, source)


@register.simple_tag(takes_context=True)
def nav_link(context: dict[str, Any], view: str, label: str, *, keeps_day: bool = False, also: str = "") -> SafeString:
    """A link of the main menu to a page of the plan, with its day if so asked.

    It is marked where that page is shown, one below it, or one at or below that of the view `also`.
    """
    address = reverse(view, args=[context["plan"].slug])
    below = (address, reverse(also, args=[context["plan"].slug])) if also else address
    is_here = context["request"].path.startswith(below)
    href = day_url(context, view) if keeps_day else address
    return format_html('<a href="{}"{}>{}</a>', href, mark_safe(' aria-current="page"') if is_here else "", label)


@register.simple_tag(takes_context=True)
def day_url(context: dict[str, Any], view: str, *args: Any) -> str:
    """The address of a page of the plan, with the day this page speaks of where that is not the usual one."""
    address = reverse(view, args=[context["plan"].slug, *args])
    query = context.get("query")
    return f"{address}?{urlencode(query)}" if query else address


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """The value of a mapping for a key that is a variable of the template."""
    return mapping.get(key, "")


@register.filter
def field(form: BaseForm, name: str) -> SafeString:
    """A field of a form by its name, with its label and errors."""
    return form[name].as_field_group()


@register.filter
def points(value: float | None) -> str:
    """Points of a score with one decimal where it has any: "366.7", "300"; a dash where there are none."""
    return "–" if value in (None, "") else f"{value:.1f}".removesuffix(".0")


@register.filter
def percent(value: float | None) -> str:
    """A percentage without decimals: "37 %"; a dash where there is none."""
    return "–" if value is None else f"{value:.0f} %"


@register.filter(is_safe=True)
def without_restoring(html: str) -> SafeString:
    """HTML whose forms the browser does not fill in again after Back.

    A browser restores fields by their place: ticks and inline rows would land on other records once rows are gone.
    For the forms of libraries, whose `<form>` tags no template block reaches.
    """
    return mark_safe(html.replace("<form ", '<form autocomplete="off" '))  # noqa: S308 - rendered HTML stays as it is
