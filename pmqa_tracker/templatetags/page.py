"""Template tags and filters for pages: forms, icons, links, numbers. Builtins of every template."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from django import template
from django.conf import settings
from django.core.paginator import Page, Paginator
from django.forms import BaseForm
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from pmqa_tracker import page_cache
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
        if page_cache.is_kept():
            return mark_safe(page_cache.OWN_FIELDS)  # noqa: S308 - a constant
        return super().render(context) + owner_field(context.get("request"))


def owner_field(request: HttpRequest | None) -> SafeString:
    """Return the hidden field with the user who opened a form; "" for nobody."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return mark_safe("")
    return format_html('<input type="hidden" name="{}" value="{}">', OWNER_FIELD, user.pk)


def own_fields(request: HttpRequest) -> SafeString:
    """Return the hidden fields of a form for the user of a request, as `csrf_token` renders them."""
    token = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request))
    return token + owner_field(request)


@register.tag
def part(parser: Parser, token: Token) -> Node:
    """Mark a part of a page, up to `{% endpart %}`, that users may share (`plan.cached_page`).

    If the context has `parts` (`pmqa_tracker.page_cache.Parts`), it comes from there, or else is added there.
    """
    _tag, name = token.split_contents()
    nodes = parser.parse(("endpart",))
    parser.delete_first_token()
    return PartNode(name, nodes)


class PartNode(Node):
    """A part of a page that may be kept for other users."""

    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name, self.nodelist = name, nodelist

    def render(self, context: Context) -> SafeString:
        parts = context.get("parts")
        if parts is None:
            return self.nodelist.render(context)
        if self.name not in parts.html:
            with context.push(**parts.context), page_cache.keeping():
                html = self.nodelist.render(context)
            parts.html[self.name] = html
        request = context["request"]
        return mark_safe(page_cache.fill(parts.html[self.name], lambda: own_fields(request)))  # noqa: S308 - rendered


@register.tag
def once(parser: Parser, token: Token) -> Node:
    """Render what stands before `{% endonce %}` once in each language and process, for all pages.

    `{% once name=user.username slug=plan.slug %}` renders it once for each combination of these values. The block sees
    no other variable of the page, so it can show nothing that is out of date or of somebody else. The values must be
    hashable; take the part of an object that is shown.
    """
    values = token_kwargs(token.split_contents()[1:], parser)
    nodes = parser.parse(("endonce",))
    parser.delete_first_token()
    return OnceNode(nodes, values)


class OnceNode(Node):
    """The rendered texts by language and values; while debugging they are rendered anew, because files change."""

    MOST_TEXTS = 1_000

    def __init__(self, nodes: NodeList, values: Mapping[str, FilterExpression]) -> None:
        self.nodes, self.values, self.texts = nodes, values, dict[Hashable, SafeString]()

    def render(self, context: Context) -> SafeString:
        values = {name: value.resolve(context) for name, value in self.values.items()}
        # Equal values of two types, such as a text and safe HTML, are rendered differently.
        key = (get_language(), *((type(value), value) for value in values.values()))
        text = self.texts.get(key)
        if text is None or settings.DEBUG:
            text = self.nodes.render(context.new(values))
            if len(self.texts) >= self.MOST_TEXTS:
                self.texts.clear()
            self.texts[key] = text
        return text


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Render an icon of `static/img/icons.svg`; without a label it is hidden from screen readers."""
    source = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, source)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', source)


@register.simple_tag
def reference() -> SafeString:
    """Render the id of the request, which the administrator finds in the log."""
    request_id = current_request_id()
    if not request_id:
        return mark_safe("")
    return format_html('<p class="muted small">{} <b>{}</b></p>', gettext("Reference:"), request_id)


@register.filter
def section(address: str) -> str:
    """Return the part of a URL that follows the plan: "actions" of "/plans/2562-2563/actions/1.1.1-A-1/"."""
    parts = address.removeprefix(reverse("plan_list")).split("/")
    return parts[1] if len(parts) > 1 else ""


@register.filter
def urlencoded(query: Mapping[str, Any] | None) -> str:
    """Return parameters as the query of a URL."""
    return urlencode(query or {})


@register.simple_tag(takes_context=True)
def nav_link(context: dict[str, Any], view: str, label: str, *, keeps_day: bool = False, also: str = "") -> SafeString:
    """Render a link of the main menu to a page of the plan; with `keeps_day` it keeps the day of this page.

    It is marked as current on that page and the pages below it, and on those of the views in `also`, with spaces.
    Context: slug (of the plan), here (`section` of this page), day (query that selects its day).
    """
    address, *others = (reverse(each, args=[context["slug"]]) for each in [view, *also.split()])
    is_here = context["here"] in {section(each) for each in (address, *others)}
    href = f"{address}?{context['day']}" if keeps_day and context["day"] else address
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


register.filter("attributes", flatatt)


@register.filter
def options(groups: Iterable[tuple[str | None, Sequence[Mapping[str, Any]], int]]) -> SafeString:
    """Render the options of a list to choose from, which a widget has in groups: (name, options, place)."""
    parts = []
    for name, rows, _place in groups:
        values = ((row["value"], flatatt(row["attrs"]), row["label"]) for row in rows)
        found = format_html_join("", '<option value="{}"{}>{}</option>', values)
        parts.append(format_html('<optgroup label="{}">{}</optgroup>', name, found) if name else found)
    return mark_safe("".join(parts))  # noqa: S308 - rendered HTML stays as it is


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
