"""Send and review submissions as the site does."""

from datetime import UTC, datetime
from uuid import uuid4

from assignments.access import Access
from pmqa_tracker import clock
from submissions.steps import send_submission, submission_day


def on(month, day):
    """Return ten in the morning, Thai time, of a day of the plan's year."""
    return datetime(2019 if month > 9 else 2020, month, day, 3, 0, tzinfo=UTC)


def period_of(plan, number):
    return plan.periods.get(number=number)


def send(plan, unit, author, *, number=2, version=0, op_id=None, at=None, note=""):
    period, at = period_of(plan, number), at or clock.now()
    return send_submission(
        unit=unit,
        period=period,
        access=Access.of(author),
        version=version,
        op_id=op_id or uuid4(),
        at=at,
        note=note,
        as_of=submission_day(plan, period, at),
    )


def review(write, submission, author, *, version, op_id=None, at=None, note="", **fields):
    return write(
        submission=submission,
        access=Access.of(author),
        version=version,
        op_id=op_id or uuid4(),
        at=at or clock.now(),
        note=note,
        **fields,
    )
