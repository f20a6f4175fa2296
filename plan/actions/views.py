"""Views of the list of actions, and the page of one action with its history and update form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import BigAutoField, Count, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.encoding import uri_to_iri
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from assignments.access import Access, access_of
from plan.actions.columns import COLUMNS, TEXT, headings, keep_columns, read_columns
from plan.actions.filters import ActionFilter
from plan.actions.requirements import read_requirements
from plan.actions.rows import ROW_FIELDS, build_rows
from plan.actions.table import action_table
from plan.as_of import AsOf, on_day
from plan.cached_page import OneReader, render_cached
from plan.downloads import list_notes, send_list
from plan.lookup import comparison_days, day_query, find_action, find_plan, read_as_of, read_since, warn_ignored_filters
from plan.models import ActionItem, Due, Plan
from plan.models.action import ActionItemQuerySet
from plan.models.duties import read_updated
from plan.updates.forms import typed_update
from plan.updates.history import read_update_history
from plan.updates.views import UpdatePanel, answer_update, open_panel, page_form_urls
from pmqa_tracker import clock, thai
from pmqa_tracker.prepared import Given, read_prepared
from pmqa_tracker.typed_text import reads_typed_text
from spreadsheets.downloads import capture_messages

PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class ActionListing:
    """The rows of the action list for a URL: filtered, ordered, and annotated as of its day."""

    plan: Plan
    as_of: AsOf
    since: AsOf
    filter: ActionFilter

    @property
    def actions(self) -> ActionItemQuerySet:
        """The query of the rows."""
        actions = self.filter.qs
        return actions if actions.query.order_by else actions.in_order()

    def count(self) -> int:
        """Return the number of rows, for a paginator."""

        def build() -> QuerySet[Any]:
            return self.actions.order_by().values("plan").annotate(number=Count("pk")).values_list("number")

        return sum(number for (number,) in read_prepared(("number of rows", self.plan.pk, self.filter.key), build))

    def __getitem__(self, places: slice) -> list[Any]:
        """Return rows of the page, for a paginator: named tuples of `ROW_FIELDS`."""
        key = ("list", self.plan.pk, self.filter.key, places.start, places.stop)
        return read_prepared(key, lambda: self.actions.values_list(*ROW_FIELDS, named=True)[places])


def read_action_listing(request: HttpRequest, plan: Plan) -> ActionListing:
    """Read the list that the URL asks for; add a warning for the parameters that are ignored."""
    as_of = read_as_of(request, plan)
    since = read_since(request, plan, as_of, comparison_days(plan, as_of))
    action_filter = ActionFilter(request.GET, plan, as_of=as_of, since=since)
    warn_ignored_filters(request, action_filter, also=("page", "filters"))
    return ActionListing(plan=plan, as_of=as_of, since=since, filter=action_filter)


@require_safe
def action_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The list of actions, filtered and ordered by the URL, with the columns the user has chosen.

    htmx gets only the rows, or with `filters` the less common filters. With `columns`, the browser keeps them.
    """
    plan = find_plan(request, slug)
    if "columns" in request.GET:
        return keep_columns(request)
    part = ("#filters" if "filters" in request.GET else "#rows") if request.htmx else ""
    columns = read_columns(request)
    read = partial(_list_context, request, plan, columns)
    return render_cached(request, f"plan/action_list.html{part}", read, also=columns, is_fragment=bool(part))


def _list_context(request: HttpRequest, plan: Plan, columns: Sequence[str]) -> dict[str, Any]:
    """Read the context of the list; `new_messages` are for an answer to htmx."""
    listing = read_action_listing(request, plan)
    page = Paginator(listing, PAGE_SIZE).get_page(request.GET.get("page"))
    query, new = day_query(plan, listing.as_of), messages.get_messages(request).added_new
    page.object_list = build_rows(
        page.object_list,
        plan,
        listing.as_of,
        columns,
        lambda name: unit_url(plan, name, query),
        listing.filter.reporters,
    )
    return {
        "as_of": listing.as_of,
        "since": listing.since,
        "filter": listing.filter,
        "page": page,
        "columns": columns,
        "offered_columns": [(name, label) for name, (label, _sort) in COLUMNS.items() if name != TEXT],
        "headings": headings(request, columns, str(listing.filter.active.get("sort", ""))),
        "query": query,
        "new_messages": messages.get_messages(request) if new else (),
        "shows_filters": "filters" in request.GET or listing.filter.is_deep,
        "is_today": listing.as_of.day == clock.today(),
    }


def unit_url(plan: Plan, abbreviation: str, query: Mapping[str, str]) -> str:
    """Return the URL of a unit of the plan, with Thai letters as they are; `query` selects the day."""
    address = uri_to_iri(reverse("unit_detail", args=[plan.slug, abbreviation]))
    return f"{address}?{urlencode(query)}" if query else address


@reads_typed_text(typed_update)
@require_http_methods(["GET", "HEAD", "POST"])
def action_detail(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """One action: its criterion, units, schedule and progress, and its update form, which posts to the same URL."""
    plan = find_plan(request, slug)
    access = access_of(request)
    if request.htmx and "text" in request.GET:  # a row of the list was opened
        return HttpResponse(escape(find_action(plan, ref).text))
    if request.method != "POST":
        read = partial(_open_detail, request, plan, ref, access)
        return render_cached(request, "plan/action_detail.html", read, reader=OneReader.of(access))
    action = find_action(plan, ref)
    panel = answer_update(request, plan, action, access, page_form_urls(plan, action))
    return render_update_answer(request, plan, panel, access, part="plan/action_detail.html#update")


def _open_detail(request: HttpRequest, plan: Plan, ref: str, access: Access) -> dict[str, Any]:
    """Read the context of the page of an action with an empty form.

    Raises:
        NotFound: it does not exist; the page offers the most similar refs.
    """
    action = find_action(plan, ref)
    panel = open_panel(action, access, page_form_urls(plan, action), has_last_text="last_text" in request.GET)
    return read_detail(request, plan, panel, access)


def render_update_answer(
    request: HttpRequest, plan: Plan, panel: UpdatePanel, access: Access, *, part: str
) -> HttpResponse:
    """Answer a posted update: redirect to the action, or show the form again; for htmx, only the template `part`."""
    action = panel.action
    if panel.update is None:
        if request.htmx:
            return render(request, part, {"plan": plan, "action": action, "panel": panel}, status=panel.status)
        context = read_detail(request, plan, panel, access)
        return render(request, "plan/action_detail.html", context, status=panel.status)
    messages.success(request, _("Recorded. %(ref)s now shows your update.") % {"ref": action.ref})
    url = reverse("action_detail", args=[plan.slug, action.ref])
    if not request.htmx:
        return redirect(url)
    return trigger_client_event(HttpResponseClientRedirect(url), "recorded")


def read_detail(request: HttpRequest, plan: Plan, panel: UpdatePanel, access: Access) -> dict[str, Any]:
    """Return the context of the page of an action."""
    action: ActionItem = panel.action
    read_requirements([action])
    as_of = on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())

    def build() -> QuerySet[Any]:
        chosen = ActionItem.objects.filter(pk=Given("pk", BigAutoField()))
        return chosen.as_of(as_of).values("due", "health", "expected_on", "updated_at")

    (standing,) = read_prepared(("standing", as_of.key), build, pk=action.pk)
    if standing["due"] == Due.OVERDUE:
        standing["updated_on"] = read_updated({action.pk: standing["updated_at"]}, as_of).get(action.pk)
    verdicts = plan.assessment.verdicts.filter(requirement__actions=action).select_related("requirement")
    return {
        "as_of": as_of,
        "action": action,
        "standing": standing,
        "verdicts": verdicts.order_by("requirement__level"),
        "history": read_update_history(action, access, unit=request.GET.get("unit", "")),
        "panel": panel,
    }


@require_safe
def action_list_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """Download the list of actions; takes the parameters of its page."""
    plan = find_plan(request, slug)
    captured = capture_messages(request)
    listing = read_action_listing(request, plan)
    since = []
    if "change" in listing.filter.active:
        since = [_("Compared with %(day)s") % {"day": thai.format_date(listing.since.day)}]
    notes = list_notes(plan, listing.as_of.day, [*listing.filter.descriptions, *since], captured.lines)
    return send_list(action_table(plan, listing.actions, listing.as_of, notes=notes), plan, listing.as_of.day)
