"""Find transactions that change what a page of a plan shows without raising the revision of a plan.

The guard sees every statement of every test, in all threads. The tests themselves may write as they like.
"""

import re
import sys
import threading
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.transaction import Atomic

from plan import revision
from plan.models import ActionItem

ROOT = Path(__file__).resolve().parent.parent
PASSING_ON = {"tests/revision_guard.py", "tests/ordering.py", "assignments/logins.py"}  # statements of their callers
WRITE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
RAISE = 'UPDATE "plan_plan" SET "revision" ='
# No page of a plan shows the last login, a password that a login hashes anew, what ends logins, or whether the
# introduction is closed.
UNSEEN = re.compile(
    r'UPDATE "assignments_user" SET "(last_login|password|login_key|has_closed_introduction)" = [^,]* WHERE'
)


def tables(*, is_counted: bool = False) -> set[str]:
    """Return the tables of the watched models and of their many-to-many relations, or of those that are counted."""
    models = [model for model, watched in revision.WATCHED.items() if watched.is_counted or not is_counted]
    models += [field.remote_field.through for model in models for field in model._meta.local_many_to_many]
    if is_counted:
        models.remove(ActionItem.requirements.through)  # no figure of a plan depends on it
    return {model._meta.db_table for model in models}


class RevisionGuard(threading.local):
    """The writes of the open transaction of a thread, until the transaction raises a revision."""

    found: list[str] = []

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.is_raised = self.is_counted = False
        self.savepoints: list[tuple[list[str], bool, bool]] = []

    def note(self, sql: str) -> None:
        """Note a statement that has run."""
        if sql.startswith(RAISE):
            self.is_raised = True
            self.is_counted |= '"figures_revision" =' in sql
            return
        match = WRITE.match(sql)
        is_shown = match and match[1] in WATCHED_TABLES and not UNSEEN.match(sql)
        if is_shown and (place := place_in_product()):
            self.missing.append(f"{place}: {sql[:100]}")
            if is_committed():
                self.settle()

    def settle(self) -> None:
        """Judge a transaction that is committed."""
        if not self.is_raised:
            self.found.extend(self.missing)
        elif not self.is_counted:
            self.found.extend(each for each in self.missing if WRITE.match(each.split(": ", 1)[1])[1] in COUNTED_TABLES)
        self.missing, self.is_raised, self.is_counted = [], False, False


WATCHED_TABLES, COUNTED_TABLES = tables(), tables(is_counted=True)
guard = RevisionGuard()


@cache
def name_in_project(file: str) -> str:
    """Return the path of a file below the project; "" for a package and for code that passes statements on."""
    path = Path(file)
    name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
    return "" if name.startswith(".venv/") or name in PASSING_ON else name


def innermost_frame_of_project() -> FrameType | None:
    """Return the frame of the innermost code of the project that runs now."""
    frame: FrameType | None = sys._getframe(1)
    while frame and not name_in_project(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def place_in_product() -> str:
    """Return the file and line of the innermost code of the project; "" if that is a test."""
    frame = innermost_frame_of_project()
    name = frame and name_in_project(frame.f_code.co_filename)
    return "" if not name or name.startswith("tests/") else f"{name}:{frame.f_lineno}"


def is_committed() -> bool:
    """Return whether what has run so far is committed; the transaction around a test does not count."""
    blocks = connection.atomic_blocks
    return not blocks or blocks[-1]._from_testcase


def install(patch: pytest.MonkeyPatch) -> None:
    """Let the guard see statements, transactions, and revisions that are raised for no plan."""
    execute, enter, leave = CursorWrapper._execute_with_wrappers, Atomic.__enter__, Atomic.__exit__
    raise_marked = revision._raise_marked

    def noted_execute(self: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
        result = execute(self, sql, *args, **kwargs)
        guard.note(sql)
        return result

    def noted_enter(self: Any) -> None:
        guard.savepoints.append((list(guard.missing), guard.is_raised, guard.is_counted))
        enter(self)

    def noted_leave(self: Any, kind: Any, error: Any, trace: Any) -> None:
        is_undone = kind is not None or connection.needs_rollback
        leave(self, kind, error, trace)
        before = guard.savepoints.pop()
        if is_undone:
            guard.missing, guard.is_raised, guard.is_counted = before
        elif is_committed():
            guard.settle()

    def noted_raise_marked(marked: Any) -> None:
        guard.is_raised = True
        guard.is_counted |= any(is_counted for _lookup, _value, is_counted in marked)
        raise_marked(marked)

    patch.setattr(CursorWrapper, "_execute_with_wrappers", noted_execute)
    patch.setattr(Atomic, "__enter__", noted_enter)
    patch.setattr(Atomic, "__exit__", noted_leave)
    patch.setattr(revision, "_raise_marked", noted_raise_marked)
