"""Names are found in any spelling: in URLs, filters and tables."""

import re

import pytest
from django.contrib import admin
from django.db.models import BooleanField, CharField, TextField
from django.urls import get_resolver, reverse
from import_export import widgets

from assignments.models import Unit, User
from plan.actions.filters import ActionFilter
from plan.as_of import on_day
from plan.models import ActionItem, Plan
from pmqa_tracker import clock, thai
from spreadsheets.widgets import READERS
from tests import factories
from tests.spreadsheets.test_admin_tables import confirm, download, errors_of, table, upload, workbook
from tests.spreadsheets.test_admin_tables import world as world

pytestmark = pytest.mark.django_db
# Names of an address → their kind; a task's random name and the address of another site's page are no names.
PLACES = {"slug": "plan", "ref": "action", "code": "criterion", "unit": "unit", "abbreviation": "unit"}
STOCK = {*READERS, widgets.ForeignKeyWidget, widgets.ManyToManyWidget}
# People have a workbook of their own: tests/assignments/test_people.py.
TABLES = [
    (each.model, each.resource_classes[0])
    for each in admin.site._registry.values()
    if hasattr(each, "import_action") and each.model is not User
]


def misspelled(name):
    """Return the name with Thai digits, swapped case, ำ as two letters, and an invisible space."""
    other = name.translate(thai.TO_THAI).swapcase().replace("ำ", "ํา").replace("แ", "เเ")
    place = len(name) if name.isdecimal() else 1
    return f"{other[:place]}\u200b{other[place:]}" if name else ""


@pytest.fixture
def names(client):
    client.force_login(factories.UserFactory(is_superuser=True, is_staff=True, roles=["coordinator"]))
    unit = factories.UnitFactory(abbreviation="กำแพง. 1")
    plan = factories.PlanFactory(slug="plan-2562")
    criterion = factories.CriterionFactory(code="1.1.1a")
    action = factories.ActionItemFactory(plan=plan, criterion=criterion, ref="1.1.1a-B-3", lead=[unit], runs=(1, 4))
    return {"plan": plan.slug, "unit": unit.abbreviation, "criterion": criterion.code, "action": action.ref}


def pages():
    """Return (name, names in its URL) of each page with names in its URL."""
    found = {}
    for name, ways in get_resolver().reverse_dict.lists():
        parts = ways[0][0][0][1]
        if isinstance(name, str) and parts and set(parts) <= {*PLACES, "period"} and "undo" not in name:
            found[name] = parts
    return sorted(found.items())


@pytest.mark.parametrize(("page", "parts"), pages(), ids=lambda each: each if isinstance(each, str) else "")
def test_urls_accept_names_in_any_spelling(client, names, page, parts):
    right = {part: 1 if part == "period" else names[PLACES[part]] for part in parts}
    wrong = {part: 1 if part == "period" else misspelled(name) for part, name in right.items()}
    expected = client.get(reverse(page, kwargs=right))
    assert client.get(reverse(page, kwargs=wrong)).status_code == expected.status_code != 404


def test_every_kind_of_name_occurs_in_a_url():
    assert {part for _page, parts in pages() for part in parts} == {*PLACES, "period"}


@pytest.mark.both_databases
def test_unit_is_found_by_name_and_without_dots(client, names):
    unit = Unit.objects.get(abbreviation=names["unit"])
    for name in (unit.name_th, "กำแพง 1"):
        for page in (
            reverse("unit_detail", args=[names["plan"], name]),
            f"{reverse('data_sheet', args=[names['plan']])}?unit={name}",
        ):
            assert client.get(page).status_code == 200


def test_every_filter_accepts_values_in_any_spelling(names):
    plan = Plan.objects.get()
    as_of = on_day(plan, clock.today(), plan.periods.all())
    fields = ActionFilter({}, plan, as_of=as_of, since=as_of).form.fields
    tried = set()
    for name, field in fields.items():
        for value in [str(value) for value, _label in getattr(field, "choices", ()) if value]:
            exact = ActionFilter({name: value}, plan, as_of=as_of, since=as_of)
            loose = ActionFilter({name: misspelled(value)}, plan, as_of=as_of, since=as_of)
            assert exact.active == loose.active != {}
            assert (loose.ignored, loose.query) == ([], exact.query)
            assert list(loose.qs) == list(exact.qs)
            assert str(loose.form[name]) == str(exact.form[name])
            tried.add(name)
    assert tried == set(fields) - {"q"}


@pytest.mark.both_databases
def test_other_parameters_accept_names_in_any_spelling(client, names):
    action = ActionItem.objects.get()
    unit = Unit.objects.get(abbreviation=names["unit"])
    factories.ProgressUpdateFactory(action=action, unit=unit)
    address = reverse("action_detail", args=[names["plan"], names["action"]])
    assert client.get(address, {"unit": misspelled(names["unit"])}).context["history"].unit == names["unit"]
    address = reverse("maturity_map", args=[names["plan"]])
    assert client.get(address, {"state": misspelled("PASSED")}).context["state"] == "PASSED"
    code = f"{names['criterion']}-B"
    exact = client.get(address, {"pass": code}).context["assumed"]
    assert client.get(address, {"pass": misspelled(code)}).context["assumed"] == exact
    assert client.get(reverse("my", args=[names["plan"]]), {"role": "support"}).context["work"].role == "SUPPORT"


@pytest.mark.parametrize(("model", "resource"), TABLES, ids=lambda each: each.__name__)
def test_admin_tables_parse_cells_like_other_imports(model, resource):
    assert [name for name, field in resource().fields.items() if type(field.widget) in STOCK - {widgets.Widget}] == []


@pytest.mark.parametrize(("model", "resource"), TABLES, ids=lambda each: each.__name__)
def test_table_in_another_spelling_changes_nothing(client, world, model, resource):
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True))
    rows = [
        {misspelled(name): respelled(model, name, value) for name, value in row.items()}
        for row in table(download(client, model))
    ]
    response = upload(client, model, workbook(rows))
    assert "result" in response.context, response.context["form"].errors
    assert errors_of(response) == []
    totals = response.context["result"].totals
    assert (totals["skip"], totals["new"] + totals["update"]) == (model.objects.count(), 0)


def respelled(model, column, value):
    """Return a cell in another spelling, unless it is a long text."""
    kind = next((field for field in model._meta.get_fields() if field.name == column), None)
    if isinstance(kind, BooleanField):
        return {"1": "ใช่", "0": "ไม่ ใช่"}[value]
    is_name = column in ("abbreviation", "code", "ref")
    return value if isinstance(kind, (CharField, TextField)) and not is_name else misspelled(str(value))


def test_table_accepts_yes_and_no_in_words(client):
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True))
    unit = factories.UnitFactory(abbreviation="กพร.")
    for word, is_active in (("ไม่ใช่", False), ("Yes", True)):
        row = {"abbreviation": "กพ\u200bร.", "version": unit.version, "is_active": word}
        confirm(client, Unit, upload(client, Unit, workbook([row])))
        unit.refresh_from_db()
        assert (unit.is_active, unit.abbreviation) == (is_active, "กพร.")
    response = upload(client, Unit, workbook([{"abbreviation": "กพร.", "version": unit.version, "is_active": "อาจจะ"}]))
    assert len(errors_of(response)) == 1
    assert re.search("ใช่|yes", errors_of(response)[0])
