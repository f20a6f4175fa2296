"""Pages of the period reports: which unit has sent which, and one report with its forms to send and to review it."""

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
from assignments.models import Unit
from assignments.unit_names import find_unit_by_name
from plan.as_of import AsOf, on_day
from plan.downloads import list_notes, send_list
from plan.lookup import find_plan
from plan.models import Period, Plan
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
    """The report that an address names, and the user who opens it."""

    plan: Plan
    unit: Unit
    period: Period
    as_of: AsOf
    access: Access

    @property
    def address(self) -> str:
        return reverse("period_report", args=[self.plan.slug, self.unit.abbreviation, self.period.number])


@require_safe
def submission_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the page การส่งรายงาน: what waits for review, and which unit has sent which report."""
    plan = find_plan(request, slug)
    as_of, table = read_plan_grid(plan)
    context = {"as_of": as_of, "grid": table, "idle": table.idle}
    return render(request, "submissions/reporting.html", context)


def read_plan_grid(plan: Plan) -> tuple[AsOf, SubmissionGrid]:
    """Return the plan as of today, and the state of every division's reports."""
    as_of = on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())
    return as_of, read_submission_grid(plan, as_of, list(Unit.objects.divisions().active().in_order()))


@reads_typed_text(typed_step)
@require_http_methods(["GET", "HEAD", "POST"])
def submission_detail(request: HttpRequest, slug: str, unit: str, period: int) -> HttpResponse:
    """Show the report of a unit for a period; its forms post to the same address."""
    plan = find_plan(request, slug)
    found, place = _find_unit(plan, unit, period), _find_period(plan, unit, period)
    as_of = submission_day(plan, place, clock.now())
    asked = SubmissionAddress(plan=plan, unit=found, period=place, as_of=as_of, access=access_of(request))
    if request.method == "POST":
        return _take_step(request, asked)
    return render(
        request, "submissions/period_report.html", _context(asked, read_submission_page(plan, found, place, as_of))
    )


def _take_step(request: HttpRequest, asked: SubmissionAddress) -> HttpResponse:
    """Send or review; where it is refused, the page keeps every typed word."""
    page = read_submission_page(asked.plan, asked.unit, asked.period, asked.as_of)
    form = _bind(request.POST, page)
    try:
        if isinstance(form, SendForm):
            check_may_send(asked.unit, asked.access)
        else:
            check_may_review(asked.access)
        if not form.is_valid() and not form.is_stale:
            return _refuse(request, asked, page, form, status=422)
        if not form.is_intact:
            raise StaleVersionError(page.report)
        _write(asked, page, form)
    except ValidationError as error:
        form.add_error(None, error)
        return _refuse(request, asked, page, form, status=422)
    except NotAllowedError as error:
        context = _context(asked, page) | {"refusal": str(error), "typed": form.typed_text()}
        return render(request, "submissions/period_report.html", context, status=403)
    except StaleVersionError:
        return _conflict(request, asked, form)
    return _taken(request, asked, form)


def _bind(posted: Any, page: SubmissionPage) -> SubmissionStepForm:
    if posted.get("do") == SEND:
        return SendForm(posted, version=page.version, waiting=page.rows_needing_update)
    return ReviewForm(posted, version=page.version, rows=page.sent)


def _write(asked: SubmissionAddress, page: SubmissionPage, form: SubmissionStepForm) -> None:
    """Write the step that a form asks for."""
    words = {name: form.cleaned_data[name] for name in ("version", "op_id")}
    words |= {"access": asked.access, "at": clock.now(), "note": form.cleaned_data.get("note", "")}
    report = page.report or Submission(unit=asked.unit, period=asked.period)
    if isinstance(form, SendForm):
        send_submission(unit=asked.unit, period=asked.period, as_of=asked.as_of, **words)
    elif form.data.get("do") == RETURN:
        return_submission(report=report, reasons=form.reasons(), **words)
    elif form.data.get("do") == ACCEPT:
        accept_submission(report=report, **words)
    else:
        raise StaleVersionError(report)


def _taken(request: HttpRequest, asked: SubmissionAddress, form: SubmissionStepForm) -> HttpResponse:
    names = {"unit": asked.unit, "period": asked.period.label}
    said = {
        SEND: _("Sent. The report of %(unit)s for %(period)s now waits for the coordinator's review."),
        ACCEPT: _("Accepted: the report of %(unit)s for %(period)s."),
        RETURN: _("Returned: %(unit)s finds the actions to be corrected for %(period)s first in its work."),
    }
    do = form.data["do"]
    messages.success(request, said[do] % names)
    return redirect(asked.address if do == SEND else reverse("reporting", args=[asked.plan.slug]))


def _refuse(
    request: HttpRequest, asked: SubmissionAddress, page: SubmissionPage, form: SubmissionStepForm, *, status: int
) -> HttpResponse:
    """Render the page with the form as it was typed and what is wrong with it."""
    if not form.is_intact:
        form.data = with_new_op_id(form.data, page.version)
        form.add_error(None, _("The form did not arrive whole. Your text is still in it; press the button again."))
    context = _context(asked, page, form)
    context["errors"] = [
        error for name, errors in form.errors.items() if name not in WriteOnceForm.base_fields for error in errors
    ]
    if form not in (context["send_form"], context["review_form"]):
        context["typed"] = form.typed_text()
    context["errors_at"] = next((name for name in ("send", "review") if context[f"{name}_form"] is form), "")
    return render(request, "submissions/period_report.html", context, status=status)


def _conflict(request: HttpRequest, asked: SubmissionAddress, sent: SubmissionStepForm) -> HttpResponse:
    """Render the conflict page: the other user's steps next to the typed text."""
    page = read_submission_page(asked.plan, asked.unit, asked.period, asked.as_of)
    seen = sent.cleaned_data.get("version", 0)
    form = _bind(with_new_op_id(request.POST, page.version), page)
    context = _context(asked, page, form)
    is_shown = form in (context["send_form"], context["review_form"])
    theirs = [step for step in page.steps if step.version > seen]
    context |= {
        "is_stale": True,
        "is_own": bool(theirs) and all(step.by_id == request.user.pk for step in theirs),
        "theirs": theirs,
        "typed": form.leftovers() if is_shown else form.typed_text(),
    }
    return render(request, "submissions/period_report.html", context, status=409)


def _context(asked: SubmissionAddress, page: SubmissionPage, form: SubmissionStepForm | None = None) -> dict[str, Any]:
    """Return what the page shows; a form that was filled in replaces the empty one, where it may be sent."""
    has_begun = asked.period.starts_on <= clock.today()
    is_open = has_begun and bool(page.to_send) and page.state != SubmissionState.ACCEPTED
    send_form = review_form = None
    if is_open and asked.access.may_send_submission(asked.unit.pk):
        fresh = SendForm(version=page.version, waiting=page.rows_needing_update)
        send_form = form if isinstance(form, SendForm) else fresh
    if asked.access.is_coordinator and page.state == SubmissionState.SENT:
        fresh = ReviewForm(version=page.version, rows=page.sent)
        review_form = form if isinstance(form, ReviewForm) else fresh
    today = on_day(asked.plan, clock.today(), asked.plan.periods.all(), cutoff=clock.now())
    row = read_submission_grid(asked.plan, today, [asked.unit]).rows[0]
    return {
        "as_of": asked.as_of,
        "unit": asked.unit,
        "period": asked.period,
        "page": page,
        "groups": [
            (label, [(each, review_form.at(each.action.pk) if review_form else "") for each in rows])
            for label, rows in page.groups
        ],
        "row": row,
        "cell": next(cell for cell in row.cells if cell.period == asked.period),
        "has_begun": has_begun,
        "why_not_send": "" if send_form or review_form or not is_open else asked.access.why_not_send(asked.unit),
        "send_form": send_form,
        "review_form": review_form,
    }


def _find_unit(plan: Plan, abbreviation: str, number: int) -> Unit:
    """Return the division that an address names.

    Raises:
        NotFound: there is none; the page lists the divisions.
    """
    units = Unit.objects.divisions().in_order()
    unit = find_unit_by_name(units, abbreviation)
    if unit is None:
        near = [(str(each), reverse("period_report", args=[plan.slug, each, number])) for each in units]
        raise NotFound(_("There is no unit “%(unit)s” that sends reports.") % {"unit": abbreviation}, near)
    return unit


def _find_period(plan: Plan, abbreviation: str, number: int) -> Period:
    """Return the period that an address names.

    Raises:
        NotFound: there is none; the page lists the unit's reports of the other periods.
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
    """Who has sent the report of which period."""
    plan = find_plan(request, slug)
    as_of, read_submission_grid = read_plan_grid(plan)
    idle = (
        [f"{_('Nothing to report so far:')} {', '.join(str(row.unit) for row in read_submission_grid.idle)}"]
        if read_submission_grid.idle
        else []
    )
    return send_list(
        submission_table(read_submission_grid, notes=[*list_notes(plan, as_of.day), *idle]), plan, as_of.day
    )
