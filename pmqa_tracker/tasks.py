"""Background tasks with progress: work that takes too long for one request and continues when the user leaves.

A task is a folder with a state file and, at the end, a result file. It is stored in the data folder, not in the
database, because work inside a large transaction could not show its progress there.
"""

import json
import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.utils import timezone, translation

TASK_NAME = re.compile(r"[0-9a-f]{32}")
STATE, RESULT = "state.json", "result"
HEARTBEAT_SECONDS, DEAD_AFTER_SECONDS = 2.0, 20.0  # without a heartbeat for so long, a task was cut off
PATIENCE_SECONDS = 2.0  # most work is done by then, and the user never sees a waiting page
RUNNING, DONE, FAILED, CUT_OFF = "RUNNING", "DONE", "FAILED", "CUT_OFF"

logger = logging.getLogger(__name__)
ProgressCallback = Callable[[int, int], None]


def ignore_progress(done: int, total: int) -> None:
    """Progress callback that does nothing."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """The state of a task.

    Attributes:
        name: random name, used in URLs.
        owner: pk of the user who started it.
        label: description for users.
        state: RUNNING, DONE, FAILED or CUT_OFF (the server stopped in the middle).
        done, total: progress in steps; `total` is 0 while unknown.
        started_at: seconds since the epoch.
        file_name: download name of the result; "" if there is no result file.
    """

    name: str
    owner: int
    label: str
    state: str = RUNNING
    done: int = 0
    total: int = 0
    started_at: float = 0.0
    file_name: str = ""

    @property
    def percent(self) -> int:
        """Progress in %."""
        return min(100 * self.done // self.total, 100) if self.total else 0

    @property
    def is_running(self) -> bool:
        return self.state == RUNNING

    @property
    def is_done(self) -> bool:
        """Whether the work has ended and its result is available."""
        return self.state == DONE

    @property
    def result(self) -> Path:
        """Path of the result file."""
        return _folder() / self.name / RESULT


def start(
    *,
    owner: int,
    label: str,
    work: Callable[[ProgressCallback, Path], None],
    file_name: str = "",
    patience: float | None = None,
) -> Task:
    """Start a task, and wait a moment for it to end.

    Args:
        owner: pk of the user.
        label: description for users.
        work: called with a progress callback (steps done, steps in total) and the path of the result file.
        file_name: download name of the result.
        patience: seconds to wait; `PATIENCE_SECONDS` by default.

    Returns:
        The task in its current state: done, unless the work is long.
    """
    _sweep()
    task = Task(name=secrets.token_hex(16), owner=owner, label=label, started_at=time.time(), file_name=file_name)
    (_folder() / task.name).mkdir(mode=0o700)
    _write(task)
    if not settings.PMQA_TASKS_IN_BACKGROUND:
        _run(task, work)
        return find(task.name) or task
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def run() -> None:
        with translation.override(language), timezone.override(zone):
            _run(task, work)
        connections.close_all()

    thread = threading.Thread(target=run, name=f"task-{task.name[:8]}")
    thread.start()
    thread.join(PATIENCE_SECONDS if patience is None else patience)
    return find(task.name) or task


def find(name: str) -> Task | None:
    """Return the task with a name; None if there is none (any more)."""
    file = _folder() / name / STATE
    if not TASK_NAME.fullmatch(name):
        return None
    try:
        task = Task(**json.loads(file.read_text()))
        is_dead = task.state == RUNNING and time.time() - file.stat().st_mtime > DEAD_AFTER_SECONDS
    except (OSError, ValueError, TypeError):
        return None
    return replace(task, state=CUT_OFF) if is_dead else task


def list_for_owner(owner: int) -> list[Task]:
    """Return the tasks of a user that make a file, newest first."""
    found = (find(folder.name) for folder in _folder().iterdir())
    tasks = [task for task in found if task and task.owner == owner and task.file_name]
    return sorted(tasks, key=lambda task: -task.started_at)


def _run(task: Task, work: Callable[[ProgressCallback, Path], None]) -> None:
    """Run the work and record its progress and heartbeat; any exception ends the task as FAILED."""
    lock, ended = threading.Lock(), threading.Event()
    progress = {"done": 0, "total": 0}

    def on_progress(done: int, total: int) -> None:
        with lock:
            if not ended.is_set():
                progress.update(done=done, total=total)
                _write(replace(task, **progress))

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            on_progress(**progress)

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    state = FAILED
    try:
        work(on_progress, task.result)
        state = DONE
    except Exception:
        logger.exception("A task failed: %s", task.label)
    finally:
        with lock:
            ended.set()
            _write(replace(task, state=state, **progress))


def _write(task: Task) -> None:
    """Replace the state file in one step, so that readers never see half of it."""
    folder = _folder() / task.name
    draft = folder / f"{STATE}.{threading.get_ident()}"
    draft.write_text(json.dumps(asdict(task)))
    draft.replace(folder / STATE)


def _folder() -> Path:
    folder = settings.DATA_DIR / "tasks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _sweep() -> None:
    """Delete tasks that have not changed for `PMQA_KEPT_HOURS`."""
    for folder in _folder().iterdir():
        file = folder / STATE
        kept = file if file.exists() else folder
        if TASK_NAME.fullmatch(folder.name) and time.time() - kept.stat().st_mtime > settings.PMQA_KEPT_HOURS * 3600:
            shutil.rmtree(folder, ignore_errors=True)
