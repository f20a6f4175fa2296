"""Which unit's data sheet came back for a period, and which units are still out: the rows of the page of returns.

A sheet counts for the period in which it was imported, like the updates it brings (`plan.models.duties`); a sheet that
is not imported counts from its upload. A sheet that comes after the period's last day counts for it too, as later
updates do for the period's report (`submissions.steps.submission_day`): until the unit has sent that report, and unless
its sheet came in time.

A unit is out as long as it must report for the period (`submissions.grid`), no sheet of it is imported or waits to be
confirmed, its report is not sent or was returned, and some of its actions wait for an update (`read_silent`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assignments.models import Membership, Unit, User
from exchange.models import ImportJob
from exchange.outcome import Brought, brought_by
from plan.as_of import on_day
from plan.models import Period, Plan
from plan.models.duties import read_silent, submission_duties
from pmqa_tracker import thai
from pmqa_tracker.tasks.models import BackgroundTask
from pmqa_tracker.tasks.queue import find_all
from submissions.grid import SubmissionCell, read_submission_grid
from submissions.models import SubmissionState
from submissions.steps import submission_day
from worklist.models import SheetRequest
from worklist.people import reporting_people


class ReturnState(models.TextChoices):
    """Whether the sheet of a unit came back."""

    OUT = "OUT", _("Not back yet")
    TO_CONFIRM = "TO_CONFIRM", _("Came back, to be confirmed")
    CAME_BACK = "CAME_BACK", _("Came back")
    REPORTED = "REPORTED", _("Reported without its sheet")
    NOTHING = "NOTHING", _("Nothing to report")


@dataclass(frozen=True, kw_only=True)
class ReturnedSheet:
    """An uploaded sheet of a unit.

    Attributes:
        is_late: it came after the period's last day.
        is_waiting: it is being read, or its preview waits to be confirmed.
    """

    job: ImportJob
    is_late: bool
    is_waiting: bool
    brought: Brought


@dataclass(frozen=True, kw_only=True)
class SentRequest:
    """A request for the sheet, with what became of its mails.

    Attributes:
        is_running: its mails are being sent now.
        is_today: it was made today.
    """

    request: SheetRequest
    is_running: bool
    is_today: bool

    @property
    def was_sent(self) -> bool:
        """Whether at least one mail was sent."""
        return bool(self.request.sent_to)

    @property
    def is_cut_off(self) -> bool:
        """Whether the server stopped before all its mails were sent."""
        return not self.is_running and self.request.finished_at is None


@dataclass(frozen=True, kw_only=True)
class UnitReturn:
    """A unit, its sheets of the period, and what it owes.

    Attributes:
        cell: its report of the period.
        action_count: number of actions it must report on.
        waiting_count: number of those that wait for an update.
        sheets: newest first.
        people: people who report for it and have an e-mail address.
        without_address: people who report for it and have none.
        requests: the requests of the period, and those of today for another period; newest first.
    """

    unit: Unit
    period: Period
    cell: SubmissionCell
    action_count: int
    waiting_count: int
    sheets: Sequence[ReturnedSheet]
    people: Sequence[User]
    without_address: Sequence[User]
    requests: Sequence[SentRequest]

    @property
    def state(self) -> ReturnState:
        """The state, by the rule of this module."""
        if any(sheet.job.is_written for sheet in self.sheets):
            return ReturnState.CAME_BACK
        if any(sheet.is_waiting for sheet in self.sheets):
            return ReturnState.TO_CONFIRM
        if not self.cell.is_owed:
            return ReturnState.NOTHING
        if self.cell.is_handed_in or (not self.waiting_count and self.cell.state != SubmissionState.RETURNED):
            return ReturnState.REPORTED
        return ReturnState.OUT

    @property
    def updated_count(self) -> int:
        """Number of actions that wait for no update."""
        return self.action_count - self.waiting_count

    @property
    def is_asked_today(self) -> bool:
        """Whether a mail of today was sent or is being sent."""
        return any(each.is_today and (each.was_sent or each.is_running) for each in self.requests)

    @property
    def own_requests(self) -> list[SentRequest]:
        """The requests of the period."""
        return [each for each in self.requests if each.request.period_id == self.period.pk]

    @property
    def refused(self) -> ReturnedSheet | None:
        """The newest sheet if it was refused."""
        return next((sheet for sheet in self.sheets[:1] if sheet.job.is_refused), None)


@dataclass(frozen=True, kw_only=True)
class Returns:
    """The sheets of all units for a period."""

    period: Period
    rows: Sequence[UnitReturn]

    def of(self, state: ReturnState) -> list[UnitReturn]:
        """Return the rows in a state."""
        return [row for row in self.rows if row.state == state]

    @property
    def out(self) -> list[UnitReturn]:
        return self.of(ReturnState.OUT)

    @property
    def to_confirm(self) -> list[UnitReturn]:
        return self.of(ReturnState.TO_CONFIRM)

    @property
    def came_back(self) -> list[UnitReturn]:
        return self.of(ReturnState.CAME_BACK)

    @property
    def reported(self) -> list[UnitReturn]:
        return self.of(ReturnState.REPORTED)

    @property
    def idle(self) -> list[UnitReturn]:
        return self.of(ReturnState.NOTHING)

    @property
    def count(self) -> int:
        """Number of units that must report, or whose sheet came back."""
        return len(self.rows) - len(self.idle)

    @property
    def to_ask(self) -> list[UnitReturn]:
        """The units to ask by mail: out, with an address, and not asked today."""
        return [row for row in self.out if row.people and not row.is_asked_today]

    @property
    def asked_today(self) -> list[UnitReturn]:
        """The units that are out, with an address, and asked today already."""
        return [row for row in self.out if row.people and row.is_asked_today]

    @property
    def unreachable(self) -> list[UnitReturn]:
        """The units that are out, and in which nobody has an address."""
        return [row for row in self.out if not row.people]

    @property
    def requests_today(self) -> int:
        """Number of requests made today; a form that was opened before the last one is stale."""
        return sum(each.is_today for row in self.rows for each in row.requests)

    @property
    def running(self) -> list[SentRequest]:
        """The requests that are being sent."""
        return [each for row in self.rows for each in row.requests if each.is_running]

    @property
    def requests(self) -> list[tuple[Unit, SentRequest]]:
        """(unit, request) of each request of the period, newest first."""
        pairs = [(row.unit, each) for row in self.rows for each in row.own_requests]
        return sorted(pairs, key=lambda pair: pair[1].request.at, reverse=True)


def read_returns(plan: Plan, period: Period, *, at: datetime) -> Returns:
    """Read the sheets of all units in use for a period that has begun; in a fixed number of queries."""
    as_of = submission_day(plan, period, at)
    units = list(plan.organization.units.divisions().active().in_order())
    today = on_day(plan, timezone.localdate(at), plan.periods.all(), cutoff=at)
    grid = read_submission_grid(plan, replace(today, periods=(period,)), units)
    owed = defaultdict(set)
    for unit, action in submission_duties(period, as_of).values_list("owing_unit", "action"):
        owed[unit].add(action)
    silent = read_silent(plan, thai.start_of(period.starts_on), as_of)
    sheets = _read_sheets(plan, period, since=thai.start_of(period.starts_on), until=as_of.ends_at, at=at)
    people = _read_people(plan, units)
    requests = _read_requests(plan, period, at)
    rows = [
        UnitReturn(
            unit=row.unit,
            period=period,
            cell=row.cells[0],
            action_count=len(owed[row.unit.pk]),
            waiting_count=len(owed[row.unit.pk] & silent.get(row.unit.pk, set())),
            sheets=_that_count(sheets[row.unit.pk], row.cells[0]),
            people=[person for person in people[row.unit.pk] if person.email],
            without_address=[person for person in people[row.unit.pk] if not person.email],
            requests=requests[row.unit.pk],
        )
        for row in grid.rows
    ]
    return Returns(period=period, rows=rows)


def _read_sheets(
    plan: Plan, period: Period, *, since: datetime, until: datetime, at: datetime
) -> dict[int, list[ReturnedSheet]]:
    """Return unit pk → its sheets since the period began, newest first."""
    jobs = plan.imports.filter(kind=ImportJob.Kind.UNIT_SHEET).annotate(counted_at=Coalesce("written_at", "at"))
    jobs = jobs.filter(counted_at__gte=since, counted_at__lt=until).select_related("by").order_by("-counted_at", "-pk")
    tasks = find_all(job.task for job in jobs if job.is_reading)
    ends_at = thai.end_of(period.ends_on)
    found = defaultdict(list)
    for job in jobs:
        job.plan = plan
        found[job.unit_id].append(
            ReturnedSheet(
                job=job,
                is_late=job.counted_at >= ends_at,
                is_waiting=_is_waiting(job, tasks, at),
                brought=brought_by(job),
            )
        )
    return found


def _that_count(sheets: Sequence[ReturnedSheet], cell: SubmissionCell) -> list[ReturnedSheet]:
    """Leave out the late sheets of a unit that has sent its report, or whose sheet came in time."""
    is_settled = cell.is_handed_in or any(sheet.job.is_written and not sheet.is_late for sheet in sheets)
    return [sheet for sheet in sheets if not (sheet.is_late and is_settled)]


def _is_waiting(job: ImportJob, tasks: Mapping[str, BackgroundTask], at: datetime) -> bool:
    """Whether a job is being read, or can still be confirmed."""
    if job.is_reading:
        return job.task in tasks and tasks[job.task].is_running
    return job.is_preview and at <= job.expires_at()


def _read_people(plan: Plan, units: Sequence[Unit]) -> dict[int, list[User]]:
    """Return unit pk → the people who report for it, by name."""
    memberships = Membership.objects.filter(unit__in=units, user__in=reporting_people(plan)).select_related("user")
    found = defaultdict(list)
    for membership in sorted(memberships, key=lambda each: thai.sort_key(str(each.user))):
        found[membership.unit_id].append(membership.user)
    return found


def _read_requests(plan: Plan, period: Period, at: datetime) -> dict[int, list[SentRequest]]:
    """Return unit pk → the requests of the period, and those of today for another period of the plan; newest first."""
    today = timezone.localdate(at)
    requests = SheetRequest.objects.filter(Q(period=period) | Q(day=today), period__plan=plan)
    requests = requests.select_related("by").order_by("-at", "-pk")
    tasks = find_all(request.task for request in requests if request.finished_at is None)
    found = defaultdict(list)
    for request in requests:
        task = tasks.get(request.task)
        is_new = at - request.at < SheetRequest.STARTS_WITHIN
        is_running = request.finished_at is None and (task.is_running if task else is_new)
        found[request.unit_id].append(
            SentRequest(request=request, is_running=is_running, is_today=request.day == today)
        )
    return found
