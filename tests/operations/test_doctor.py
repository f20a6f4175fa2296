"""`manage.py doctor`: what it finds, what it says to do, and how it ends."""

import json
import socket
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from operations.backup.kept import file_name
from operations.doctor import database_checks, machine_checks
from operations.doctor.settings_checks import check_settings
from operations.findings import Level
from operations.management.commands import doctor
from operations.state import check_database, check_worker
from pmqa_tracker import append_only_triggers
from pmqa_tracker.tasks.models import WorkerProcess
from tests.factories import PlanFactory, UserFactory

pytestmark = pytest.mark.django_db
SMTP = "django.core.mail.backends.smtp.EmailBackend"
GOOD = {
    "SECRET_KEY": "".join(map(chr, range(40, 110))), "SITE_URL": "https://pmqa.example.go.th", "SECURE_SSL": True,
    "ALLOWED_HOSTS": ["pmqa.example.go.th"], "SECURE_SSL_REDIRECT": True, "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True, "PMQA_TODAY": None, "DEFAULT_FROM_EMAIL": "pmqa@example.go.th",
}  # fmt: skip


def set_all(settings, **values):
    for name, value in values.items():
        setattr(settings, name, value)


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({}, Level.OK, "production"),
        ({"SECRET_KEY": "short"}, Level.FAULT, "SECRET_KEY"),
        ({"DEBUG": True}, Level.FAULT, "DEBUG"),
        ({"PMQA_DEMO": True}, Level.FAULT, "PMQA_DEMO"),
        ({"PMQA_TODAY": timezone.now().date()}, Level.FAULT, "PMQA_TODAY"),
        ({"ALLOWED_HOSTS": []}, Level.FAULT, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": ["*"]}, Level.WARNING, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": ["other.go.th"]}, Level.FAULT, "pmqa.example.go.th"),
        ({"SITE_URL": ""}, Level.WARNING, "SITE_URL"),
        ({"SITE_URL": "http://pmqa.example.go.th"}, Level.WARNING, "SITE_URL"),
        ({"SECURE_SSL_REDIRECT": False}, Level.WARNING, "HTTP"),
        ({"EMAIL_BACKEND": SMTP, "DEFAULT_FROM_EMAIL": "pmqa@localhost"}, Level.WARNING, "DEFAULT_FROM_EMAIL"),
    ],
)
def test_settings_of_a_production_site(settings, changes, level, said):
    set_all(settings, **{**GOOD, **changes})
    findings = check_settings()
    assert level in {each.level for each in findings}
    assert any(said in each.said_in("en")["text"] for each in findings)
    assert [each for each in findings if each.level != Level.OK and not each.said_in("th")["advice"]] == []
    for each in findings:
        texts = {**each.said_in("th"), "english": each.said_in("en")["text"]}
        assert texts["text"] != texts["english"]  # in both languages


@pytest.mark.both_databases
def test_database_of_the_tests_is_set_up_as_the_site_needs_it():
    faults = [each.said_in("en")["text"] for each in database_checks.check_engine() if each.level == Level.FAULT]
    expected = ["SQLite does not wait for the disk."] if connection.vendor == "sqlite" else []  # tests/settings.py
    assert faults == expected


def test_database_that_does_not_answer_is_named_without_its_password(monkeypatch):
    def broken(self):
        raise OperationalError("connection refused\nDETAIL: secret")

    monkeypatch.setattr("operations.state.MigrationRecorder.applied_migrations", broken)
    [finding] = check_database()
    assert (finding.level, finding.said_in("en")["text"]) == (
        Level.FAULT, "The database does not answer. (connection refused)"
    )  # fmt: skip
    parts = [each.part for each in doctor.examine("")]
    assert "worker" not in parts
    assert parts.count("database") == 1


def test_worker_that_was_not_seen_lately():
    now = timezone.now()
    assert check_worker(now).level == Level.FAULT
    WorkerProcess.objects.create(name="one", host="here", seen_at=now - timedelta(hours=1))
    assert check_worker(now).level == Level.FAULT
    WorkerProcess.objects.create(name="before the clock was set back", host="here", seen_at=now + timedelta(hours=1))
    assert check_worker(now).level == Level.FAULT
    WorkerProcess.objects.create(name="two", host="here", seen_at=now)
    assert check_worker(now).level == Level.OK


def test_files_that_other_accounts_can_read(settings, tmp_path):
    settings.DATA_DIR, settings.ENV_FILE = tmp_path, str(tmp_path / "env")
    Path(settings.ENV_FILE).touch(mode=0o600)
    tmp_path.chmod(0o700)
    assert [each.level for each in machine_checks.check_files()] == [Level.OK]
    Path(settings.ENV_FILE).chmod(0o644)
    tmp_path.chmod(0o755)
    assert [each.level for each in machine_checks.check_files()] == [Level.WARNING, Level.WARNING]


def test_mail_server_that_does_not_answer(settings):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        set_all(settings, EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=unused.getsockname()[1])
        finding = machine_checks.check_mail("")
    assert (finding.level, "refused" in finding.said_in("en")["text"]) == (Level.FAULT, True)


def test_mail_is_sent_on_request(mailoutbox):
    assert machine_checks.check_mail("somebody@example.go.th").level == Level.OK
    assert [mail.to for mail in mailoutbox] == [["somebody@example.go.th"]]


def test_reminders_that_nobody_sends(settings):
    now = timezone.now()
    settings.EMAIL_BACKEND = SMTP
    assert machine_checks.check_reminders(now).level == Level.OK
    plan = PlanFactory(starts_on=now.date() - timedelta(days=30), ends_on=now.date() + timedelta(days=30))
    assert machine_checks.check_reminders(now).level == Level.WARNING
    reminder = plan.reminders.create(user=UserFactory(), day=now.date(), sent_at=now - timedelta(days=1))
    assert machine_checks.check_reminders(now).level == Level.OK
    plan.reminders.filter(pk=reminder.pk).update(sent_at=now - timedelta(days=30))
    assert machine_checks.check_reminders(now).level == Level.WARNING


def test_backup_that_is_missing_or_old(settings, tmp_path):
    settings.PMQA_BACKUP_DIR, now = tmp_path, timezone.now()
    assert machine_checks.check_backups(now).level == Level.FAULT
    for age, level in ((-1, Level.FAULT), (30, Level.FAULT), (3, Level.WARNING), (0.5, Level.OK)):
        (tmp_path / file_name(now - timedelta(days=age))).touch()
        assert machine_checks.check_backups(now).level == level


@pytest.mark.both_databases
def test_trigger_that_somebody_dropped():
    assert database_checks.check_log_triggers().level == Level.OK
    trigger = next(append_only_triggers._wanted(connection))
    with connection.cursor() as cursor:
        table = "" if connection.vendor == "sqlite" else f' ON "{trigger.table}"'
        cursor.execute(f"DROP TRIGGER {trigger.name}{table}")
    assert database_checks.check_log_triggers().level == Level.FAULT


def test_static_files_that_are_not_collected(monkeypatch):
    monkeypatch.setattr(machine_checks, "staticfiles_storage", SimpleNamespace(hashed_files={"app.js": "app.1.js"}))
    finding = machine_checks.check_static_files()
    assert (finding.level, "collectstatic" in str(finding.advice)) == (Level.FAULT, True)


def test_command_ends_with_one_for_a_fault_and_speaks_both_languages(settings):
    set_all(settings, **GOOD)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=out)
    assert ended.value.code == 1
    assert "✗ accounts: ยังไม่มีผู้ดูแลระบบ / There is no administrator." in out.getvalue()
    assert "→ โปรดใช้คำสั่ง manage.py createsuperuser / Run manage.py createsuperuser." in out.getvalue()


def test_json_names_part_level_and_advice(settings, monkeypatch):
    set_all(settings, **GOOD)
    monkeypatch.setattr(doctor, "check_static_files", lambda: 1 / 0)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--json", stdout=out)
    found = {each["part"]: each for each in json.loads(out.getvalue())}
    assert found["static"]["level"] == "fault"
    assert "ZeroDivisionError" in found["static"]["en"]["text"]
    assert found["mail"]["level"] == "ok"
