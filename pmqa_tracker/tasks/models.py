"""What users see of a background task, and the signs of life of the worker processes."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Exists
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.clock import SLACK

NAME = re.compile(r"[0-9a-f]{32}")
UPLOADS, RESULTS = "uploads", "results"  # folders in the storage of prepared files
MISSING_AFTER = timedelta(seconds=15)  # a worker that has been silent for so long is not running

ProgressCallback = Callable[[int, int], None]


def ignore_progress(done: int, total: int) -> None:
    """Progress callback that does nothing."""


def prepared_storage() -> Storage:
    """Return the storage of uploads and result files; all web servers and workers share it."""
    return storages["prepared"]


def new_name() -> str:
    """Return a random name for a task."""
    return secrets.token_hex(16)


class TaskState(models.TextChoices):
    """State of a background task."""

    WAITING = "WAITING", _("Waiting")
    RUNNING = "RUNNING", _("Running")
    DONE = "DONE", _("Done")
    FAILED = "FAILED", _("Failed")
    CUT_OFF = "CUT_OFF", _("Cut off")  # its worker was stopped, and it must not run twice


class BackgroundTaskQuerySet(models.QuerySet["BackgroundTask"]):
    """Background tasks."""

    def with_worker(self) -> "BackgroundTaskQuerySet":
        """Annotate `has_worker`: whether any worker process is running."""
        return self.annotate(has_worker=Exists(WorkerProcess.objects.alive(at=timezone.now())))


class BackgroundTask(models.Model):
    """A task in the background with its progress and result file.

    `name` is random, because it is used in URLs. `owner` is the pk of the user who started it: the frame knows no
    users. Only the worker that runs a task writes its progress and result.
    """

    name = models.CharField(max_length=32, unique=True, default=new_name, editable=False)
    owner = models.BigIntegerField(db_index=True)
    label = models.TextField()
    state = models.CharField(max_length=10, choices=TaskState, default=TaskState.WAITING)
    is_repeatable = models.BooleanField(default=False, help_text="Runs again if its worker dies")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0, help_text="Steps; 0 while unknown")
    file_name = models.TextField(blank=True, help_text="Download name of the result; empty without a result file")
    result = models.FileField(storage=prepared_storage, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    worker = models.CharField(max_length=64, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True, help_text="Last sign of life of its worker")

    objects = BackgroundTaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("background task")
        verbose_name_plural = _("background tasks")
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=TaskState.values), name="background_task_state_known"),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def percent(self) -> int:
        """Progress in %."""
        return min(100 * self.done // self.total, 100) if self.total else 0

    @property
    def is_running(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (TaskState.WAITING, TaskState.RUNNING)

    @property
    def is_waiting(self) -> bool:
        """Whether no worker has begun it yet."""
        return self.state == TaskState.WAITING

    @property
    def is_done(self) -> bool:
        """Whether the work has ended and its result is available."""
        return self.state == TaskState.DONE


class WorkerProcessQuerySet(models.QuerySet["WorkerProcess"]):
    """Worker processes."""

    def alive(self, *, at: datetime) -> "WorkerProcessQuerySet":
        """Return those that have given a sign of life shortly before a moment."""
        return self.filter(seen_at__range=(at - MISSING_AFTER, at + SLACK))


class WorkerProcess(models.Model):
    """A worker process and its last sign of life."""

    name = models.CharField(max_length=64, unique=True)
    host = models.TextField()
    seen_at = models.DateTimeField(db_index=True)

    objects = WorkerProcessQuerySet.as_manager()

    class Meta:
        verbose_name = _("worker process")
        verbose_name_plural = _("worker processes")

    def __str__(self) -> str:
        return f"{self.name} ({self.host})"


def worker_seen_at() -> datetime | None:
    """Return the last sign of life of any worker process; None if there never was one, or not for a day."""
    seen: dict[str, Any] = WorkerProcess.objects.aggregate(last=models.Max("seen_at"))
    return seen["last"]
