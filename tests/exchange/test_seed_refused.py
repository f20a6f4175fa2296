"""A broken fixture stops `manage.py seed` with one sentence and writes nothing."""

import json

import pytest
from django.core.management import CommandError, call_command

from criteria.models import Category, Criterion, Requirement

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


def seed(**options):
    call_command("seed", verbosity=0, **options)


def broken(rows):
    return rows if isinstance(rows, str) else json.dumps(rows)


FRAMEWORK = {"model": "criteria.framework", "fields": {"slug": "f1", "name": "x", "edition": "y", "fiscal_year": 2562}}
CATEGORY = {"model": "criteria.category", "fields": {"framework": ["f1"], "number": 1, "name": "การนำองค์การ"}}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("[{", "is not JSON"),
        ({"a": 1}, "must be a list"),
        ([FRAMEWORK, CATEGORY, "row"], "row 3: a row must be"),
        ([FRAMEWORK, CATEGORY, {"model": "plan.nothing", "fields": {}}], "row 3: “plan.nothing” is not a model"),
        (
            [FRAMEWORK, CATEGORY, {"model": "plan.progressupdate", "fields": {}}],
            "row 3: “plan.progressupdate” is not a model",
        ),
        ([FRAMEWORK, CATEGORY, {"model": "criteria.category", "fields": {"size": 1}}], "has no field “size”"),
        (
            [
                FRAMEWORK,
                CATEGORY,
                {"model": "criteria.category", "fields": {"framework": ["f1"], "number": "x", "name": "y"}},
            ],
            "row 3: number",
        ),
        (
            [FRAMEWORK, CATEGORY, {"model": "criteria.category", "fields": {"framework": ["f1"], "number": 2}}],
            "row 3: name",
        ),
        (
            [
                FRAMEWORK,
                CATEGORY,
                {"model": "criteria.category", "fields": {"framework": ["f1"], "number": [2], "name": "y"}},
            ],
            "row 3",
        ),
        (
            [
                FRAMEWORK,
                CATEGORY,
                {"model": "criteria.criterion", "fields": {"code": "9.1", "category": ["f1", 9], "title": "x"}},
            ],
            "row 3: there is no criteria.Category ['f1', 9]",
        ),
        (
            [
                FRAMEWORK,
                CATEGORY,
                {"model": "criteria.criterion", "fields": {"code": "9.1", "category": 1, "title": "x"}},
            ],
            "write its key as a list",
        ),
        (
            [
                FRAMEWORK,
                CATEGORY,
                {"model": "criteria.criterion", "fields": {"code": "9.1", "category": ["f1", 1, 2], "title": "x"}},
            ],
            "too many parts",
        ),
        (
            [
                FRAMEWORK,
                CATEGORY,
                {"model": "criteria.criterion", "fields": {"code": "9.1", "category": [], "title": "x"}},
            ],
            "too few parts",
        ),
    ],
)
def test_a_broken_fixture_stops_with_one_sentence_and_writes_nothing(tmp_path, rows, message):
    (tmp_path / "broken.json").write_text(broken(rows))
    with pytest.raises(CommandError) as error:
        seed(fixtures=tmp_path)
    sentence = str(error.value)
    assert message in sentence
    assert sentence.startswith("broken.json")
    assert len(sentence.splitlines()) == 1
    for model in (Category, Criterion, Requirement):
        assert not model.objects.exists()
        assert not model.history.exists()


@pytest.mark.both_databases
def test_database_constraint_is_reported(tmp_path):
    requirement = {"model": "criteria.requirement", "fields": {"criterion": ["f1", "1.1"], "level": 7, "text": ""}}
    criterion = {"model": "criteria.criterion", "fields": {"code": "1.1", "category": ["f1", 1], "title": "x"}}
    (tmp_path / "a.json").write_text(json.dumps([FRAMEWORK, CATEGORY, criterion, requirement]))
    with pytest.raises(CommandError, match=r"a\.json, row 4"):
        seed(fixtures=tmp_path)
    assert not Criterion.objects.exists()


def test_empty_or_missing_folder_is_reported(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CommandError, match="holds no fixture files"):
            seed(fixtures=folder)
