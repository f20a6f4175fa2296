"""งานของฉัน: what my units owe, and an update in the row."""

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
from plan.actions.views import answer_with
from plan.as_of import AsOf, on_day
from plan.lookup import find_action, find_plan
from plan.models import ActionItem, Due, Plan
from plan.updates.forms import typed_update
from plan.updates.record import record_unchanged
from plan.updates.views import UpdatePanel, answer_update, open_panel, page_addresses, why_skipped
from pmqa_tracker import clock, thai
from pmqa_tracker.typed_text import LabelledText, reads_typed_text
from submissions.grid import read_submission_grid
from worklist.queue import PageRow, WorkRow, read_rows, sort_work


@require_safe
def my(request: HttpRequest, slug: str) -> HttpResponse:
    """What my units owe, most pressing first; lead and support on a page each."""
    plan = find_plan(request, slug)
    said_of = {each.extra_tags.removeprefix("row-"): each.message for each in messages.get_messages(request)}
    context = read_my(plan, access_of(request), read_work_filter(request)) | {"said_of": said_of}
    return render(request, "worklist/my.html", context)


@reads_typed_text(typed_update)
@require_http_methods(["GET", "HEAD", "POST"])
def my_row(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """One row of it with its form open, which posts to the same address; `?closed` gives the row without its form.

    The row alone for htmx, the whole page otherwise.
    """
    plan = find_plan(request, slug)
    action = find_action(plan, ref)
    access = access_of(request)
    if not access.unit_ids or not any(part.unit_id in access.represented_units for part in action.assignments.all()):
        return _outside(request, plan, action, access)
    place = read_work_filter(request)
    addresses = row_addresses(plan, action, place)
    if request.method == "POST":
        panel = answer_update(request, plan, action, access, addresses)
    elif "closed" in request.GET:
        panel = None
    else:
        panel = open_panel(action, access, addresses, unit=place.default_unit(action, access))
    if panel and panel.update:
        if not request.htmx:
            messages.success(request, _("Recorded. %(ref)s now shows what you told.") % {"ref": action.ref})
            return redirect(f"{my_address(plan, place)}#row-{action.ref}")
        return trigger_client_event(_row(request, plan, access, place, action, None, is_recorded=True), "recorded")
    if request.htmx:
        return _row(request, plan, access, place, action, panel)
    context = read_my(plan, access, place, action=action, panel=panel)
    return render(request, "worklist/my.html", context, status=panel.status if panel else 200)


def typed_rows(request: HttpRequest) -> LabelledText:
    """(label, text) of the rows that were ticked."""
    refs = ", ".join(choice[0] for choice in map(_read_choice, request.POST.getlist("row")) if choice)
    return [(_("Rows ticked"), refs)] if refs else []


def _read_choice(value: str) -> tuple[str, int, UUID, int | None] | None:
    """(ref, version, op_id, pk of the unit or None) of a chosen row; None for what no page of ours holds."""
    try:
        ref, version, op_id = CharField().clean(value).rsplit("|", 2)
        op_id, _at, unit = op_id.partition("@")
        return ref, int(version), UUID(op_id), int(unit) if unit else None
    except (ValidationError, ValueError):
        return None


def _outside(request: HttpRequest, plan: Plan, action: ActionItem, access: Access) -> HttpResponse:
    """A row in which the person has no part, or none any more: its action's page, with what was typed."""
    addresses = page_addresses(plan, action)
    if request.method != "POST":
        address = addresses["reload_url"]
        return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
    panel = answer_update(request, plan, action, access, addresses)
    return answer_with(request, plan, panel, access, part="worklist/my.html#outside")


@reads_typed_text(typed_rows)
@require_POST
def my_unchanged(request: HttpRequest, slug: str) -> HttpResponse:
    """ไม่เปลี่ยนแปลงในงวดนี้: an update for each chosen row that says so. One row by htmx comes back as it stands now."""
    plan = find_plan(request, slug)
    access = access_of(request)
    place = read_work_filter(request)
    chosen = [choice for choice in map(_read_choice, request.POST.getlist("row")) if choice]
    actions = {action.ref: action for action in plan.actions.with_details().filter(ref__in={ref for ref, *_ in chosen})}
    rows = [(actions[ref], *choice) for ref, *choice in dict.fromkeys(chosen) if ref in actions]
    told, left = record_unchanged(rows=rows, access=access, at=clock.now())
    if request.htmx and len(told) == 1 and not left:
        return _row(request, plan, access, place, told[0].action, None, is_recorded=True)
    seen = {ref: version for ref, version, *_rest in chosen}
    why = {action.ref: why_skipped(action, seen[action.ref], access) for action in left}
    if request.htmx and len(left) == 1 and not told:
        if not read_rows(plan, access, as_of_now(plan), refs=[left[0].ref]):
            raise PermissionDenied(why[left[0].ref])
        return _row(request, plan, access, place, left[0], None, said_of=why)
    if told:
        message = ngettext(
            "No change recorded for %(count)s action.", "No change recorded for %(count)s actions.", len(told)
        )
        messages.success(request, message % {"count": len(told)})
    for ref, text in why.items():
        said = _("Not recorded for %(ref)s: %(why)s") % {"ref": ref, "why": text}
        messages.warning(request, said, extra_tags=f"row-{ref}")
    if not chosen:
        messages.warning(request, _("Choose at least one row first."))
    address = my_address(plan, place) + "".join(f"#row-{ref}" for ref in list(why)[:1])
    return HttpResponse(headers={"HX-Redirect": address}) if request.htmx else redirect(address)


@dataclass(frozen=True, kw_only=True)
class WorkFilter:
    """Which rows the page shows: the person's part in the work, and the unit they narrow it to, if any."""

    role: str
    unit: Unit | None

    @property
    def query(self) -> dict[str, str]:
        """What an address keeps to stay there."""
        query = {"role": str(self.role)} if self.role != Role.LEAD else {}
        return query | ({"unit": self.unit.abbreviation} if self.unit else {})

    def narrow(self, access: Access) -> Access:
        """The person as a member of the chosen unit alone."""
        return access.only(self.unit) if self.unit else access

    def default_unit(self, action: ActionItem, access: Access) -> Unit | None:
        """The unit that a form in a row speaks for at first; None leaves it to `Access.default_unit`."""
        own = self.narrow(access).own_units_in(action)
        leads = [unit for unit in own if access.only(unit).has_role_in(action, self.role)]
        return leads[0] if leads and (self.unit or self.role == Role.SUPPORT) else None


def read_work_filter(request: HttpRequest) -> WorkFilter:
    """The part in the work, lead unless support is asked for, and the unit, where the person is a member of it."""
    asked = thai.match_spelling(request.GET.get("role", ""), Role.values)
    role = Role.SUPPORT if asked == Role.SUPPORT else Role.LEAD
    units = {each.abbreviation: each for each in access_of(request).units}
    unit = units.get(thai.match_spelling(request.GET.get("unit", ""), units)) if len(units) > 1 else None
    return WorkFilter(role=role, unit=unit)


def as_of_now(plan: Plan) -> AsOf:
    """The plan today, with what was told until this moment."""
    return on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())


def my_address(plan: Plan, place: WorkFilter) -> str:
    """The address of งานของฉัน at a place."""
    return _with_query(reverse("my", args=[plan.slug]), place.query)


def row_addresses(plan: Plan, action: ActionItem, place: WorkFilter) -> dict[str, str]:
    """The addresses of a panel that stands in a row."""
    here = reverse("my_row", args=[plan.slug, action.ref])
    stays = _with_query(here, place.query)
    return {"post_url": stays, "reload_url": _with_query(here, place.query | {"closed": 1}), "empty_form_url": stays}


def _with_query(address: str, query: dict[str, Any]) -> str:
    return f"{address}?{urlencode(query)}" if query else address


def read_my(
    plan: Plan, access: Access, place: WorkFilter, *, action: ActionItem | None = None, panel: UpdatePanel | None = None
) -> dict[str, Any]:
    """What the page shows; with the form of one action open in its row."""
    as_of = as_of_now(plan)
    units = access.units
    if action and place.unit and place.unit not in access.own_units_in(action):
        place = replace(place, unit=None)
    access = place.narrow(access)
    rows = read_rows(plan, access, as_of) if access.unit_ids else []
    for row in rows:
        if row.action == action and place.role not in row.parts:
            place = replace(place, role=next(iter(row.parts)))
    rows = [_page_row(row, plan, access, place, panel if row.action == action else None) for row in rows]
    work = sort_work(rows, place.role)
    return {
        "as_of": as_of,
        "place": place,
        "said_of": {},
        "all_units": my_address(plan, replace(place, unit=None)),
        "by_unit": [(unit, my_address(plan, replace(place, unit=unit))) for unit in units],
        "tabs": [
            (role == Role.LEAD, my_address(plan, replace(place, role=role)), count, role == work.role)
            for role, count in work.tabs
        ],
        "stays": _with_query("", place.query),
        "units": units,
        "grid": read_submission_grid(plan, as_of, access.units) if units else None,
        "work": work,
        "can_confirm_any": any(row.choices for row in rows),
    }


def _page_row(row: WorkRow, plan: Plan, access: Access, place: WorkFilter, panel: UpdatePanel | None) -> PageRow:
    """A row as the page shows it in a role: its buttons, the collective it comes through, its form where it is open."""
    action, is_lead = row.action, place.role == Role.LEAD
    is_reported = is_lead and row.is_reported
    parts = [part for part in action.assignments.all() if part.role == place.role]
    through = next((part.unit for part in parts if part.unit_id in access.represented_units), None)
    can_confirm = (
        is_lead
        and access.may_change_status(action)
        and not is_reported
        and row.section in (Due.OVERDUE, Due.NOW, Due.UNSCHEDULED)
    )
    waiting = [duty.unit for duty in row.duties if duty.report is None and can_confirm]
    return PageRow(
        **vars(row),
        through=None if row.parts.get(place.role, True) else through,
        reported_on=max(duty.report.at for duty in row.duties) if is_reported else None,
        shown_duties=[duty for duty in row.duties if is_lead and (duty.report or row.is_at_work)],
        addresses=row_addresses(plan, action, place),
        can_report=access.may_add_result(action),
        choices=[(unit, f"{action.ref}|{action.version}|{uuid4()}@{unit.pk}") for unit in waiting],
        panel=panel,
    )


def _row(
    request: HttpRequest,
    plan: Plan,
    access: Access,
    place: WorkFilter,
    action: ActionItem,
    panel: UpdatePanel | None,
    *,
    is_recorded: bool = False,
    said_of: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A row alone; once something was recorded, the counters of the page come with it.

    `said_of` is why nothing was, by ref; the answer is then a conflict.
    """
    as_of = as_of_now(plan)
    if place.unit and place.unit not in access.own_units_in(action):
        place = replace(place, unit=None)
    access = place.narrow(access)
    rows = read_rows(plan, access, as_of, refs=None if is_recorded else [action.ref])
    row = next(each for each in rows if each.action == action)
    context = {
        "place": place,
        "stays": _with_query("", place.query),
        "plan": plan,
        "as_of": as_of,
        "row": _page_row(row, plan, access, place, panel),
        "work": sort_work(rows, place.role) if is_recorded else None,
        "is_recorded": is_recorded,
        "is_answer": True,
        "said_of": said_of or {},
    }
    status = 409 if said_of else panel.status if panel else 200
    return render(request, "worklist/my.html#answer", context, status=status)
