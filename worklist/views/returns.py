"""The page of the sheets that came back from the units, and its buttons: ask for the others, and get their sheets."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from assignments.access import coordinators_only
from plan.lookup import find_plan
from plan.models import Period, Plan
from pmqa_tracker import clock
from pmqa_tracker.mail import is_mail_on, site_url
from pmqa_tracker.tasks.queue import find
from pmqa_tracker.views import NotFound
from worklist.models import SheetRequest
from worklist.returns.requests import AskedMeanwhileError, start_requests, start_zip
from worklist.returns.rows import Returns, UnitReturn, read_returns


@require_safe
@coordinators_only
def sheet_returns(request: HttpRequest, slug: str) -> HttpResponse:
    """Show which unit's sheet came back for `?period=`, the current one by default."""
    plan, at = find_plan(request, slug), clock.now()
    periods = _begun_periods(plan, at)
    period = _find_period(plan, periods, request.GET.get("period", ""))
    found = read_returns(plan, period, at=at) if period else None
    running = found.running if found else []
    task = find(running[0].request.task) if running else None
    context = {
        "periods": periods,
        "period": period,
        "returns": found,
        "task": task,
        "is_running": bool(running),
        "is_mail_on": is_mail_on(),
        "own_url": _page_url(plan, period),
    }
    return render(request, "worklist/returns.html#state" if request.htmx else "worklist/returns.html", context)


@require_POST
@coordinators_only
def sheet_requests(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask every unit that is still out for its sheet, by mail; with `again` also those that were asked today."""
    plan, period, found = _posted(request, slug)
    again = request.POST.get("again", "")
    if plan.why_no_reports:
        messages.error(request, plan.why_no_reports)
    elif not is_mail_on():
        messages.error(request, _("No mail server is set up, so no mail was sent. Download the sheets instead."))
    elif again and again != str(found.requests_today):
        text = _("Units were asked since you opened this page. Nothing was sent; look at the list first.")
        messages.warning(request, text)
    elif not (rows := [*found.to_ask, *(found.asked_today if again else [])]):
        messages.info(request, _("Nothing was sent: every unit that can be asked by mail has been asked today."))
    else:
        _ask(request, plan, rows)
    return redirect(_page_url(plan, period))


def _ask(request: HttpRequest, plan: Plan, rows: Sequence[UnitReturn]) -> None:
    """Ask units, and say on the next page what became of it."""
    try:
        keys = start_requests(rows, plan, by=request.user, site=site_url(request), at=clock.now())
    except AskedMeanwhileError:
        messages.warning(request, _("Somebody else is asking these units right now. Nothing was sent twice."))
        return
    made = list(SheetRequest.objects.filter(pk__in=keys).select_related("unit").order_by("pk"))
    if any(each.finished_at is None for each in made):
        messages.info(request, _("The mails are being sent. This page shows what becomes of each."))
        return
    if sent := [each for each in made if each.sent_to]:
        text = ngettext("Sent to %(count)s unit: %(names)s.", "Sent to %(count)s units: %(names)s.", len(sent))
        messages.success(request, text % {"count": len(sent), "names": ", ".join(str(each.unit) for each in sent)})
    if failures := [failure for each in made for failure in each.failures]:
        names = ", ".join(name for name, _reason in failures)
        reasons = "; ".join(dict.fromkeys(reason for _name, reason in failures))
        text = _("Not sent: %(names)s. Reason: %(reason)s")
        messages.warning(request, text % {"names": names, "reason": reasons})


@require_POST
@coordinators_only
def sheet_archive(request: HttpRequest, slug: str) -> HttpResponse:
    """Make one zip file with the sheets of the units that are still out."""
    plan, period, found = _posted(request, slug)
    if not found.out:
        messages.info(request, _("Every unit is back: there are no sheets to send."))
        return redirect(_page_url(plan, period))
    task = start_zip(found.out, plan, period, by=request.user, at=clock.now())
    return redirect("prepared", plan.slug, task.name)


def _posted(request: HttpRequest, slug: str) -> tuple[Plan, Period, Returns]:
    """Return what a posted form is about.

    Raises:
        NotFound: no period has begun.
    """
    plan, at = find_plan(request, slug), clock.now()
    period = _find_period(plan, _begun_periods(plan, at), request.POST.get("period", ""))
    if period is None:
        raise NotFound(_("No period of this plan has begun yet."))
    return plan, period, read_returns(plan, period, at=at)


def _begun_periods(plan: Plan, at: datetime) -> list[Period]:
    """Return the periods that have begun, in order."""
    begun = [period for period in plan.periods.all() if period.starts_on <= timezone.localdate(at)]
    return sorted(begun, key=lambda period: period.number)


def _find_period(plan: Plan, begun: Sequence[Period], number: str) -> Period | None:
    """Return the period with this number; without a number the last one that has begun, or None.

    Raises:
        NotFound: no such period has begun.
    """
    if not number:
        return begun[-1] if begun else None
    found = next((period for period in begun if str(period.number) == number), None)
    if found is None:
        near = [(period.label, _page_url(plan, period)) for period in begun]
        raise NotFound(_("No period %(number)s of this plan has begun.") % {"number": number[:10]}, near)
    return found


def _page_url(plan: Plan, period: Period | None) -> str:
    address = reverse("sheet_returns", args=[plan.slug])
    return f"{address}?period={period.number}" if period else address
