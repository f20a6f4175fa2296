"""`manage.py demo` refuses to run without its settings, without the plan or with real accounts."""

import pytest
from django.core.management import CommandError, call_command

from assignments.models import User
from plan.models import Plan, ProgressUpdate
from tests.conftest import DEMO_PASSWORD as PASSWORD
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


@pytest.mark.parametrize(("is_demo", "password"), [(False, PASSWORD), (True, "")])
def test_demo_needs_settings(seeded, settings, is_demo, password):
    settings.PMQA_DEMO, settings.PMQA_DEMO_PASSWORD = is_demo, password
    with pytest.raises(CommandError, match="Set PMQA_DEMO=True and PMQA_DEMO_PASSWORD first"):
        call_command("demo")
    assert not User.objects.exists()


def test_demo_needs_the_plan(seeded, settings):
    Plan.objects.update(slug="another")
    settings.PMQA_DEMO, settings.PMQA_DEMO_PASSWORD = True, PASSWORD
    with pytest.raises(CommandError, match=r"run manage\.py seed first"):
        call_command("demo")


def test_demo_refuses_existing_real_account(seeded, settings):
    settings.PMQA_DEMO, settings.PMQA_DEMO_PASSWORD = True, PASSWORD
    UserFactory(username="coordinator")
    with pytest.raises(CommandError, match="real account"):
        call_command("demo")
    assert User.objects.count() == 1
    assert not ProgressUpdate.objects.exists()
