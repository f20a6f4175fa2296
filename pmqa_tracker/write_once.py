"""Write what a form submits once: a double click or a retry makes one row, a stale form makes none.

The record that a form changes has a `version`, and every form carries the version it was opened with. Each change adds
a row that is never changed again and holds the form's `op_id`, which is unique.
"""

from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import F

from pmqa_tracker.constraints import UNIQUE, explain_violation

Row = TypeVar("Row", bound=models.Model)


class StaleVersionError(Exception):
    """The record has changed since it was read; nothing was written."""


class NotAllowedError(Exception):
    """The user may not write this; the message says why."""


def compare_and_set(record: models.QuerySet, version: int, **values: object) -> bool:
    """Change a record and raise its version by one, in one statement.

    Args:
        record: the record as a queryset, with whatever else must hold when it is changed.
        version: the version that the change was made from.
        values: the fields to change.

    Returns:
        False where the stored record has another version or is not in the queryset; nothing is changed then.
    """
    return bool(record.filter(version=version).update(version=F("version") + 1, **values))


def write_once(write: Callable[[], Row], *, find_repeat: Callable[[], Row]) -> Row:
    """Run `write` in a transaction, or return the row that an earlier copy of the same submission made.

    Args:
        write: changes the record by `compare_and_set` and returns the row it added. It raises StaleVersionError where
            nothing was set.
        find_repeat: returns the row with the submission's `op_id` where it says the same; otherwise it raises
            StaleVersionError. It is called only when `write` met a newer version or a row that was there before.

    Raises:
        StaleVersionError: the record has changed, or the `op_id` is that of another submission.
        ValidationError: a constraint refused a row; the message is the constraint's.
    """
    try:
        with transaction.atomic():
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
