"""Run the work of a background task: its state, progress, language and result file."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files import File
from django.utils import timezone, translation
from django_tasks import TaskContext, task
from django_tasks.base import Task

from pmqa_tracker.tasks.models import RESULTS, BackgroundTask, TaskState, new_name
from pmqa_tracker.tasks.priority import without_collector

logger = logging.getLogger(__name__)
Work = Callable[..., None]


@dataclass
class Progress:
    """Steps done and in total; the worker stores them from time to time."""

    done: int = 0
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, total


running: dict[str, Progress] = {}  # name → progress of the task that this process runs


def background_task(*, is_repeatable: bool) -> Callable[[Work], Task]:
    """Make a task of a module-level function, for `tasks.queue.start`.

    The function is called with a progress callback (steps done, steps in total), the path of the result file, and the
    JSON arguments it was started with. It may raise any exception: the task is then FAILED.

    Args:
        is_repeatable: whether another worker may run it again from the start after its worker died in the middle. It
            must then do no harm twice. Otherwise it is reported as cut off.
    """

    def decorate(work: Work) -> Task:
        @wraps(work)
        def run(context: TaskContext, name: str, language: str, zone: str, **arguments: Any) -> None:
            with translation.override(language), timezone.override(ZoneInfo(zone)):
                _run(work, name, context.task_result.worker_ids[-1], arguments)

        del run.__wrapped__  # Django's tasks would look at the arguments of the work
        run.is_repeatable = is_repeatable
        return task(takes_context=True)(run)

    return decorate


def _run(work: Work, name: str, worker: str, arguments: dict[str, Any]) -> None:
    """Run the work of a waiting task; do nothing if it was removed in the meantime."""
    waiting = BackgroundTask.objects.filter(name=name, state=TaskState.WAITING)
    if not waiting.update(state=TaskState.RUNNING, worker=worker, seen_at=timezone.now()):
        return
    progress = running[name] = Progress()
    try:
        with TemporaryDirectory(prefix="pmqa-task-") as folder:
            result = Path(folder) / "result"
            with without_collector():
                work(progress, result, **arguments)
            stored = _store(result)
        _finish(name, worker, state=TaskState.DONE, result=stored, done=progress.done, total=progress.total)
    except Exception:
        logger.exception("A task failed: %s", name)
        _finish(name, worker, state=TaskState.FAILED)
    finally:
        del running[name]


def _store(result: Path) -> str:
    """Move a result file into the storage; return its name there, "" if there is none."""
    if not result.exists():
        return ""
    storage = BackgroundTask._meta.get_field("result").storage
    with result.open("rb") as file:
        return storage.save(f"{RESULTS}/{new_name()}", File(file))


def _finish(name: str, worker: str, **values: Any) -> None:
    """Store the end of a task, unless another worker has taken it over."""
    BackgroundTask.objects.filter(name=name, worker=worker, state=TaskState.RUNNING).update(**values)
