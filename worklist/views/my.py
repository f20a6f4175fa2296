"""Views of งานของฉัน (my work): the actions of the user's units, with the update form in the row."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import CharField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from assignments.access import Access, access_of
from assignments.models import Role, Unit
from plan.actions.views import render_update_answer
from plan.as_of import AsOf, on_day
from plan.lookup import find_action, find_plan
from plan.models import ActionItem, Due, Plan
from plan.updates.forms import typed_update
from plan.updates.record import record_unchanged
from plan.updates.views import UpdatePanel, answer_update, open_panel, page_form_urls, why_skipped
from pmqa_tracker import clock, thai
from pmqa_tracker.typed_text import LabelledText, reads_typed_text
from submissions.grid import read_submission_grid
from worklist.queue import PageRow, WorkRow, build_work, read_rows


@require_safe
def my(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the actions that the user's units lead, or with `?role=SUPPORT` support, most pressing first."""
    plan = find_plan(request, slug)
    row_messages = {each.extra_tags.removeprefix("row-"): each.message for each in messages.get_messages(request)}
    context = read_my_page(plan, access_of(request), read_work_filter(request)) | {"row_messages": row_messages}
    return render(request, "worklist/my.html", context)


@reads_typed_text(typed_update)
@require_http_methods(["GET", "HEAD", "POST"])
def my_row(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """Show one row with its update form, which posts to the same URL; with `?closed` without the form.

    htmx gets only the row, other requests the whole page.
    """
    plan = find_plan(request, slug)
    action = find_action(plan, ref)
    access = access_of(request)
    if not access.unit_ids or not any(part.unit_id in access.represented_units for part in action.assignments.all()):
        return _outside(request, plan, action, access)
    work_filter = read_work_filter(request)
    form_urls = row_form_urls(plan, action, work_filter)
    if request.method == "POST":
        panel = answer_update(request, plan, action, access, form_urls)
    elif "closed" in request.GET:
        panel = None
    else:
        panel = open_panel(action, access, form_urls, unit=work_filter.default_unit(action, access))
    if panel and panel.update:
        if not request.htmx:
            messages.success(request, _("Recorded. %(ref)s now shows your update.") % {"ref": action.ref})
            return redirect(f"{my_url(plan, work_filter)}#row-{action.ref}")
        return trigger_client_event(
            _row(request, plan, access, work_filter, action, None, is_recorded=True), "recorded"
        )
    if request.htmx:
        return _row(request, plan, access, work_filter, action, panel)
    context = read_my_page(plan, access, work_filter, action=action, panel=panel)
    return render(request, "worklist/my.html", context, status=panel.status if panel else 200)


def typed_rows(request: HttpRequest) -> LabelledText:
    """Return (label, text) of the ticked rows, for a page that refuses the form."""
    refs = ", ".join(choice[0] for choice in map(_read_choice, request.POST.getlist("row")) if choice)
    return [(_("Rows ticked"), refs)] if refs else []


def _read_choice(value: str) -> tuple[str, int, UUID, int | None] | None:
    """Parse the value of a chosen row into (ref, version, op_id, unit pk or None); return None if it is malformed."""
    try:
        ref, version, op_id = CharField().clean(value).rsplit("|", 2)
        op_id, _at, unit = op_id.partition("@")
        return ref, int(version), UUID(op_id), int(unit) if unit else None
    except (ValidationError, ValueError):
        return None


def _outside(request: HttpRequest, plan: Plan, action: ActionItem, access: Access) -> HttpResponse:
    """Answer for a row in which the user's units have no role (any more): the action's page, with the typed text."""
    form_urls = page_form_urls(plan, action)
    if request.method != "POST":
        address = form_urls["reload_url"]
        return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
    panel = answer_update(request, plan, action, access, form_urls)
    return render_update_answer(request, plan, panel, access, part="worklist/my.html#outside")


@reads_typed_text(typed_rows)
@require_POST
def my_unchanged(request: HttpRequest, slug: str) -> HttpResponse:
    """Record "no change in this period" for each chosen row. htmx gets the row back if it is only one."""
    plan = find_plan(request, slug)
    access = access_of(request)
    work_filter = read_work_filter(request)
    chosen = [choice for choice in map(_read_choice, request.POST.getlist("row")) if choice]
    actions = {action.ref: action for action in plan.actions.with_details().filter(ref__in={ref for ref, *_ in chosen})}
    rows = [(actions[ref], *choice) for ref, *choice in dict.fromkeys(chosen) if ref in actions]
    recorded, skipped = record_unchanged(rows=rows, access=access, at=clock.now())
    if request.htmx and len(recorded) == 1 and not skipped:
        return _row(request, plan, access, work_filter, recorded[0].action, None, is_recorded=True)
    seen = {ref: version for ref, version, *_rest in chosen}
    why = {action.ref: why_skipped(action, seen[action.ref], access) for action in skipped}
    if request.htmx and len(skipped) == 1 and not recorded:
        if not read_rows(plan, access, as_of_now(plan), refs=[skipped[0].ref]):
            raise PermissionDenied(why[skipped[0].ref])
        return _row(request, plan, access, work_filter, skipped[0], None, row_messages=why)
    if recorded:
        message = ngettext(
            "No change recorded for %(count)s action.", "No change recorded for %(count)s actions.", len(recorded)
        )
        messages.success(request, message % {"count": len(recorded)})
    for ref, text in why.items():
        message = _("Not recorded for %(ref)s: %(why)s") % {"ref": ref, "why": text}
        messages.warning(request, message, extra_tags=f"row-{ref}")
    if not chosen:
        messages.warning(request, _("Choose at least one row first."))
    url = my_url(plan, work_filter) + "".join(f"#row-{ref}" for ref in list(why)[:1])
    return HttpResponse(headers={"HX-Redirect": url}) if request.htmx else redirect(url)


@dataclass(frozen=True, kw_only=True)
class WorkFilter:
    """Role and unit that the page is narrowed to; `unit` is None for all units of the user."""

    role: str
    unit: Unit | None

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that keep the filter."""
        query = {"role": str(self.role)} if self.role != Role.LEAD else {}
        return query | ({"unit": self.unit.abbreviation} if self.unit else {})

    def narrow(self, access: Access) -> Access:
        """Return the access of the user as a member of the chosen unit only."""
        return access.as_member_of(self.unit) if self.unit else access

    def default_unit(self, action: ActionItem, access: Access) -> Unit | None:
        """Return the unit that a form in a row reports for by default; None leaves it to `Access.default_unit`."""
        own = self.narrow(access).own_units_in(action)
        leads = [unit for unit in own if access.as_member_of(unit).has_role_in(action, self.role)]
        return leads[0] if leads and (self.unit or self.role == Role.SUPPORT) else None


def read_work_filter(request: HttpRequest) -> WorkFilter:
    """Read role (default: lead) and unit from the request. Units of which the user is no member are ignored."""
    asked = thai.match_spelling(request.GET.get("role", ""), Role.values)
    role = Role.SUPPORT if asked == Role.SUPPORT else Role.LEAD
    units = {each.abbreviation: each for each in access_of(request).units}
    unit = units.get(thai.match_spelling(request.GET.get("unit", ""), units)) if len(units) > 1 else None
    return WorkFilter(role=role, unit=unit)


def as_of_now(plan: Plan) -> AsOf:
    """Return today as the day of the plan, with all updates until now."""
    return on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())


def my_url(plan: Plan, work_filter: WorkFilter) -> str:
    """Return the URL of งานของฉัน with a filter."""
    return _with_query(reverse("my", args=[plan.slug]), work_filter.query)


def row_form_urls(plan: Plan, action: ActionItem, work_filter: WorkFilter) -> dict[str, str]:
    """Return the URLs of an update form in a row; see `UpdatePanel`."""
    row_url = reverse("my_row", args=[plan.slug, action.ref])
    form_url = _with_query(row_url, work_filter.query)
    closed_url = _with_query(row_url, work_filter.query | {"closed": 1})
    return {"post_url": form_url, "reload_url": closed_url, "empty_form_url": form_url}


def _with_query(url: str, query: dict[str, Any]) -> str:
    return f"{url}?{urlencode(query)}" if query else url


def read_my_page(
    plan: Plan,
    access: Access,
    work_filter: WorkFilter,
    *,
    action: ActionItem | None = None,
    panel: UpdatePanel | None = None,
) -> dict[str, Any]:
    """Return the context of the page; `action` is the row to open, `panel` its form."""
    as_of = as_of_now(plan)
    units = access.units
    if action and work_filter.unit and work_filter.unit not in access.own_units_in(action):
        work_filter = replace(work_filter, unit=None)
    access = work_filter.narrow(access)
    rows = read_rows(plan, access, as_of) if access.unit_ids else []
    for row in rows:
        if row.action == action and work_filter.role not in row.parts:
            work_filter = replace(work_filter, role=next(iter(row.parts)))
    rows = [_page_row(row, plan, access, work_filter, panel if row.action == action else None) for row in rows]
    work = build_work(rows, work_filter.role)
    return {
        "as_of": as_of,
        "work_filter": work_filter,
        "row_messages": {},
        "all_units": my_url(plan, replace(work_filter, unit=None)),
        "by_unit": [(unit, my_url(plan, replace(work_filter, unit=unit))) for unit in units],
        "tabs": [
            (role == Role.LEAD, my_url(plan, replace(work_filter, role=role)), count, role == work.role)
            for role, count in work.tabs
        ],
        "query_string": _with_query("", work_filter.query),
        "units": units,
        "grid": read_submission_grid(plan, as_of, access.units) if units else None,
        "work": work,
        "can_confirm_any": any(row.unit_choices for row in rows),
    }


def _page_row(row: WorkRow, plan: Plan, access: Access, work_filter: WorkFilter, panel: UpdatePanel | None) -> PageRow:
    """Return a row as the page shows it in the filter's role, with its form in `panel` if it is open."""
    action, is_lead = row.action, work_filter.role == Role.LEAD
    has_all_updates = is_lead and row.has_all_updates
    parts = [part for part in action.assignments.all() if part.role == work_filter.role]
    collective = next((part.unit for part in parts if part.unit_id in access.represented_units), None)
    can_confirm = (
        is_lead
        and access.may_change_status(action)
        and not has_all_updates
        and row.section in (Due.OVERDUE, Due.NOW, Due.UNSCHEDULED)
    )
    waiting = [duty.unit for duty in row.duties if duty.update is None and can_confirm]
    return PageRow(
        **vars(row),
        collective=None if row.parts.get(work_filter.role, True) else collective,
        updated_on=max(duty.update.at for duty in row.duties) if has_all_updates else None,
        shown_duties=[duty for duty in row.duties if is_lead and (duty.update or row.is_at_work)],
        form_urls=row_form_urls(plan, action, work_filter),
        can_report=access.may_add_result(action),
        unit_choices=[(unit, f"{action.ref}|{action.version}|{uuid4()}@{unit.pk}") for unit in waiting],
        panel=panel,
    )


def _row(
    request: HttpRequest,
    plan: Plan,
    access: Access,
    work_filter: WorkFilter,
    action: ActionItem,
    panel: UpdatePanel | None,
    *,
    is_recorded: bool = False,
    row_messages: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Render one row for htmx.

    Args:
        is_recorded: an update was recorded; the row comes with the counters of the page and the bell.
        row_messages: ref → why nothing was recorded; the status is then 409.
    """
    as_of = as_of_now(plan)
    if work_filter.unit and work_filter.unit not in access.own_units_in(action):
        work_filter = replace(work_filter, unit=None)
    access = work_filter.narrow(access)
    rows = read_rows(plan, access, as_of, refs=None if is_recorded else [action.ref])
    row = next(each for each in rows if each.action == action)
    context = {
        "work_filter": work_filter,
        "query_string": _with_query("", work_filter.query),
        "plan": plan,
        "as_of": as_of,
        "row": _page_row(row, plan, access, work_filter, panel),
        "work": build_work(rows, work_filter.role) if is_recorded else None,
        "is_recorded": is_recorded,
        "is_answer": True,
        "row_messages": row_messages or {},
    }
    status = 409 if row_messages else panel.status if panel else 200
    return render(request, "worklist/my.html#answer", context, status=status)
