"""`manage.py set_up`: the second start of `make run` looks at nothing that has not changed."""

import os
from datetime import date
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from assignments.access import RoleGroup
from assignments.models import User
from operations.management.commands.set_up import state_of_site
from pmqa_tracker.transactions import write_transaction
from tests.reports.test_read_only import writes_refused

pytestmark = pytest.mark.django_db


def set_up():
    out = StringIO()
    call_command("set_up", stdout=out)
    first, _line, accounts = out.getvalue().partition("Accounts, for this machine only:\n")
    return first, accounts


def test_second_start_changes_nothing_and_names_the_same_accounts(demo, settings, tmp_path):
    settings.DATA_DIR, settings.PORT = tmp_path / "data", 8123
    first, accounts = set_up()
    assert first == "Plan: 0 records added, 801 already existed.\nDemo: 0 updates and 0 submissions added.\n"
    assert accounts.count(settings.PMQA_DEMO_PASSWORD) == 5
    assert settings.PMQA_DEMO_PASSWORD not in (tmp_path / "data/set-up.json").read_text()
    with writes_refused():
        assert set_up() == ("The database and the plan are up to date.\n", accounts)
    assert (tmp_path / "data/port").read_text() == "8123"
    (tmp_path / "data/set-up.json").write_text("{")
    settings.PMQA_DEMO = False
    assert "PMQA_DEMO is off" in set_up()[0]


def test_everything_that_the_set_up_depends_on_changes_its_state(demo, settings, tmp_path):
    settings.BASE_DIR = tmp_path
    files = ["plan/migrations/0001_initial.py", "fixtures/plans/a/b.json", "requirements.txt"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    seen = {state_of_site()}
    assert seen == {state_of_site()}
    for number, name in enumerate(files):
        os.utime(tmp_path / name, (number, number))
        seen.add(state_of_site())
    (tmp_path / files[1]).write_text("[]")  # another release, copied with the same times
    os.utime(tmp_path / files[1], (1, 1))
    seen.add(state_of_site())
    settings.PMQA_DEMO_PASSWORD = "another"
    seen.add(state_of_site())
    settings.PMQA_TODAY = date(2020, 1, 2)
    seen.add(state_of_site())
    with write_transaction():
        staff = User.objects.get(username="staff")
        staff.set_password("changed")
        staff.save()
        seen.add(state_of_site())
        Group.objects.filter(name=RoleGroup.STAFF).delete()
    seen.add(state_of_site())
    MigrationRecorder(connection).record_applied("plan", "0001_initial")  # at another moment in another database
    seen.add(state_of_site())
    assert len(seen) == 10
