"""The check of a record in memory accepts and refuses exactly what the database does."""

from itertools import product
from random import Random
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from plan.models import ActionItem, ProgressUpdate, Status
from pmqa_tracker import clock
from pmqa_tracker.constraints import check_constraints, explain_violation
from tests import sizes
from tests.rooms import ROOMS

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
UPDATES = {
    "status_from": Status.values, "status_to": [*Status.values, "LATE"],
    "progress_from": [0, 50], "progress_to": [0, 50, 100, 101],
    "problem": ["", "ติดขัด"], "reason": ["", "ทบทวน"], "is_unchanged": [False, True], "source": ["IMPORT", "UNDO"],
    "import_key": [None, uuid4()],
}  # fmt: skip
ACTIONS = {
    "ref": ["1.1-A-2", "1/2", ".."], "status": [*Status.values, "LATE"], "progress": [0, 40, 100, 101],
    "first_period": [False, True], "last_period": [False, True],
}  # fmt: skip


def sampled(values, count):
    """Some combinations of values, by field."""
    rows = list(product(*values.values()))
    chosen = Random(sizes.SEED).sample(rows, sizes.scaled(count))  # noqa: S311 - nothing here is secret
    return [dict(zip(values, row, strict=True)) for row in chosen]


def refused_in_memory(record):
    try:
        check_constraints(record)
    except ValidationError as error:
        return error.messages
    return []


def refused_by_database(record):
    try:
        with transaction.atomic():
            type(record)._base_manager.bulk_create([record])
            transaction.set_rollback(True)
    except IntegrityError as error:
        return explain_violation(error).messages
    return []


def judged(records):
    """How many of the records are refused; both must agree, and name one of the broken constraints."""
    refused = 0
    for record in records:
        messages = refused_by_database(record)
        record.pk = None
        assert bool(messages) == bool(refused_in_memory(record)), (vars(record), messages)
        names = {str(each.get_violation_error_message()) for each in record._meta.constraints}
        assert {*messages, *refused_in_memory(record)} <= names
        refused += bool(messages)
    return refused


def test_updates(action, coordinator):
    made = {"action": action, "version": 2, "author": coordinator, "at": clock.now()}
    rows = sampled(UPDATES, 1_500)
    assert 0 < judged(ProgressUpdate(op_id=uuid4(), **made, **row) for row in rows) < len(rows)


def test_actions(action):
    made = {"plan": action.plan, "criterion": action.criterion, "text": "จัดทำคู่มือ"}
    period = action.plan.periods.first()
    rows = [
        row | {name: period if row[name] else None for name in ("first_period", "last_period")}
        for row in sampled(ACTIONS, 250)
    ]
    assert 0 < judged(ActionItem(**made, **row) for row in rows) < len(rows)


def test_every_check_constraint_of_the_site_can_be_checked():
    from django.apps import apps

    checked = 0
    for model in (each for each in apps.get_models() if each.__module__.startswith(ROOMS)):
        checked += any(isinstance(each, models.CheckConstraint) for each in model._meta.constraints)
        refused_in_memory(model())
    assert checked > 10
