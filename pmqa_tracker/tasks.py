"""Work that may take longer than a page: it goes on when its reader leaves, tells how far it is, and is found again.

A task is a folder with a file that says how far it is and, in the end, what it made. It is kept in the site's own data
folder, not in the database: work inside one large transaction could not tell from there how far it has come.
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
from django.utils import translation

TASK_NAME = re.compile(r"[0-9a-f]{32}")
STATE, RESULT = "state.json", "result"
HEARTBEAT_SECONDS, DEAD_AFTER_SECONDS = 2.0, 20.0  # a task that has not said for so long that it lives was cut off
PATIENCE_SECONDS = 2.0  # most work is done by then, and its reader never sees a page that waits
RUNNING, DONE, FAILED, CUT_OFF = "RUNNING", "DONE", "FAILED", "CUT_OFF"

logger = logging.getLogger(__name__)
ProgressCallback = Callable[[int, int], None]


def ignore_progress(done: int, total: int) -> None:
    """For work that nobody waits for beside the page."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One piece of work as it stands.

    Attributes:
        name: names it in an address; nobody can guess it.
        owner: pk of the user who started it.
        label: what it makes, for people.
        state: RUNNING, DONE, FAILED or CUT_OFF (the server stopped in the middle).
        done, total: how far it is, in steps of its own; `total` is 0 before it knows.
        started_at: seconds since the epoch.
        file_name: what its result is called when it is downloaded; empty where it makes none.
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
        """How far it is, in %."""
        return min(100 * self.done // self.total, 100) if self.total else 0

    @property
    def is_running(self) -> bool:
        return self.state == RUNNING

    @property
    def is_done(self) -> bool:
        """Whether its result is there."""
        return self.state == DONE

    @property
    def result(self) -> Path:
        """The file it made."""
        return _folder() / self.name / RESULT


def start(
    *,
    owner: int,
    label: str,
    work: Callable[[ProgressCallback, Path], None],
    file_name: str = "",
    patience: float | None = None,
) -> Task:
    """Begin a piece of work, and wait a moment for it.

    Args:
        owner: pk of the user.
        label: what it makes.
        work: called with a function that takes (steps done, steps in all), and the path to write a result to.
        file_name: what the result is called when it is downloaded.
        patience: how many seconds to wait for it to end; a short while unless told otherwise.

    Returns:
        The task as it stands: already done, unless it is long.
    """
    _sweep()
    task = Task(name=secrets.token_hex(16), owner=owner, label=label, started_at=time.time(), file_name=file_name)
    (_folder() / task.name).mkdir(mode=0o700)
    _write(task)
    if not settings.PMQA_TASKS_IN_BACKGROUND:
        _run(task, work)
        return find(task.name) or task
    language = translation.get_language()

    def run() -> None:
        with translation.override(language):
            _run(task, work)
        connections.close_all()

    thread = threading.Thread(target=run, name=f"task-{task.name[:8]}")
    thread.start()
    thread.join(PATIENCE_SECONDS if patience is None else patience)
    return find(task.name) or task


def find(name: str) -> Task | None:
    """The task with a name; None where there is none, or no longer."""
    file = _folder() / name / STATE
    if not TASK_NAME.fullmatch(name):
        return None
    try:
        task = Task(**json.loads(file.read_text()))
        is_silent = task.state == RUNNING and time.time() - file.stat().st_mtime > DEAD_AFTER_SECONDS
    except (OSError, ValueError, TypeError):
        return None
    return replace(task, state=CUT_OFF) if is_silent else task


def list_for_owner(owner: int) -> list[Task]:
    """A person's tasks that made a file, or will, newest first."""
    found = (find(folder.name) for folder in _folder().iterdir())
    tasks = [task for task in found if task and task.owner == owner and task.file_name]
    return sorted(tasks, key=lambda task: -task.started_at)


def _run(task: Task, work: Callable[[ProgressCallback, Path], None]) -> None:
    """Do the work, telling how far it is and that it lives; whatever it raises ends it as FAILED."""
    lock, ended = threading.Lock(), threading.Event()
    stands = {"done": 0, "total": 0}

    def on_progress(done: int, total: int) -> None:
        with lock:
            if not ended.is_set():
                stands.update(done=done, total=total)
                _write(replace(task, **stands))

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            on_progress(**stands)

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
            _write(replace(task, state=state, **stands))


def _write(task: Task) -> None:
    """Say how a task stands; who reads meanwhile sees the old words or the new, never half of them."""
    folder = _folder() / task.name
    draft = folder / f"{STATE}.{threading.get_ident()}"
    draft.write_text(json.dumps(asdict(task)))
    draft.replace(folder / STATE)


def _folder() -> Path:
    folder = settings.DATA_DIR / "tasks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _sweep() -> None:
    """Remove what nobody has looked after for the time that files are kept."""
    for folder in _folder().iterdir():
        file = folder / STATE
        kept = file if file.exists() else folder
        if TASK_NAME.fullmatch(folder.name) and time.time() - kept.stat().st_mtime > settings.PMQA_KEPT_HOURS * 3600:
            shutil.rmtree(folder, ignore_errors=True)
