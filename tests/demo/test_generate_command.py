"""`manage.py generate`: the same rows for the same options, all or nothing, in batches, and never into real data."""

import random
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from assignments.models import Organization, User
from demo.world import batches
from plan.models import ActionItem, LogLink, Plan
from tests.factories import PlanFactory, UserFactory
from tests.snapshot import LEFT, models

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]
SMALL = {"organizations": 2, "plans": 4, "actions": 6, "verbosity": 0}


@pytest.fixture(autouse=True)
def _demonstration(settings):
    settings.PMQA_DEMO = True


def generate(**options):
    call_command("generate", **SMALL | options)


def tables():
    """All but the links of logs: their hashes cover keys."""
    return [model for model in models() if model._meta.db_table not in LEFT and model is not LogLink]


def numbers_of_rows():
    return {model: model._base_manager.count() for model in tables()}


def rows_after(before):
    """Return the rows that came after `before`, by model; keys are replaced by the place of the row among those."""
    places = {}
    for model in tables():
        keys = model._base_manager.order_by("pk").values_list("pk", flat=True)
        places[model] = {pk: place for place, pk in enumerate(keys, start=-before[model])}

    def plain(record, field):
        value = getattr(record, field.attname)
        if field.is_relation:
            return places[field.related_model].get(value)
        is_key = field.primary_key or field.name == "id"  # a history has the key of its record as a number
        return None if is_key else value

    return {
        model: sorted(
            (
                [plain(record, field) for field in model._meta.concrete_fields]
                for record in model._base_manager.order_by("pk")[before[model] :]
            ),
            key=repr,
        )
        for model in tables()
    }


def test_same_options_give_the_same_rows(db):
    """Also beside another world and after other random numbers."""
    with transaction.atomic():
        before = numbers_of_rows()
        generate(seed=1)
        first = rows_after(before)
        transaction.set_rollback(True)
    generate(seed=2)
    random.seed(5)
    before = numbers_of_rows()
    generate(seed=1)
    assert rows_after(before) == first
    assert len(first[ActionItem]) == 24


def test_number_of_statements_depends_on_batches_only(monkeypatch):
    monkeypatch.setattr(connection.features, "max_query_params", 32_000)
    monkeypatch.setattr(batches, "ROWS_PER_STATEMENT", 10_000)

    def statements(**options):
        with CaptureQueriesContext(connection) as queries:
            generate(**options, actions=20)
        return len(queries)

    assert statements(seed=1, organizations=5, plans=10) == statements(seed=2, organizations=10, plans=20)


@pytest.mark.parametrize(
    ("prepare", "options", "message"),
    [
        (partial(UserFactory, username="somchai"), {}, "without real accounts"),
        (partial(generate, seed=3), {"seed": 3}, "is there already"),
        (lambda: None, {"plans": 100}, "at most 40 plans"),
        (lambda: None, {"organizations": 0}, "organizations must be at least 1"),
    ],
)
def test_refused(prepare, options, message):
    prepare()
    before = numbers_of_rows()
    with pytest.raises(CommandError, match=message):
        generate(**options)
    assert numbers_of_rows() == before


def test_refused_outside_a_demonstration_unless_forced(settings):
    settings.PMQA_DEMO = False
    with pytest.raises(CommandError, match="PMQA_DEMO=True"):
        generate()
    assert not Organization.objects.exists()
    UserFactory(username="somchai")
    generate(force=True)
    assert Plan.objects.count() == 4
    assert not any(user.has_usable_password() for user in User.objects.filter(is_demo=True))


@pytest.mark.both_databases
def test_all_or_nothing():
    PlanFactory(slug="generated-1-2-2563")
    before = numbers_of_rows()
    with pytest.raises(IntegrityError), transaction.atomic():
        generate()
    assert numbers_of_rows() == before


def test_output_names_what_was_added(capsys):
    generate(verbosity=1)
    assert "World 1, as of 2020-05-15:" in (output := capsys.readouterr().out)
    assert "24 ActionItem" in output
