"""Put background tasks into the queue, wait a moment for them, and find them again."""

import time
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from django.utils import timezone, translation
from django_tasks.backends.immediate import ImmediateBackend
from django_tasks.base import Task

from pmqa_tracker.tasks.models import NAME, BackgroundTask, new_name
from pmqa_tracker.transactions import write_transaction

PATIENCE_SECONDS = 2.0  # most work is done by then, and the user never sees a waiting page
LOOK_SECONDS = 0.1


def start(
    work: Task,
    *,
    owner: int,
    label: str,
    file_name: str = "",
    name: str = "",
    patience: float | None = None,
    **arguments: Any,
) -> BackgroundTask:
    """Queue a task, and wait a moment for it to end; call it in no transaction.

    Args:
        work: a function with `background_task`.
        owner: pk of the user.
        label: description for users.
        file_name: download name of the result.
        name: name of the task, by `new_name`; for a record that refers to its task before it starts.
        patience: seconds to wait; `PATIENCE_SECONDS` by default.
        arguments: JSON values, passed to the function. It runs in the present language and time zone.

    Returns:
        The task in its current state: done, unless the work is long or no worker is running.
    """
    name = name or new_name()
    # The task and its place in the queue are written together; work that runs at once opens transactions of its own.
    with nullcontext() if isinstance(work.get_backend(), ImmediateBackend) else write_transaction():
        BackgroundTask.objects.create(
            name=name, owner=owner, label=label, file_name=file_name, is_repeatable=work.func.is_repeatable
        )
        language, zone = translation.get_language(), str(timezone.get_current_timezone())
        work.enqueue(name=name, language=language, zone=zone, **arguments)
    return wait(name, PATIENCE_SECONDS if patience is None else patience)


def wait(name: str, seconds: float) -> BackgroundTask:
    """Wait for a task to end, at most so long, and not at all without a worker; return it in its current state."""
    end = time.monotonic() + seconds
    task = BackgroundTask.objects.with_worker().get(name=name)
    while task.is_running and task.has_worker and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        task = BackgroundTask.objects.with_worker().get(name=name)
    return task


def find(name: str) -> BackgroundTask | None:
    """Return the task with a name; None if there is none (any more)."""
    return find_all([name]).get(name)


def find_all(names: Iterable[str]) -> dict[str, BackgroundTask]:
    """Return name → task of those that still exist, in one query; in none without a name."""
    wanted = {name for name in names if NAME.fullmatch(name)}
    tasks = BackgroundTask.objects.with_worker().filter(name__in=wanted) if wanted else ()
    return {task.name: task for task in tasks}


def list_for_owner(owner: int) -> list[BackgroundTask]:
    """Return the tasks of a user that make a file, newest first."""
    return list(BackgroundTask.objects.with_worker().filter(owner=owner).exclude(file_name="").order_by("-pk"))
