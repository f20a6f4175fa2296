"""Views of the submissions: the grid of all units, and one submission with the forms to send and review it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from assignments.access import Access, access_of
from assignments.models import Unit, User
from assignments.unit_names import find_unit_by_name
from plan.as_of import AsOf, on_day
from plan.downloads import list_notes, send_list
from plan.lookup import find_plan
from plan.models import Period, Plan
from plan.updates.record import check_takes_reports
from pmqa_tracker import clock
from pmqa_tracker.forms import WriteOnceForm, with_new_op_id
from pmqa_tracker.typed_text import reads_typed_text
from pmqa_tracker.views import NotFound
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError
from submissions.forms import ACCEPT, RETURN, SEND, ReviewForm, SendForm, SubmissionStepForm, typed_step
from submissions.grid import SubmissionGrid, read_submission_grid
from submissions.models import Submission, SubmissionState
from submissions.page import SubmissionPage, read_submission_page
from submissions.steps import (
    accept_submission,
    check_may_review,
    check_may_send,
    return_submission,
    send_submission,
    submission_day,
)
from submissions.table import submission_table


@dataclass(frozen=True, kw_only=True)
class SubmissionAddress:
    """The submission that a URL names, and the access of the user who opens it."""

    plan: Plan
    unit: Unit
    period: Period
    as_of: AsOf
    access: Access

    @property
    def url(self) -> str:
        return reverse("period_report", args=[self.plan.slug, self.unit.abbreviation, self.period.number])


@require_safe
def submission_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the page การส่งรายงาน: submissions that wait for review, and the grid of all units and periods."""
    plan = find_plan(request, slug)
    as_of, grid = read_plan_grid(plan)
    context = {"as_of": as_of, "grid": grid, "idle": grid.idle}
    return render(request, "submissions/submission_list.html", context)


def read_plan_grid(plan: Plan) -> tuple[AsOf, SubmissionGrid]:
    """Return today as the day of the plan, and the grid of all divisions in use."""
    as_of = on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())
    return as_of, read_submission_grid(plan, as_of, list(plan.organization.units.divisions().active().in_order()))


@reads_typed_text(typed_step)
@require_http_methods(["GET", "HEAD", "POST"])
def submission_detail(request: HttpRequest, slug: str, unit: str, period: int) -> HttpResponse:
    """Show the submission of a unit for a period; its forms post to the same URL."""
    plan = find_plan(request, slug)
    found_unit, found_period = _find_unit(plan, unit, period), _find_period(plan, unit, period)
    as_of = submission_day(plan, found_period, clock.now())
    address = SubmissionAddress(plan=plan, unit=found_unit, period=found_period, as_of=as_of, access=access_of(request))
    if request.method == "POST":
        return _answer_step(request, address)
    return render(request, "submissions/submission_detail.html", _context(address, _read_page(address)))


def _read_page(address: SubmissionAddress) -> SubmissionPage:
    return read_submission_page(address.plan, address.unit, address.period, address.as_of)


def _answer_step(request: HttpRequest, address: SubmissionAddress) -> HttpResponse:
    """Send or review the submission; if that is refused, the page keeps the typed text."""
    page = _read_page(address)
    form = _bind(request.POST, page, request.user)
    try:
        check_takes_reports(address.plan)
        if isinstance(form, SendForm):
            check_may_send(address.unit, address.access)
        else:
            check_may_review(address.access)
        if not form.is_valid() and not form.is_stale:
            return _refuse(request, address, page, form, status=422)
        if not form.is_intact:
            raise StaleVersionError(page.submission)
        _write(address, page, form)
    except ValidationError as error:
        form.add_error(None, error)
        return _refuse(request, address, page, form, status=422)
    except NotAllowedError as error:
        context = _context(address, page) | {"refusal": str(error), "typed": form.typed_text()}
        return render(request, "submissions/submission_detail.html", context, status=403)
    except StaleVersionError:
        return _conflict(request, address, form)
    return _redirect_after(request, address, form)


def _bind(posted: Any, page: SubmissionPage, user: User) -> SubmissionStepForm:
    if posted.get("do") == SEND:
        return SendForm(posted, version=page.version, user=user, waiting=page.rows_needing_update)
    return ReviewForm(posted, version=page.version, user=user, rows=page.sent)


def _write(address: SubmissionAddress, page: SubmissionPage, form: SubmissionStepForm) -> None:
    """Write the step of a valid form."""
    values = {name: form.cleaned_data[name] for name in ("version", "op_id")}
    values |= {"access": address.access, "at": clock.now(), "note": form.cleaned_data.get("note", "")}
    submission = page.submission or Submission(unit=address.unit, period=address.period)
    if isinstance(form, SendForm):
        send_submission(unit=address.unit, period=address.period, as_of=address.as_of, **values)
    elif form.data.get("do") == RETURN:
        return_submission(submission=submission, reasons=form.reasons(), **values)
    elif form.data.get("do") == ACCEPT:
        accept_submission(submission=submission, **values)
    else:
        raise StaleVersionError(submission)


def _redirect_after(request: HttpRequest, address: SubmissionAddress, form: SubmissionStepForm) -> HttpResponse:
    """Redirect with a message after a step was recorded."""
    names = {"unit": address.unit, "period": address.period.label}
    texts = {
        SEND: _("Sent. The report of %(unit)s for %(period)s now waits for the coordinator's review."),
        ACCEPT: _("The report of %(unit)s for %(period)s is accepted."),
        RETURN: _("Returned: the actions to be corrected for %(period)s are now at the top of the work of %(unit)s."),
    }
    do = form.data["do"]
    messages.success(request, texts[do] % names)
    return redirect(address.url if do == SEND else reverse("reporting", args=[address.plan.slug]))


def _refuse(
    request: HttpRequest, address: SubmissionAddress, page: SubmissionPage, form: SubmissionStepForm, *, status: int
) -> HttpResponse:
    """Render the page with the posted form and its errors."""
    if not form.is_intact:
        form.data = with_new_op_id(form.data, page.version)
        form.add_error(None, _("The form arrived incomplete. Your text is still in it; press the button again."))
    context = _context(address, page, form)
    context["errors"] = [
        error for name, errors in form.errors.items() if name not in WriteOnceForm.base_fields for error in errors
    ]
    if form not in (context["send_form"], context["review_form"]):
        context["typed"] = form.typed_text()
    context["errors_at"] = next((name for name in ("send", "review") if context[f"{name}_form"] is form), "")
    return render(request, "submissions/submission_detail.html", context, status=status)


def _conflict(request: HttpRequest, address: SubmissionAddress, sent: SubmissionStepForm) -> HttpResponse:
    """Render the conflict page: the other user's steps next to the typed text."""
    page = _read_page(address)
    seen = sent.cleaned_data.get("version", 0)
    form = _bind(with_new_op_id(request.POST, page.version), page, request.user)
    context = _context(address, page, form)
    is_shown = form in (context["send_form"], context["review_form"])
    newer_steps = [step for step in page.steps if step.version > seen]
    context |= {
        "is_stale": True,
        "is_own": bool(newer_steps) and all(step.by_id == request.user.pk for step in newer_steps),
        "newer_steps": newer_steps,
        "typed": form.orphaned_reasons() if is_shown else form.typed_text(),
    }
    return render(request, "submissions/submission_detail.html", context, status=409)


def _context(
    address: SubmissionAddress, page: SubmissionPage, form: SubmissionStepForm | None = None
) -> dict[str, Any]:
    """Return the context of the page; `form` replaces the empty form of its kind if the user may post it."""
    has_begun = address.period.starts_on <= clock.today()
    takes_reports = address.plan.takes_reports
    is_open = takes_reports and has_begun and bool(page.to_send) and page.state != SubmissionState.ACCEPTED
    send_form = review_form = None
    if is_open and address.access.may_send_submission(address.unit.pk):
        fresh = SendForm(version=page.version, waiting=page.rows_needing_update)
        send_form = form if isinstance(form, SendForm) else fresh
    if takes_reports and address.access.is_coordinator and page.state == SubmissionState.SENT:
        fresh = ReviewForm(version=page.version, rows=page.sent)
        review_form = form if isinstance(form, ReviewForm) else fresh
    why_not_send = "" if send_form or review_form or not is_open else address.access.why_not_send(address.unit)
    today = on_day(address.plan, clock.today(), address.plan.periods.all(), cutoff=clock.now())
    row = read_submission_grid(address.plan, today, [address.unit]).rows[0]
    return {
        "as_of": address.as_of,
        "unit": address.unit,
        "period": address.period,
        "page": page,
        "groups": [
            (label, [(each, review_form.at(each.action.pk) if review_form else "") for each in rows])
            for label, rows in page.groups
        ],
        "row": row,
        "cell": next(cell for cell in row.cells if cell.period == address.period),
        "has_begun": has_begun,
        "why_not_send": address.plan.why_no_reports or why_not_send,
        "send_form": send_form,
        "review_form": review_form,
    }


def _find_unit(plan: Plan, abbreviation: str, number: int) -> Unit:
    """Return the division that a URL names.

    Raises:
        NotFound: there is none; the 404 page lists the divisions.
    """
    units = plan.organization.units.divisions().in_order()
    unit = find_unit_by_name(units, abbreviation)
    if unit is None:
        near = [(str(each), reverse("period_report", args=[plan.slug, each, number])) for each in units]
        raise NotFound(_("There is no unit “%(unit)s” that sends reports.") % {"unit": abbreviation}, near)
    return unit


def _find_period(plan: Plan, abbreviation: str, number: int) -> Period:
    """Return the period that a URL names.

    Raises:
        NotFound: there is none; the 404 page lists the unit's submissions of the other periods.
    """
    periods = {each.number: each for each in sorted(plan.periods.all(), key=lambda each: each.number)}
    if number not in periods:
        near = [
            (each.label, reverse("period_report", args=[plan.slug, abbreviation, each.number]))
            for each in periods.values()
        ]
        raise NotFound(_("This plan has no period %(number)s.") % {"number": number}, near)
    return periods[number]


@require_safe
def submission_list_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """Download the grid of all units and periods."""
    plan = find_plan(request, slug)
    as_of, grid = read_plan_grid(plan)
    notes = list_notes(plan, as_of.day)
    if grid.idle:
        notes = [*notes, f"{_('Nothing to report so far:')} {', '.join(str(row.unit) for row in grid.idle)}"]
    return send_list(submission_table(grid, notes=notes), plan, as_of.day)
