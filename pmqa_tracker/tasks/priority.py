"""Long computing in a worker: at low CPU priority, so that pages answer as fast as without it."""

import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from django.db import connections

NICENESS = 10
Value = TypeVar("Value")


class _Process:
    """Whether this process is a worker; any other process computes at once."""

    is_worker = False


def mark_as_worker() -> None:
    """Let `at_low_priority` lower the priority from now on."""
    _Process.is_worker = True


def at_low_priority(compute: Callable[[], Value]) -> Value:
    """Return the value of a long computation that opens no transaction; in a worker it runs at low CPU priority.

    Linux keeps the priority of each thread apart, and only an administrator may raise one again. So the computation
    gets a thread of its own, and the transactions of the worker keep the priority of the web servers, which wait for
    their locks.
    """
    if not _Process.is_worker:
        return compute()
    value: Future[Value] = Future()

    def run() -> None:
        os.nice(NICENESS)
        try:
            value.set_result(compute())
        except BaseException as error:
            value.set_exception(error)
        finally:
            connections.close_all()

    Thread(target=copy_context().run, args=(run,), daemon=True).start()
    return value.result()


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause Python's garbage collector during a block that builds many objects and keeps them.

    It would look through all of them again and again, and find nothing: a fifth of the time of an import.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
