"""`manage.py seed`: a second run changes nothing, and user edits are never overwritten."""

import json
import shutil

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from assignments.models import Assignment, Unit
from criteria.models import Category, Criterion, Requirement, Verdict
from plan.models import ActionItem, Period, Plan

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]
MODELS = (Unit, Criterion, Requirement, Verdict, Plan, Period, ActionItem, Assignment)


def state():
    return {
        model.__name__: (
            sorted(model._base_manager.values_list("pk", "version")),
            model.history.count() if hasattr(model, "history") else 0,
        )
        for model in MODELS
    }


def seed(**options):
    call_command("seed", verbosity=0, **options)


@pytest.mark.both_databases
def test_second_seed_changes_nothing(seeded, capsys):
    before = state()
    call_command("seed")
    assert state() == before
    assert "0 records added, 801 already existed" in capsys.readouterr().out


@pytest.mark.both_databases
def test_planner_knows_new_rows_at_once(db):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite plans well without statistics")
    seed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_stats WHERE tablename = 'plan_actionitem' AND attname = 'plan_id'")
        assert cursor.fetchone() == (1,)


def test_edited_records_stay(seeded):
    action = ActionItem.objects.get(ref="1.2.1-A-3")
    action.text, action.last_period = "ข้อความของผู้ประสานงาน", action.first_period
    action.save()
    action.requirements.clear()
    everyone = Unit.objects.get(abbreviation="ทุกหน่วยงาน")
    everyone.members.remove(Unit.objects.get(abbreviation="กค."))
    seed()
    action.refresh_from_db()
    assert (action.text, action.last_period) == ("ข้อความของผู้ประสานงาน", action.first_period)
    assert not action.requirements.exists()
    assert everyone.members.count() == 10


def test_renamed_records_stay_renamed(seeded):
    unit = Unit.objects.get(abbreviation="กพร.")
    unit.abbreviation = "กพร.ใหม่"
    unit.save()
    action = ActionItem.objects.get(ref="1.2.1-A-3")
    action.ref = "1.2.1-A-99"
    action.save()
    criterion = Criterion.objects.get(code="6.4")
    criterion.code = "6.9"
    criterion.save()
    before = state()
    seed()
    assert state() == before


def test_removed_records_stay_removed(seeded):
    Assignment.objects.filter(action__ref="1.1.3-AS-1").first().delete()
    action = ActionItem.objects.get(ref="2.4-A-1")
    action.delete()
    before = state()
    seed()
    assert state() == before
    assert not ActionItem.objects.filter(ref="2.4-A-1").exists()


def test_new_records_are_added(seeded, tmp_path):
    folder = tmp_path / "fixtures"
    shutil.copytree(settings.BASE_DIR / "fixtures", folder)
    row = {
        "model": "criteria.category",
        "fields": {"framework": ["pmqa-2562"], "number": 7, "name": "ผลลัพธ์การดำเนินการ"},
    }
    (folder / "12_more.json").write_text(json.dumps([row]))
    before = state()
    seed(fixtures=folder)
    assert state() == before
    assert Category.objects.get(number=7).name == "ผลลัพธ์การดำเนินการ"
