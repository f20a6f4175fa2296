"""Thai order in Python, on SQLite, and on PostgreSQL with another collation."""

from random import Random

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import CharField, F, TextField
from django.db.models.functions import Lower
from django.urls import reverse

from assignments.models import Unit, User
from pmqa_tracker import thai
from pmqa_tracker.database_text import by_thai, in_thai_order
from tests import factories, ordering, revision_guard
from tests.append_only import rewrite
from tests.factories import UnitFactory, UserFactory

# In the order of a Thai dictionary and of the collation of the ICU library.
SORTED = [
    "1", "๑", "10", "๑๐", "2", "๒", "กก", "ก น", "ก.น", "กน.", "กนก", "กมล", "กรม", "กรมฯ", "กรม ก",
    "กรมก", "กา", "กาก", "กำ", "กำก", "กิ", "กุ", "กู", "กู่", "เก", "เกษม", "แก", "แก้ว", "โก", "ใก",
    "ไก", "ขวัญ", "ผ", "ผ้", "ผู", "ผู้", "ผูก", "ผู้ก", "แผน", "“แผน”", "แผนก", "ร", "(ร่าง) แผน", "รู",
    "ฤ", "ฤดู", "ล", "ฦ", "สตว", "สตฺว", "สัตว", "สัตว์", "abc", "ABC", "Abd",
]  # fmt: skip
UNITS = [word for word in SORTED if word != "ABC"]  # no two units differ in case only
SCREENS = list(admin.site._registry.values())


def shuffled(words):
    return Random(2563).sample(words, len(words))  # noqa: S311


def test_python_sorts_in_dictionary_order():
    assert sorted(shuffled(SORTED), key=thai.sort_key) == SORTED


@pytest.mark.django_db
@pytest.mark.both_databases
def test_database_sorts_in_dictionary_order():
    """Neither SQLite nor the tests' PostgreSQL, whose locale is C.UTF-8, sorts Thai by itself."""
    for number, word in enumerate(shuffled(SORTED)):
        UserFactory(first_name=word, username=f"u{number}")
    people = User.objects.exclude(first_name="")
    with connection.cursor() as cursor:
        cursor.execute("SELECT first_name FROM assignments_user WHERE first_name <> '' ORDER BY first_name")
        assert [word for (word,) in cursor.fetchall()] == sorted(SORTED)
    names = people.values_list("first_name", flat=True)
    assert list(names.order_by(by_thai("first_name"))) == SORTED
    assert list(names.order_by(by_thai("first_name").desc())) == SORTED[::-1]
    assert list(names.order_by(*in_thai_order(User, ["-first_name", "pk"]))) == SORTED[::-1]


@pytest.mark.django_db
@pytest.mark.both_databases
def test_units_and_criteria_are_in_thai_order():
    for word in shuffled(UNITS):
        UnitFactory(abbreviation=word, position=1)
    assert list(Unit.objects.in_order().values_list("abbreviation", flat=True)) == UNITS


def test_order_by_the_database_collation_fails():
    """The guard of all queries in tests must work."""
    for loose in ("first_name", "-first_name", Lower("first_name"), F("first_name").desc()):
        assert [ordering.is_loose(order) for order in orders_of(loose)] == [True]
    assert not any(ordering.is_loose(order) for order in orders_of(by_thai("first_name"), "pk", "is_active"))


def orders_of(*names):
    return [order for order, _sql in User.objects.order_by(*names).query.get_compiler("default").get_order_by()]


def test_guard_checks_queries_of_the_site_but_not_of_tests():
    """It checks queries of the site, also below a test client; a query of a test itself may use any order."""
    asked = {}
    exec(compile("def ask(): return is_of_a_test()", revision_guard.ROOT / "plan" / "made_up.py", "exec"), asked)  # noqa: S102
    asked["is_of_a_test"] = ordering.is_of_a_test
    assert (asked["ask"](), ordering.is_of_a_test()) == (False, True)


@pytest.mark.django_db
@pytest.mark.parametrize("screen", SCREENS, ids=lambda each: each.model.__name__)
def test_admin_list_is_in_thai_order_by_every_column(client, screen):
    """The guard of all queries fails if the database decides the order."""
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    address = reverse(f"admin:{screen.opts.app_label}_{screen.opts.model_name}_changelist")
    for place in range(len(client.get(address).context["cl"].list_display)):
        for sign in ("", "-"):
            assert client.get(address, {"o": f"{sign}{place}"}).status_code == 200


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize("sign", ["", "-"])
def test_people_are_sorted_and_offered_in_thai_order(client, sign):
    for word in shuffled(SORTED):
        UserFactory(first_name=word, username=word)
    for word in shuffled(UNITS):
        UnitFactory(abbreviation=word, position=1)
    client.force_login(UserFactory(is_staff=True, is_superuser=True, username="zz", first_name="zz"))
    listed = {"o": f"{sign}1", "all": ""}
    people = [
        each.first_name
        for each in client.get(reverse("admin:assignments_user_changelist"), listed).context["cl"].result_list
    ]
    assert people == [*SORTED, "zz"][:: -1 if sign else 1]
    asked = {"app_label": "assignments", "model_name": "membership", "field_name": "user", "term": ""}
    offered = [each["text"] for page in (1, 2, 3, 4) for each in completed(client, {**asked, "page": page})]
    assert offered == [*SORTED, "zz"]
    form = client.get(reverse("admin:assignments_unit_add")).context["adminform"].form
    assert [each.abbreviation for each in form.fields["members"].queryset] == UNITS


def completed(client, asked):
    response = client.get(reverse("admin:autocomplete"), asked)
    return response.json()["results"] if response.status_code == 200 else []


def relations():
    """Yield (admin, column) of each column that shows a related record."""
    for screen in SCREENS:
        kinds = {field.name: field for field in screen.model._meta.fields}
        for place, name in enumerate(screen.list_display):
            if getattr(kinds.get(name), "is_relation", False):
                yield pytest.param(screen, place, kinds[name], id=f"{screen.model.__name__}.{name}")


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize(("screen", "place", "field"), relations())
def test_relation_column_sorts_by_the_shown_name(client, screen, place, field):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    names = shuffled(["กก", "เกษม", "แก้ว", "ขวัญ", "๙"])
    for number, name in enumerate(names):
        related = factory_of(field.related_model)()
        shown_by = "first_name" if field.related_model is User else field.related_model.DISPLAY_FIELD
        is_text = isinstance(field.related_model._meta.get_field(shown_by), CharField | TextField)
        shown = {shown_by: name if is_text else 50 - number}
        rewrite(related, **shown)
        row = factory_of(screen.model)()
        rewrite(row, **{field.name: related})
    address = reverse(f"admin:{screen.opts.app_label}_{screen.opts.model_name}_changelist")
    place += "action_checkbox" in client.get(address).context["cl"].list_display
    for sign in ("", "-"):
        page = client.get(address, {"o": f"{sign}{place}"})
        shown = [str(getattr(row, field.name)) for row in page.context["cl"].result_list if getattr(row, field.name)]
        assert len(set(shown)) >= 5
        assert shown == sorted(shown, key=thai.sort_key, reverse=bool(sign))


def factory_of(model):
    return getattr(factories, f"{model.__name__}Factory")
