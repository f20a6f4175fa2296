"""Write a posted form exactly once: a double click or a retry makes one row, a stale form makes none.

The record that a form changes has a `version`, and every form carries the version it was opened with. Each change adds
a row that is never edited and contains the form's unique `op_id`.
"""

from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, models
from django.db.models import F

from pmqa_tracker.constraints import UNIQUE, explain_violation
from pmqa_tracker.transactions import write_transaction

Row = TypeVar("Row", bound=models.Model)


class StaleVersionError(Exception):
    """The record has changed since it was read; nothing was written."""


class NotAllowedError(Exception):
    """The user may not write this; the message says why."""


def compare_and_set(record: models.QuerySet, version: int, **values: object) -> bool:
    """Change a record and raise its version by one, in one SQL statement.

    Args:
        record: queryset of the record, with any further conditions for the change.
        version: version that the change is based on.
        values: the fields to change.

    Returns:
        False if the stored record has another version or is not in the queryset; then nothing changes.
    """
    return bool(record.filter(version=version).update(version=F("version") + 1, **values))


def write_once(write: Callable[[], Row], *, find_repeat: Callable[[], Row]) -> Row:
    """Run `write` in a transaction, or return the row that the same form has already made.

    Args:
        write: changes the record by `compare_and_set` and returns the row it added. It raises StaleVersionError if
            `compare_and_set` returns False.
        find_repeat: returns the row with the form's `op_id` if it has the same content; otherwise it raises
            StaleVersionError. It is called only if `write` found a newer version or an existing row.

    Raises:
        StaleVersionError: the record has changed, or another form has used the `op_id`.
        ValidationError: a row violates a constraint; the message is the constraint's.
    """
    try:
        with write_transaction():
            return write()
    except StaleVersionError:
        return find_repeat()
    except IntegrityError as error:
        broken = explain_violation(error)
        if broken is None:
            raise
        if broken.code != UNIQUE:
            raise broken from error
        return find_repeat()
