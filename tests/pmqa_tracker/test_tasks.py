"""Background tasks: the queue, the worker, tasks of workers that died, and the clean-up."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils import timezone, translation
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from pmqa_tracker.tasks.models import BackgroundTask, TaskState, WorkerProcess, prepared_storage, worker_seen_at
from pmqa_tracker.tasks.queue import find, list_for_owner, start
from pmqa_tracker.tasks.run import background_task
from pmqa_tracker.tasks.worker import DEAD_AFTER_SECONDS, MAX_ATTEMPTS, Worker, give_back

DATABASE = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


@background_task(is_repeatable=True)
def write_text(on_progress, result, *, text):
    on_progress(3, 10)
    result.write_text(f"{text} {translation.get_language()} {timezone.get_current_timezone_name()}")


@background_task(is_repeatable=False)
def fail(on_progress, result):
    result.write_text("half")
    raise RuntimeError("broken")


def begin(work=write_text, **arguments):
    """Start a task without waiting for it."""
    return start(work, owner=1, label="งาน", file_name="ก.xlsx", patience=0, **arguments)


@pytest.fixture
def queue(settings):
    settings.TASKS = DATABASE


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_worker_runs_what_was_queued_in_its_language_and_zone(queue):
    with translation.override("en"), timezone.override("Asia/Tokyo"):
        task = begin(text="ข้อความ")
    broken = begin(fail)
    removed = begin(text="ถูกลบ")
    BackgroundTask.objects.filter(name=removed.name).delete()
    assert (task.state, task.is_running, task.has_worker, worker_seen_at()) == (TaskState.WAITING, True, False, None)
    Worker(worker_id="one", batch=True).run()
    task = find(task.name)
    assert (task.state, task.worker, task.done, task.total, task.percent) == (TaskState.DONE, "one", 3, 10, 30)
    assert task.result.read().decode() == "ข้อความ en Asia/Tokyo"
    assert task.has_worker
    assert timezone.now() - worker_seen_at() < timedelta(seconds=60)
    assert (find(broken.name).state, find(broken.name).result.name) == (TaskState.FAILED, "")
    assert [each.name for each in list_for_owner(1)] == [broken.name, task.name]
    assert list_for_owner(2) == []
    assert find("../../etc") is None
    assert not DBTaskResult.objects.ready().exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("is_repeatable", "attempts", "state", "expected"),
    [
        (True, 1, TaskState.RUNNING, TaskState.WAITING),
        (True, MAX_ATTEMPTS, TaskState.RUNNING, TaskState.CUT_OFF),  # it kills its workers
        (False, 1, TaskState.RUNNING, TaskState.CUT_OFF),
        (False, 1, TaskState.WAITING, TaskState.WAITING),  # claimed, and not begun
        (True, 1, TaskState.DONE, TaskState.DONE),
    ],
)
def test_task_of_dead_worker_is_taken_up_or_reported(queue, is_repeatable, attempts, state, expected):
    task = begin(text="ก")
    BackgroundTask.objects.update(state=state, worker="dead", is_repeatable=is_repeatable, seen_at=timezone.now())
    DBTaskResult.objects.update(
        status=TaskResultStatus.RUNNING, started_at=timezone.now(), worker_ids=["dead"] * attempts
    )
    worker = Worker(worker_id="next", batch=True)
    worker._take_up(100)
    BackgroundTask.objects.update(seen_at=timezone.now() + timedelta(seconds=1))
    worker._take_up(100 + 2 * DEAD_AFTER_SECONDS)  # it has shown a sign of life
    assert find(task.name).state == state
    assert DBTaskResult.objects.running().exists()
    worker._take_up(100 + 4 * DEAD_AFTER_SECONDS)
    assert find(task.name).state == expected
    assert DBTaskResult.objects.ready().exists() == (expected == TaskState.WAITING)
    assert not DBTaskResult.objects.running().exists()


@pytest.mark.django_db
def test_only_one_worker_takes_a_task_up(queue):
    task = begin(text="ก")
    BackgroundTask.objects.update(state=TaskState.RUNNING, worker="dead")
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=timezone.now(), worker_ids=["dead"])
    seen = DBTaskResult.objects.get(), find(task.name)
    give_back(*seen)
    BackgroundTask.objects.update(state=TaskState.RUNNING, worker="second")
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, worker_ids=["dead", "second"])
    DBTaskResult.objects.update(started_at=timezone.now())
    give_back(*seen)
    assert (find(task.name).state, find(task.name).worker) == (TaskState.RUNNING, "second")


@pytest.mark.django_db
def test_clean_up_removes_old_tasks_and_files(queue, settings):
    storage = prepared_storage()
    old, new = begin(text="เก่า"), begin(text="ใหม่")
    for folder in ("uploads", "results"):
        storage.save(f"{folder}/0", ContentFile(b"0"))
    WorkerProcess.objects.create(name="old", host="h", seen_at=timezone.now() - timedelta(days=2))
    call_command("clean_up", verbosity=0)
    assert (BackgroundTask.objects.count(), storage.exists("uploads/0"), worker_seen_at()) == (2, True, None)
    BackgroundTask.objects.filter(name=old.name).update(created_at=timezone.now() - timedelta(hours=25))
    call_command("clean_up", verbosity=0)
    assert list(BackgroundTask.objects.all()) == [new]
    settings.PMQA_KEPT_HOURS = -1
    call_command("clean_up", verbosity=0)
    assert (storage.exists("uploads/0"), storage.exists("results/0")) == (False, False)
    assert not DBTaskResult.objects.exists()
