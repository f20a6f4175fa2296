"""Delete what is no longer needed. A worker does it once an hour, `manage.py clean_up` does it now.

A room registers its own clean-up beside its models: `register(remove_leftovers)`.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import Storage
from django_tasks_db.models import DBTaskResult

from pmqa_tracker.tasks.models import RESULTS, UPLOADS, BackgroundTask, WorkerProcess, prepared_storage

logger = logging.getLogger(__name__)
CleanUp = Callable[[datetime], int]  # takes the present moment, returns the number of things deleted
KEPT_WORKERS = timedelta(days=1)
_registered: dict[str, CleanUp] = {}


def register(clean_up: CleanUp) -> None:
    """Add a clean-up. It must do no harm when two processes run it at the same moment."""
    _registered[f"{clean_up.__module__}.{clean_up.__qualname__}"] = clean_up


def clean_up_all(at: datetime) -> dict[str, int | None]:
    """Run every clean-up; return name → number of things deleted, None for one that failed."""
    deleted: dict[str, int | None] = {}
    for name, clean_up in _registered.items():
        try:
            deleted[name] = clean_up(at)
        except Exception:
            logger.exception("A clean-up failed: %s", name)
            deleted[name] = None
    return deleted


def remove_old_tasks(at: datetime) -> int:
    """Delete the tasks older than `PMQA_KEPT_HOURS`; one that no worker has begun by then is given up."""
    before = at - timedelta(hours=settings.PMQA_KEPT_HOURS)
    count, _models = BackgroundTask.objects.filter(created_at__lt=before).delete()
    DBTaskResult.objects.filter(enqueued_at__lt=before).delete()
    WorkerProcess.objects.filter(seen_at__lt=at - KEPT_WORKERS).delete()
    return count


def remove_prepared_files(at: datetime) -> int:
    """Delete the uploads and results in the storage of prepared files that are older than `PMQA_KEPT_HOURS`."""
    storage = prepared_storage()
    before = at - timedelta(hours=settings.PMQA_KEPT_HOURS)
    return sum(remove_old_files(storage, folder, before) for folder in (UPLOADS, RESULTS))


def remove_old_files(storage: Storage, folder: str, before: datetime) -> int:
    """Delete the files of a folder of a storage that have not changed since a moment; return how many."""
    try:
        _folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return 0
    count = 0
    for name in names:
        path = f"{folder}/{name}"
        try:
            if storage.get_modified_time(path) < before:
                storage.delete(path)
                count += 1
        except FileNotFoundError:  # another process was first
            continue
    return count


register(remove_old_tasks)
register(remove_prepared_files)
