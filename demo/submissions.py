"""Demo submissions of past periods: sent in the days after the period and reviewed; some are returned or late.

They are derived from a hash of the names, like the history, and written with `submissions.steps`.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import uuid5

from assignments.access import Access, RoleGroup
from assignments.models import Unit, User
from demo.history import LAST_DAY, NAMESPACE, _moment, _pick, accounts
from demo.texts import REPORT_ADDED, REPORT_REASONS, REPORT_THANKS
from plan.as_of import on_day
from plan.models import Period, Plan, ProgressUpdate, Status
from pmqa_tracker import thai
from pmqa_tracker.transactions import write_transaction
from submissions.grid import SubmissionCellState, read_submission_grid
from submissions.models import Submission, SubmissionStep
from submissions.steps import accept_submission, return_submission, send_submission, submission_actions, submission_day

STAFF_UNIT = "สพม."
# Outcomes of the last period, for units in the order of `_shuffled`; all other submissions are accepted.
LAST_OUTCOMES = ("late", "waiting", "waiting", "returned")


def write_demo_submissions(plan: Plan, people: dict[str, User], *, today: date) -> int:
    """Write the submissions of past periods, once; return their number.

    Args:
        plan: the plan with the demo history.
        people: user name → demo user.
        today: the last day that may have steps.
    """
    if Submission.objects.filter(period__plan=plan).exists():
        return 0
    day = min(today, LAST_DAY)
    units = list(plan.organization.units.divisions().active().in_order())
    table = read_submission_grid(plan, on_day(plan, day, plan.periods.all()), units)
    owed = {
        column.period: [row.unit for row in table.rows if row.cells[place].state == SubmissionCellState.LATE]
        for place, column in enumerate(table.columns)
    }
    owed = {period: late for period, late in owed.items() if late}
    with write_transaction():
        for period, late in owed.items():
            is_last = period == max(owed, key=lambda each: each.number)
            outcomes = _last_outcomes(period, late) if is_last else _outcomes(period, late)
            for unit in late:
                _DemoSubmission(plan, period, unit, people, day).play(outcomes.get(unit.abbreviation, "accepted"))
    return Submission.objects.filter(period__plan=plan).count()


def _shuffled(period: Period, units: Sequence[Unit]) -> list[str]:
    """Abbreviations of the units except STAFF_UNIT, in an order derived from their names and the period."""
    names = [unit.abbreviation for unit in units if unit.abbreviation != STAFF_UNIT]
    return sorted(names, key=lambda name: _pick(name, f"report{period.number}", 2**31))


def _last_outcomes(period: Period, units: Sequence[Unit]) -> dict[str, str]:
    return dict(zip(_shuffled(period, units), LAST_OUTCOMES, strict=False)) | {STAFF_UNIT: "returned one"}


def _outcomes(period: Period, units: Sequence[Unit]) -> dict[str, str]:
    """Unit → outcome of an earlier period: one submission is returned, sent again and accepted."""
    return dict.fromkeys(_shuffled(period, units)[:1], "corrected")


class _DemoSubmission:
    """The submission of a unit for a period, written step by step."""

    def __init__(self, plan: Plan, period: Period, unit: Unit, people: dict[str, User], last_day: date) -> None:
        self.plan, self.period, self.unit, self.last_day = plan, period, unit, last_day
        by_unit = {each.unit: each.username for each in accounts() if RoleGroup.STAFF in each.roles}
        self.sender = Access.of(people[by_unit[unit.abbreviation]])
        self.reviewer = Access.of(people["coordinator"])
        self.name = f"{unit.abbreviation}/{period.number}"
        self.version = 0
        self.report: Submission | None = None

    def play(self, outcome: str) -> None:
        """Write the steps that lead to an outcome."""
        if outcome == "late":
            return
        sent_after = 2 + _pick(self.name, "sent", 6)
        self._send(sent_after)
        reviewed_after = sent_after + 3 + _pick(self.name, "reviewed", 5)
        if outcome == "corrected":
            self._return(reviewed_after, 1)
            self._send(reviewed_after + 5, note=REPORT_ADDED)
            self._accept(reviewed_after + 9)
        elif outcome == "accepted":
            self._accept(reviewed_after)
        elif outcome.startswith("returned"):
            self._return(reviewed_after + 7, 1 if outcome == "returned one" else 2)

    def _at(self, days: int) -> datetime | None:
        """A time so many days after the end of the period; None after the last day."""
        at = _moment(self.name, self.version, self.period.ends_on + timedelta(days=days))
        return at if at < thai.end_of(self.last_day) else None

    def _send(self, days: int, note: str = "") -> None:
        if at := self._at(days):
            as_of = submission_day(self.plan, self.period, at)
            self._took(
                send_submission(
                    unit=self.unit, period=self.period, access=self.sender, version=self.version,
                    op_id=self._op(), at=at, note=note, as_of=as_of,
                )
            )  # fmt: skip

    def _accept(self, days: int) -> None:
        if self.report and (at := self._at(days)):
            note = REPORT_THANKS[_pick(self.name, "thanks", len(REPORT_THANKS))]
            self._took(
                accept_submission(
                    submission=self.report,
                    access=self.reviewer,
                    version=self.version,
                    op_id=self._op(),
                    at=at,
                    note=note,
                )
            )

    def _return(self, days: int, count: int) -> None:
        if self.report and (at := self._at(days)):
            refs = self._to_correct(at)[:count]
            reasons = {
                pk: REPORT_REASONS[(_pick(self.name, "why", len(REPORT_REASONS)) + place) % len(REPORT_REASONS)]
                for place, pk in enumerate(refs)
            }
            self._took(
                return_submission(
                    submission=self.report, access=self.reviewer, version=self.version, op_id=self._op(), at=at,
                    note="", reasons=reasons,
                )
            )  # fmt: skip

    def _to_correct(self, at: datetime) -> list[int]:
        """Pks of the actions to return: first those without later updates, then open ones."""
        as_of = submission_day(self.plan, self.period, at)
        actions = list(submission_actions(self.plan, self.unit, self.period, as_of).in_order())
        later = set(
            ProgressUpdate.objects.without_undone()
            .filter(action__in=actions, at__gte=thai.end_of(at.date()))
            .values_list("action", flat=True)
        )
        return [
            action.pk
            for action in sorted(
                actions,
                key=lambda each: (
                    each.pk in later,
                    each.status_on != Status.IN_PROGRESS,
                    not Status(each.status_on).is_open,
                    _pick(each.ref, "returned", 2**31),
                ),
            )
        ]

    def _op(self) -> object:
        return uuid5(NAMESPACE, f"report/{self.name}/{self.version}")

    def _took(self, step: SubmissionStep) -> None:
        self.report, self.version = step.submission, step.version
