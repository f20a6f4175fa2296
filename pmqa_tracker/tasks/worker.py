"""The worker process: runs background tasks one after another, and takes up those of workers that died."""

import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.db import DatabaseError, connections
from django.utils import timezone
from django_tasks import DEFAULT_TASK_BACKEND_ALIAS, DEFAULT_TASK_QUEUE_NAME, TaskResultStatus
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from pmqa_tracker.tasks.chores import run_chores
from pmqa_tracker.tasks.clean_up import clean_up_all
from pmqa_tracker.tasks.models import BackgroundTask, TaskState, WorkerProcess
from pmqa_tracker.tasks.priority import mark_as_worker
from pmqa_tracker.tasks.run import running
from pmqa_tracker.transactions import write_transaction

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.2  # between two looks into the queue
BUSY_BEAT_SECONDS, IDLE_BEAT_SECONDS = 1.0, 5.0
DEAD_AFTER_SECONDS = 15.0  # a task without a sign of life for so long has lost its worker
CHECK_SECONDS = 2.0  # between two looks for such tasks
CHORE_SECONDS = 5.0
CLEAN_UP_SECONDS = 3600.0
STOP_SECONDS = 20  # a running task may still end after the process was told to stop
MAX_ATTEMPTS = 3  # a task that kills its workers is given up


class StoppedError(BaseException):
    """The process was told to stop, and the running task did not end in time."""


class Worker(db_worker.Worker):
    """A worker of django-tasks-db that shows signs of life, and takes up the tasks of dead workers."""

    def __init__(self, *, worker_id: str, batch: bool = False) -> None:
        super().__init__(
            queue_names=[DEFAULT_TASK_QUEUE_NAME], excluded_queue_names=[], backend_name=DEFAULT_TASK_BACKEND_ALIAS,
            interval=0, batch=True, startup_delay=False, max_tasks=None, worker_id=worker_id,
        )  # fmt: skip
        self.ends_when_idle = batch
        self.ended = threading.Event()
        self.silent: dict[Any, tuple[Any, float]] = {}  # queued task → sign of life, and when this worker saw it first
        self.checked_at = self.cleaned_at = self.chores_at = float("-inf")
        self.has_chores = False

    def run(self) -> None:
        """Run tasks until the process is told to stop; with `batch` until the queue is empty."""
        with self._beating():
            while self.running:
                try:
                    self._housekeep()
                    # db_worker looks with a lock, which would keep others from writing to SQLite.
                    if DBTaskResult.objects.ready().exists():
                        super().run()  # until the queue is empty
                    elif self.ends_when_idle:
                        return
                    else:
                        time.sleep(LOOK_SECONDS)
                except DatabaseError:
                    logger.warning("The database does not answer; the worker tries again.", exc_info=True)
                    connections.close_all()
                    time.sleep(IDLE_BEAT_SECONDS)

    def run_task(self, db_task_result: DBTaskResult) -> None:
        """Run a task; if the process was told to stop in the middle of it, put it back for the next worker."""
        super().run_task(db_task_result)
        signal.alarm(0)
        task = find_task(db_task_result)
        if task and task.state == TaskState.RUNNING and task.worker == self.worker_id:
            give_back(db_task_result, task)

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Stop after the running task, which has some seconds to end; a second signal stops at once."""
        if not self.running_task:
            raise SystemExit(0)
        if not self.running:
            raise StoppedError
        self.running = False
        signal.alarm(STOP_SECONDS)

    def configure_signals(self) -> None:
        super().configure_signals()
        signal.signal(signal.SIGALRM, self.shutdown)

    def _housekeep(self) -> None:
        """Take up tasks of dead workers and do chores every few seconds, and clean up once an hour."""
        now = time.monotonic()
        if now - self.cleaned_at > CLEAN_UP_SECONDS:
            self.cleaned_at = now
            clean_up_all(timezone.now())
        if now - self.checked_at > CHECK_SECONDS:
            self.checked_at = now
            self._take_up(now)
        if self.has_chores or now - self.chores_at > CHORE_SECONDS:
            self.chores_at = now
            self.has_chores = run_chores()

    def _take_up(self, now: float) -> None:
        """Give back the tasks whose sign of life has not changed while this worker looked; clocks may differ."""
        before, self.silent = self.silent, {}
        for queued in DBTaskResult.objects.running():
            task = find_task(queued)
            sign = (queued.started_at, task and (task.state, task.seen_at))
            known, since = before.get(queued.pk, (None, now))
            self.silent[queued.pk] = (sign, since if known == sign else now)
            if known == sign and now - since > DEAD_AFTER_SECONDS:
                give_back(queued, task)

    @contextmanager
    def _beating(self) -> Iterator[None]:
        """Show signs of life from another thread during the block."""
        thread = threading.Thread(target=self._beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.ended.set()

    def _beat(self) -> None:
        next_idle = 0.0
        while True:
            try:
                if time.monotonic() >= next_idle:
                    next_idle = time.monotonic() + IDLE_BEAT_SECONDS
                    own = WorkerProcess.objects.filter(name=self.worker_id)
                    if not own.update(seen_at=timezone.now()):
                        own.create(name=self.worker_id, host=socket.gethostname(), seen_at=timezone.now())
                for name, progress in list(running.items()):
                    BackgroundTask.objects.filter(name=name, worker=self.worker_id, state=TaskState.RUNNING).update(
                        seen_at=timezone.now(), done=progress.done, total=progress.total
                    )
            except DatabaseError:
                logger.warning("The worker could not show a sign of life.", exc_info=True)
                connections.close_all()
            if self.ended.wait(BUSY_BEAT_SECONDS):
                connections.close_all()
                return


def find_task(queued: DBTaskResult) -> BackgroundTask | None:
    """Return the task that stands in the queue; None if it was removed."""
    return BackgroundTask.objects.filter(name=queued.args_kwargs["kwargs"].get("name", "")).first()


def give_back(queued: DBTaskResult, task: BackgroundTask | None) -> None:
    """Queue a task again whose worker stopped in the middle; one that must not run twice is reported as cut off."""
    is_open = task is not None and task.is_running
    is_again = is_open and (task.is_repeatable or task.is_waiting) and len(queued.worker_ids) < MAX_ATTEMPTS
    status = TaskResultStatus.READY if is_again else TaskResultStatus.FAILED
    claimed = DBTaskResult.objects.filter(pk=queued.pk, status=queued.status, started_at=queued.started_at)
    with write_transaction():
        if not claimed.update(status=status) or not is_open:
            return
        state = TaskState.WAITING if is_again else TaskState.CUT_OFF
        BackgroundTask.objects.filter(pk=task.pk, state=task.state, worker=task.worker).update(
            state=state, worker="", done=0, total=0
        )
    logger.warning("A task lost its worker and is now %s: %s", state, task.name)


def run_worker(*, batch: bool = False, worker_id: str) -> None:
    """Run a worker in this process until it is told to stop."""
    mark_as_worker()
    worker = Worker(worker_id=worker_id, batch=batch)
    worker.configure_signals()
    worker.run()
