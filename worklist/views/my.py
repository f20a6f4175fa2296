"""Views of งานของฉัน (my work): the actions of the user's units, with the update form in the row."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import CharField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from assignments.access import Access, access_of
from plan.actions.requirements import read_requirements
from plan.actions.views import render_update_answer
from plan.cached_page import OneReader, render_cached
from plan.lookup import find_action, find_plan
from plan.models import ActionItem, Plan
from plan.updates.forms import typed_update
from plan.updates.record import record_unchanged
from plan.updates.views import UpdatePanel, answer_update, open_panel, page_form_urls, why_skipped
from pmqa_tracker import clock
from pmqa_tracker.typed_text import LabelledText, reads_typed_text
from worklist.page import MyWork, as_of_now, page_row, read_my_page, read_my_work
from worklist.queue import PageRow, next_left, read_rows
from worklist.work_filter import WorkFilter, my_url, read_work_filter, row_form_urls, unchanged_url, warn_ignored


@require_safe
def my(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the actions that the user's units lead, or with `?role=SUPPORT` support; what is left to do first.

    htmx gets everything below the filters, or the rows of the fold that `show` names.
    """
    plan, access = find_plan(request, slug), access_of(request)
    about_rows = {each.extra_tags.removeprefix("row-"): each for each in messages.get_messages(request)}
    folds, part = request.GET.getlist("show"), ""
    if request.htmx:
        part = "#work" if request.htmx.target == "work" else "#grid" if "REPORTS" in folds else "#fold_rows"

    def read() -> dict[str, Any]:
        page = read_my_page(plan, access, read_work_filter(request), folds=folds, refs=about_rows)
        page["row_messages"] = {ref: each.message for ref, each in about_rows.items() if each.level == messages.WARNING}
        page["shows_grid"] = "REPORTS" in folds
        page["fold_rows"] = page["work"].rows_of_fold(folds[0]) if folds else []
        if not part:
            warn_ignored(request, page["work_filter"])
        return page

    if not access.units:  # then the page has another frame
        return render(request, f"worklist/my.html{part}", read())
    said = [(ref, each.level, str(each.message)) for ref, each in about_rows.items()]
    reader = OneReader.of(access)
    return render_cached(request, f"worklist/my.html{part}", read, reader=reader, also=said, is_fragment=bool(part))


@reads_typed_text(typed_update)
@require_http_methods(["GET", "HEAD", "POST"])
def my_row(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """Show one row with its update form, which posts to the same URL; with `?closed` without the form.

    htmx gets only the row, other requests the whole page. `?last_text` fills in the texts of the last update.
    """
    plan = find_plan(request, slug)
    action = find_action(plan, ref)
    access = access_of(request)
    if not access.unit_ids or not any(part.unit_id in access.represented_units for part in action.assignments.all()):
        return _outside(request, plan, action, access)
    work_filter = read_work_filter(request)
    if request.method == "POST":
        panel = answer_update(request, plan, action, access, row_form_urls(plan, action, work_filter))
    elif "closed" in request.GET:
        panel = None
    else:
        panel = _open(action, access, work_filter, has_last_text="last_text" in request.GET)
    if panel and panel.update:
        return _recorded(request, plan, access, work_filter, action)
    if request.htmx:
        return _row(request, plan, access, work_filter, action, panel)
    context = read_my_page(plan, access, work_filter, action=action, panel=panel)
    return render(request, "worklist/my.html", context, status=panel.status if panel else 200)


def _open(action: ActionItem, access: Access, work_filter: WorkFilter, *, has_last_text: bool = False) -> UpdatePanel:
    """Return the form of a row."""
    urls, unit = row_form_urls(action.plan, action, work_filter), work_filter.default_unit(action, access)
    return open_panel(action, access, urls, unit=unit, has_last_text=has_last_text)


def _recorded(
    request: HttpRequest, plan: Plan, access: Access, work_filter: WorkFilter, action: ActionItem
) -> HttpResponse:
    """Answer a recorded update. A form sent with `next`, the section of its row, opens the next row that is left."""
    shown = read_my_work(plan, access, work_filter, action=action)
    section, row = request.POST.get("next"), shown.row_of(action)
    after = next_left(shown.work, shown.rows, row, section) if section and shown.work.role in row.parts else None
    if request.htmx:
        if after:
            read_requirements([after.action])
            after = replace(after, panel=_open(after.action, shown.access, shown.work_filter))
        return trigger_client_event(_recorded_row(request, plan, shown, row, after), "recorded")
    message = _("Recorded. %(ref)s now shows your update.") % {"ref": action.ref}
    if after:
        messages.success(request, message)
        return redirect(f"{after.form_urls['empty_form_url']}#row-{after.action.ref}")
    messages.success(request, message, extra_tags=f"row-{action.ref}")
    return redirect(f"{my_url(plan, work_filter)}#row-{action.ref}")


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
    actions = {action.ref: action for action in plan.actions.with_units().filter(ref__in={ref for ref, *_ in chosen})}
    rows = [(actions[ref], *choice) for ref, *choice in dict.fromkeys(chosen) if ref in actions]
    recorded, skipped = record_unchanged(rows=rows, access=access, at=clock.now())
    if request.htmx and len(recorded) == 1 and not skipped:
        shown = read_my_work(plan, access, work_filter, action=recorded[0].action)
        return _recorded_row(request, plan, shown, shown.row_of(recorded[0].action))
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


def _recorded_row(
    request: HttpRequest, plan: Plan, shown: MyWork, row: PageRow, after: PageRow | None = None
) -> HttpResponse:
    """Render a recorded row for htmx, with the counters of the page and the bell, and the open row `after`."""
    context = {
        "work_filter": shown.work_filter,
        "unchanged_url": unchanged_url(plan, shown.work_filter),
        "plan": plan,
        "as_of": shown.as_of,
        "work": shown.work,
        "row": row,
        "after": after,
        "is_recorded": True,
        "is_answer": True,
        "row_messages": {},
    }
    return render(request, "worklist/my.html#recorded", context)


def _row(
    request: HttpRequest,
    plan: Plan,
    access: Access,
    work_filter: WorkFilter,
    action: ActionItem,
    panel: UpdatePanel | None,
    *,
    row_messages: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Render one row for htmx; `row_messages` (ref → why nothing was recorded) makes the status 409."""
    work_filter = work_filter.showing(action, access)
    access = work_filter.narrow(access)
    (row,) = read_rows(plan, access, as_of_now(plan), refs=[action.ref])
    context = {
        "work_filter": work_filter,
        "unchanged_url": unchanged_url(plan, work_filter),
        "plan": plan,
        "row": page_row(row, plan, access, work_filter, panel),
        "is_answer": True,
        "row_messages": row_messages or {},
    }
    status = 409 if row_messages else panel.status if panel else 200
    return render(request, "worklist/my.html#row", context, status=status)
