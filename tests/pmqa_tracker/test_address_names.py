"""Names in URLs: every form and import has the same rule and message, and a bad name breaks no page."""

import json
from io import BytesIO
from urllib.parse import unquote, urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import get_resolver, resolve, reverse
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from assignments.models import Unit
from criteria.models import Criterion
from exchange.models import ImportJobState
from exchange.whole_plan.export import build_plan_book
from plan.models import ActionItem, Plan
from pmqa_tracker.urls import TextConverter
from spreadsheets.text import UNWRITABLE
from tests.exchange.workbooks import edited, exported, fingerprint, first_empty, preview, saved
from tests.factories import ActionItemFactory, CriterionFactory, PlanFactory, UnitFactory, UserFactory
from tests.pages import addresses, lists

GOOD = {"slug": "2563", "ref": "1.1-A-1", "code": "1.1", "abbreviation": "กพร.", "unit": "กพร.", "name": "a",
        "key": "7f1f52ea-4a06-4c9d-8c43-2d5f3f8f0a11"}  # fmt: skip
NAMES = {"ref": (ActionItem, "ref"), "code": (Criterion, "code"), "slug": (Plan, "slug"),
         "abbreviation": (Unit, "abbreviation")}  # fmt: skip
ODD = ("1.1.3/AS 1", "..", ".", "1.1\u200b-A", "1.1\x07", "1?2", "1#2", "50%", "a\\1", "1\u00a0a", "unchanged", "a:1",
       "ก*1", "[1]", "๑.๑", "นํา1", "(1)", "-1", " 1", "1 ", "1  a", "1\n2", "ก\u202e1", "new", "1.1-A-1", "สพม.",
       "2562-2563", "ทุกหน่วยงาน", "e\u03011", "%2E%2E", "%", "1%2F2", "", "a" * 61)  # fmt: skip
# What each field refuses, with no space around it, which a form and a cell take off.
REFUSED = {
    "ref": ("1.1.3/AS 1", "..", "1.1\u200b-A", "1?2", "50%", "unchanged", "๑.๑", "-1", "1 a", "1.1/2"),
    "code": ("1.1/2", "1.1 a", "abc", "2\u200b.1", "1#1"),
    "slug": ("2570/1", "แผน", "2570 1", "2570?", "-"),
    "abbreviation": ("กพ/ร.", "กพ  ร.", "..", "ก\u200bพร.", "กพร?", "(กพร.)", "ก%"),
}
CASES = [(field, value) for field, values in REFUSED.items() for value in values]


def sentences(field, value):
    """Return the messages of the model for a value."""
    model, name = NAMES[field]
    with pytest.raises(ValidationError) as error:
        model._meta.get_field(name).clean(value, None)
    return error.value.messages


def accepts(field, value):
    model, name = NAMES[field]
    try:
        model._meta.get_field(name).clean(value, None)
    except ValidationError:
        return False
    return True


def routes():
    """Yield (name, parameters with converters) of every page with a name in its URL."""
    found = get_resolver().reverse_dict
    names = {key for key in found if isinstance(key, str)}
    for name in sorted(names):
        converters = found.getlist(name)[0][3]
        if any(isinstance(each, TextConverter) for each in converters.values()):
            yield name, converters


def address_of(name, converters, key, value):
    """Return the URL of a page with a value for one parameter and good values for the others."""
    kwargs = {each: GOOD.get(each, 1) for each in converters} | {key: value}
    return kwargs, reverse(name, kwargs=kwargs)


def leads_back(name, kwargs, address):
    """Return whether a URL, as a browser sends it, resolves to its page with the same values."""
    parts = urlsplit(address)
    assert (parts.query, parts.fragment) == ("", "")
    assert not {".", "..", ""} & set(unquote(parts.path).strip("/").split("/"))
    match = resolve(unquote(parts.path))
    found = {key: str(value) for key, value in match.kwargs.items() if key in kwargs}
    return match.url_name == name and found == {key: str(value) for key, value in kwargs.items()}


def test_some_urls_contain_names():
    assert {"action_detail", "my_row", "period_report", "unit_detail", "criterion_detail"} <= {
        name for name, _converters in routes()
    }


SIGNS = "aA1กพ.-_/%?#\\ ()&:;,'\"\u0e33\u0e4d\u200b\u200d\u00a0\u0000\n\t๑é\u0301~"
TEXTS = st.text(st.one_of(st.sampled_from(SIGNS), st.characters(exclude_categories=["Cs"])), max_size=12)


@given(TEXTS)
def test_accepted_names_resolve_to_their_page(value):
    accepted = {field for field in NAMES if accepts(field, value)}
    for name, converters in routes():
        for key in [key for key, each in converters.items() if isinstance(each, TextConverter)]:
            kwargs, address = address_of(name, converters, key, value)  # a bad one breaks no page either
            if {"unit": "abbreviation"}.get(key, key) in accepted:
                assert leads_back(name, kwargs, address), address
    if accepted:
        assert value.strip() == value
        assert value.isprintable()
        assert not UNWRITABLE.search(value)
        assert not set(value) & set("/\\?#%*:[]<>|\"'&")


for each in ODD:
    test_accepted_names_resolve_to_their_page = example(each)(test_accepted_names_resolve_to_their_page)


@pytest.mark.parametrize(
    ("field", "values"),
    {
        "ref": ("1.1.3-AS-1", "1.2.1-A-10", "1-ก-1", "a1", "2570_1"),
        "code": ("1.1", "1.1.10", "7.10", "P.1", "หมวด1"),
        "slug": ("2562-2563", "2570", "plan-a", "new"),
        "abbreviation": ("สพม.", "ทุกหน่วยงาน", "สรพ. (กทม.) 1", "กน", "IT", "new", "หน่วยงานผู้รับผิดชอบกระบวนงาน"),
    }.items(),
)
def test_common_names_are_accepted(field, values):
    assert [value for value in values if not accepts(field, value)] == []


def test_unusual_spelling_suggests_the_usual_one():
    assert "“1.1”" in sentences("code", "๑.๑")[0]
    assert "“นำ”" in sentences("abbreviation", "น\u0e4d\u0e32")[0]
    assert "U+200B" in sentences("abbreviation", "ก\u200bพร.")[0]


# Every form and import.


@pytest.fixture
def world():
    """A plan with one action; its workbook is the template of a new plan."""
    return ActionItemFactory(plan__slug="2563", criterion__code="1.1", ref="1.1-A-1", lead=[UnitFactory()])


@pytest.fixture
def keeper(client):
    person = UserFactory(is_staff=True, is_superuser=True, roles=["coordinator"])
    client.force_login(person)
    return person


def typed_in_admin(client, field, value):
    model, name = NAMES[field]
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    response = client.post(reverse(f"admin:{label}_add"), {name: value})
    return response.context["adminform"].form.errors.get(name, [])


def imported_in_admin(client, field, value):
    model, name = NAMES[field]
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    export = client.post(reverse(f"admin:{label}_export"), {"format": "0", "resource": "0"})
    book = load_workbook(BytesIO(export.content))
    headings = {cell.value: cell.column for cell in book.active[1]}
    for row in range(book.active.max_row, 2, -1):
        book.active.delete_rows(row)
    book.active.cell(2, headings[name]).value = value
    book.active.cell(2, headings["version"]).value = None
    file = SimpleUploadedFile("table.xlsx", saved(book))
    response = client.post(reverse(f"admin:{label}_import"), {"resource": "0", "import_file": file})
    [row] = response.context["result"].invalid_rows
    return row.error.message_dict.get(name, [])


def in_data_sheet(client, field, value):
    plan = Plan.objects.get()
    data = exported(plan)
    row = first_empty(data)
    changes = {"ref": value, "criterion": "1.1", "levels": "Advance", "text": "จัดทำคู่มือ"}
    data = edited(data, {(row, name): each for name, each in changes.items()})
    batch = preview(data, plan, UserFactory(roles=["coordinator"]))
    assert batch.state == ImportJobState.REFUSED
    return [error["message"] for error in batch.findings["errors"]]


PLACES = {"ref": ("รายการ", "A4"), "code": ("เกณฑ์", "A4"), "slug": ("แผน", "B4"), "abbreviation": ("หน่วยงาน", "A4")}


def in_new_plan(client, field, value):
    book = load_workbook(BytesIO(saved(build_plan_book(Plan.objects.get()))))
    sheet, place = PLACES[field]
    book["แผน"]["B4"].value = "2570"
    book[sheet][place].value = value
    batch = preview(saved(book), None, UserFactory(roles=["coordinator"]))
    assert batch.state == ImportJobState.REFUSED
    return [
        error["message"]
        for error in batch.findings["errors"]
        if (error["sheet"], error["cell_address"]) == (sheet, place)
    ]


FIXTURES = {
    "abbreviation": {"model": "assignments.unit", "fields": {"organization": ["กสร."], "name_th": "กอง"}},
    "code": {"model": "criteria.criterion", "fields": {"framework": ["f1"], "category": ["f1", 1], "title": "x"}},
    "slug": {
        "model": "plan.plan",
        "fields": {
            "title": "x", "organization": ["o"], "starts_on": "2019-10-01", "ends_on": "2020-09-30",
            "assessment": ["o", "y"],
        },
    },
    "ref": {"model": "plan.actionitem", "fields": {"plan": ["2563"], "criterion": ["pmqa-2562", "1.1"], "text": "x"}},
}  # fmt: skip


def seeded(client, field, value, folder):
    rows = [
        {"model": "assignments.organization", "fields": {"name": "o", "short_name": "o"}},
        {"model": "criteria.framework", "fields": {"slug": "f1", "name": "x", "edition": "y", "fiscal_year": 2562}},
        {"model": "criteria.category", "fields": {"framework": ["f1"], "number": 1, "name": "x"}},
        {
            "model": "criteria.assessment",
            "fields": {"organization": ["o"], "framework": ["f1"], "name": "y"},
        },
        {**FIXTURES[field], "fields": {**FIXTURES[field]["fields"], NAMES[field][1]: value}},
    ]
    (folder / "1.json").write_text(json.dumps(rows))
    with pytest.raises(CommandError) as error:
        call_command("seed", verbosity=0, fixtures=folder)
    return str(error.value)


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "value"), CASES)
def test_every_form_and_import_gives_the_same_message(client, world, keeper, tmp_path, field, value):
    wanted = sentences(field, value)
    before = fingerprint()
    assert typed_in_admin(client, field, value) == wanted
    if field in ("code", "abbreviation"):
        assert imported_in_admin(client, field, value) == wanted
    if field == "ref":
        assert in_data_sheet(client, field, value) == wanted
    assert in_new_plan(client, field, value) == wanted
    assert wanted[0].rstrip(".") in seeded(client, field, value, tmp_path)
    assert fingerprint() == before


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["1.1.3/AS 1", "", ".", ".."])
@pytest.mark.parametrize("field", NAMES)
def test_database_refuses_names_that_break_a_url(world, field, value):
    model, name = NAMES[field]
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**{name: value})


@pytest.mark.django_db
def test_names_are_unique_regardless_of_case(world):
    plan, criterion = world.plan, world.criterion
    common = {"assessment": plan.assessment, "starts_on": plan.starts_on, "ends_on": plan.ends_on}
    makers = {"ref": lambda value: ActionItem(plan=plan, criterion=criterion, ref=value),
              "code": lambda value: Criterion(framework=criterion.framework, category=criterion.category, code=value),
              "slug": lambda value: Plan(organization=plan.organization, slug=value, **common),
              "abbreviation": lambda value: Unit(organization=plan.organization, abbreviation=value)}  # fmt: skip
    ActionItemFactory(plan=world.plan, criterion=world.criterion, ref="1.1-B-9")
    CriterionFactory(code="P.1")
    PlanFactory(slug="Plan-1")
    UnitFactory(abbreviation="IT")
    for field, value in {"ref": "1.1-b-9", "code": "p.1", "slug": "plan-1", "abbreviation": "it"}.items():
        record = makers[field](value)
        with pytest.raises(ValidationError) as error:
            record.validate_constraints()
        assert len(error.value.messages) == 1
        with pytest.raises(IntegrityError), transaction.atomic():
            record.save()


@pytest.mark.django_db
def test_seed_with_another_case_gives_the_model_message(world, tmp_path):
    UnitFactory(abbreviation="IT")
    assert "ตัวพิมพ์" in seeded(None, "abbreviation", "it", tmp_path)


# Existing bad names.


def store(model, pk, **values):
    """Store a value that the database would refuse, as an older site may have it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for constraint in model._meta.constraints:
                if constraint.name.endswith("fits_address"):
                    cursor.execute(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {constraint.name}")
    model.objects.filter(pk=pk).update(**values)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["1.1.3/AS 1", "..", "", "1?2#3%"])
def test_no_page_fails_on_an_existing_bad_name(client, world, keeper, value):
    unit = world.lead[0].unit
    keeper.memberships.create(unit=unit)
    pages = addresses(world.plan) | {name: page for name, (page, _file) in lists(world.plan).items()}
    store(ActionItem, world.pk, ref=value)
    store(Criterion, world.criterion_id, code=value)
    store(Unit, unit.pk, abbreviation=value)
    detail = {"action", "criterion", "unit", "period_report", "part", "supposed", "some_lines"}
    assert {name: status for name, page in pages.items() if name not in detail
            and (status := client.get(page).status_code) not in (200, 302)} == {}  # fmt: skip
    for name, args in (
        ("action_detail", [value]), ("criterion_detail", [value]), ("unit_detail", [value]), ("my_row", [value]),
        ("period_report", [value, 1]),
    ):  # fmt: skip
        address = reverse(name, args=[world.plan.slug, *args])
        assert client.get(address).status_code in (200, 302), address
