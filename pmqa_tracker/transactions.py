"""Write transactions, with work that is done once, right before they commit."""

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.dispatch import Signal

from pmqa_tracker.request_log import note_commit

records_changed = Signal()  # sent with the `records`
LateWork = Callable[[set[Any]], None]


class _Thread(threading.local):
    """What the open write transaction of a thread does before it commits; None if there is no open one."""

    late: dict[tuple[LateWork, Hashable], None] | None = None


_thread = _Thread()


@contextmanager
def write_transaction(*, savepoint: bool = True) -> Iterator[None]:
    """Run a block in a transaction, or in a savepoint of the open one; without `savepoint` as a part of it.

    The outermost block ends with the work of `before_commit`. A block that fails or is rolled back drops its own.
    """
    outer, late = _thread.late, {}
    _thread.late = late
    try:
        with transaction.atomic(savepoint=savepoint):
            yield
            if transaction.get_rollback():
                late.clear()
            if outer is None:
                _do(late)
        if outer is not None:
            outer |= late
        else:
            note_commit()
    finally:
        _thread.late = outer


def before_commit(work: LateWork, item: Hashable) -> None:
    """Call `work` with all its items right before the write transaction commits; now if none is open.

    Locks that `work` takes are held for a moment only, and always after those of the transaction itself.
    """
    if _thread.late is None:
        work({item})
    else:
        _thread.late[work, item] = None


def mark_changed(records: Iterable[Model]) -> None:
    """Say that `QuerySet.update`, `bulk_create` or `bulk_update` changes these records; Django sends no signal then."""
    records_changed.send(sender=None, records=records)


def _do(late: dict[tuple[LateWork, Any], None]) -> None:
    items = defaultdict(set)
    for work, item in late:
        items[work].add(item)
    for work, given in items.items():
        work(given)
