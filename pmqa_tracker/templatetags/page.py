"""Template tags and filters for pages: forms, icons, links, numbers. Builtins of every template."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.conf import settings
from django.core.paginator import Page, Paginator
from django.forms import BaseForm
from django.template.base import Node, NodeList, Parser, Token
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from pmqa_tracker.help.chapters import SECTION_OF_PAGE
from pmqa_tracker.history import who_changed, why_changed
from pmqa_tracker.request_log import current_request_id
from pmqa_tracker.views import OWNER_FIELD

register = template.Library()


@register.tag
def csrf_token(parser: Parser, token: Token) -> Node:
    """Render Django's CSRF field, and a hidden field with the user who opened the form (`OwnerMiddleware`)."""
    return OwnedFormNode()


class OwnedFormNode(CsrfTokenNode):
    """The hidden fields at the start of every POST form."""

    def render(self, context: Context) -> SafeString:
        user = getattr(context.get("request"), "user", None)
        if user is None or not user.is_authenticated:
            return super().render(context)
        return super().render(context) + format_html('<input type="hidden" name="{}" value="{}">', OWNER_FIELD, user.pk)


@register.tag
def once(parser: Parser, token: Token) -> Node:
    """Render what stands before `{% endonce %}` once in each language and process, without any variable of the page.

    For parts that are the same for everybody, such as the links to static files.
    """
    nodes = parser.parse(("endonce",))
    parser.delete_first_token()
    return OnceNode(nodes)


class OnceNode(Node):
    """The rendered text by language; while debugging it is rendered anew, because files change."""

    def __init__(self, nodes: NodeList) -> None:
        self.nodes, self.texts = nodes, dict[str | None, SafeString]()

    def render(self, context: Context) -> SafeString:
        language = get_language()
        if language not in self.texts or settings.DEBUG:
            self.texts[language] = self.nodes.render(context.new({}))
        return self.texts[language]


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Render an icon of `static/img/icons.svg`; without a label it is hidden from screen readers."""
    source = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon icon-{}" role="img" aria-label="{}"><use href="{}"/></svg>', name, label, source
        )
    return format_html('<svg class="icon icon-{}" aria-hidden="true"><use href="{}"/></svg>', name, source)


@register.simple_tag
def reference() -> SafeString:
    """Render the id of the request, which the administrator finds in the log."""
    request_id = current_request_id()
    if not request_id:
        return mark_safe("")
    return format_html('<p class="muted small">{} <b>{}</b></p>', gettext("Reference:"), request_id)


@register.simple_tag(takes_context=True)
def nav_link(context: dict[str, Any], view: str, label: str, *, keeps_day: bool = False, also: str = "") -> SafeString:
    """Render a link of the main menu to a page of the plan; with `keeps_day` it keeps the day of this page.

    It is marked as current on that page and the pages below it, and on those of the views in `also`, with spaces.
    """
    address = reverse(view, args=[context["plan"].slug])
    below = tuple(reverse(each, args=[context["plan"].slug]) for each in [view, *also.split()])
    is_here = context["request"].path.startswith(below)
    href = day_url(context, view) if keeps_day else address
    return format_html('<a href="{}"{}>{}</a>', href, mark_safe(' aria-current="page"') if is_here else "", label)


@register.simple_tag(takes_context=True)
def day_url(context: dict[str, Any], view: str, *args: Any) -> str:
    """Return the URL of a page of the plan; it keeps the query of this page that selects another day."""
    address = reverse(view, args=[context["plan"].slug, *args])
    query = context.get("query")
    return f"{address}?{urlencode(query)}" if query else address


@register.simple_tag(takes_context=True)
def help_url(context: dict[str, Any], section: str = "") -> str:
    """Return the URL of a section of the manual, “chapter#anchor”; by default of the one that explains this page."""
    match = context["request"].resolver_match
    chapter, _hash, anchor = (section or SECTION_OF_PAGE.get(match and match.url_name, "")).partition("#")
    return reverse("help_chapter", args=[chapter]) + f"#{anchor}" if chapter else reverse("help")


@register.simple_tag(takes_context=True)
def page_of(context: dict[str, Any], rows: Sequence[Any], parameter: str, size: int) -> Page:
    """Return the page of rows that a URL parameter selects; the first one if it is missing."""
    return Paginator(rows, size).get_page(context["request"].GET.get(parameter))


@register.simple_tag(takes_context=True)
def page_url(context: dict[str, Any], number: int, parameter: str) -> str:
    """Return the URL of another page of the same rows, with all other parameters of this page.

    It leads to the element whose id is the parameter, unless that is "page", for the only list of a page.
    """
    query = context["request"].GET.copy()
    query[parameter] = number
    return f"?{query.urlencode()}" + ("" if parameter == "page" else f"#{parameter}")


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """Return the value of a mapping for a key in a template variable; "" if the key is missing."""
    return mapping.get(key, "")


@register.filter
def field(form: BaseForm, name: str) -> SafeString:
    """Render a form field by its name, with its label and errors."""
    return form[name].as_field_group()


register.filter(who_changed)
register.filter(why_changed)


@register.filter
def points(value: float | None) -> str:
    """Format points of a score: "366.7", "300"; a dash for None."""
    return "–" if value in (None, "") else f"{value:.1f}".removesuffix(".0")


@register.filter
def percent(value: float | None) -> str:
    """Format a percentage without decimals: "37 %"; a dash for None."""
    return "–" if value is None else f"{value:.0f} %"


@register.filter(is_safe=True)
def without_restoring(html: str) -> SafeString:
    """Turn off the browser's restoring of form fields after Back, in the HTML of a library's form.

    Browsers restore fields by position: after a row is deleted, ticks and inline rows would land on other records. Use
    this where no template block contains the `<form>` tag.
    """
    return mark_safe(html.replace("<form ", '<form autocomplete="off" '))  # noqa: S308 - rendered HTML stays as it is
