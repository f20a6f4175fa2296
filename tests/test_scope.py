"""Organizations apart: no URL, method or form shows or changes anything of another organization."""

import re
from io import BytesIO
from urllib.parse import unquote
from zipfile import ZipFile, is_zipfile

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import URLResolver, get_resolver
from django.utils.http import urlsafe_base64_encode

from assignments.access import RoleGroup
from pmqa_tracker.scope import own_records
from tests import snapshot
from tests.factories import UserFactory
from tests.organizations import MARKER, posted, standard, world
from tests.pages import addresses, lists

pytestmark = pytest.mark.django_db
PARTS = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^()]*\)|\(\[\^/\]\+\)")
WITHOUT_PLAN = {"login/", "logout/", "language/", "admin/login/", "admin/logout/"}  # they begin or end a session
WITHOUT_PLAN |= {"setup/framework/"}  # adds the criteria that come with the site, for every organization
FILES = (
    "data-sheet.xlsx", "data-sheet.xlsx?unit=กพร.", "reports/plan-form.xlsx", "reports/progress.xlsx",
    "units/กพร./progress.xlsx", "reports/meeting.docx",
)  # fmt: skip


@pytest.fixture
def requirements():
    return standard()


@pytest.fixture
def first(requirements):
    return world(requirements, "first", MARKER)


@pytest.fixture
def second(requirements):
    return world(requirements, "second")


def routes(patterns=None, before=""):
    """Yield the route of every URL of the site, such as "plans/<text:slug>/actions/"."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(each.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)
        else:
            yield route


def path_of(route, owner):
    """Return the path of a route that names the records of a world."""
    model = route.split("/")[1:3] if route.startswith("admin/") else []
    record = record_of(model, owner) if len(model) == 2 else None
    values = {
        "slug": owner.plan.slug, "ref": owner.action.ref, "code": owner.criterion.code, "unit": owner.unit.abbreviation,
        "abbreviation": owner.unit.abbreviation, "period": 1, "pk": owner.evidence.pk,
        "key": (owner.new_plan_job if "new-plan" in route else owner.job).key, "name": "0" * 32,
        "object_id": record.pk if record else 1, "id": record.pk if record else 1, "app_label": "plan",
        "content_type_id": 1, "url": "nowhere", "uidb64": urlsafe_base64_encode(b"1"), "token": "x-y",
    }  # fmt: skip
    history = record.history.first() if record and hasattr(record, "history") else None
    positional = iter([record.pk if record else 1, history.pk if history else 1])
    return "/" + PARTS.sub(
        lambda part: str(values[name] if (name := part[1] or part[2]) else next(positional, 1)), route
    )


def record_of(names, owner):
    """Return a record of a world, of the model with this label; one that is shared if it has no owner."""
    try:
        model = apps.get_model(*names)
    except LookupError:
        return None
    rows = own_records(model._base_manager.order_by("pk"), owner.people["coordinator"])
    return rows.first()


def texts_of(response):
    """Return all text of a response: its page, its headers, or the parts of its workbook."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    headers = " ".join(map(unquote, map(str, response.headers.values())))
    if not is_zipfile(BytesIO(body)):
        return f"{headers} {body.decode(errors='replace')}"
    with ZipFile(BytesIO(body)) as parts:
        return headers + " ".join(parts.read(name).decode(errors="replace") for name in parts.namelist())


def changes(before, after):
    """Return the rows of each table that were added, changed or removed."""
    rows = [{table: {*map(str, found)} for table, _columns, found in each.tables} for each in (before, after)]
    names = {*rows[0], *rows[1]}
    return {name: found for name in names if (found := rows[0].get(name, set()) ^ rows[1].get(name, set()))}


def walked(role):
    """Return the routes and methods that a role tries; only coordinators may enter the admin."""
    everything = [route for route in routes() if route not in WITHOUT_PLAN]
    if role == "coordinator":
        return [(route, method) for route in everything for method in ("get", "head", "post")]
    return [
        (r, method) for r in everything for method in ("get", "post") if r == "admin/" or not r.startswith("admin/")
    ]


def test_walk_covers_the_site_and_the_admin():
    found = set(routes())
    assert {"plans/<text:slug>/actions/", "new-plan/<uuid:key>/", "admin/plan/plan/<path:object_id>/change/"} <= found
    assert len([route for route in found if route.startswith("plans/")]) > 25
    assert len([route for route in found if route.startswith("admin/")]) > 100


@pytest.mark.long
@pytest.mark.parametrize("role", [*RoleGroup.values, "nobody"])
def test_another_organization_finds_nothing(client, first, second, role):
    """Every URL of the first organization, by every method, as a user of the second: nothing named, nothing changed."""
    person = second.people.get(role) or UserFactory(organization=second.organization)
    client.force_login(person)
    fields = posted(first)
    pks = {name: value for name, value in fields.items() if isinstance(value, int)}
    queries = {"add": pks, "page": {"unit": "กพร.", "criterion": "1.1", "q": MARKER[:3]}}
    before = snapshot.take()
    wrong = []
    for route, method in walked(role):
        path = path_of(route, first)
        if route.startswith("plans/"):
            wanted = {404}
        elif "<uuid:key>" in route:
            wanted = {404, 405} if role == "coordinator" else {403, 405}
        else:
            wanted = {200, 302, 400, 403, 404, 405, 409, 410, 422}  # it names no plan
        is_list = route.startswith("admin/")
        query = (
            queries["add"] if "/add/" in route else {"plan__id__exact": first.plan.pk} if is_list else queries["page"]
        )
        response = getattr(client, method)(path, fields if method == "post" else query)
        if response.status_code not in wanted:
            wrong.append((method, path, response.status_code))
        if MARKER in texts_of(response):
            wrong.append((method, path, "names the first organization"))
    assert wrong == []
    assert changes(before, snapshot.take()) == {}


@pytest.mark.parametrize("role", RoleGroup.values)
def test_unknown_and_hidden_plan_look_the_same(client, first, second, role):
    client.force_login(second.people[role])
    pages = [client.get(f"/plans/{slug}/dashboard/").content.decode() for slug in ("first", "fIrst", "nowhere")]
    pages = [re.sub(r"csrftoken\": \"\w+|csrfmiddlewaretoken\" value=\"\w+", "", page) for page in pages]
    assert pages[0].replace("first", "nowhere") == pages[2]
    assert pages[1].replace("fIrst", "nowhere") == pages[2]


@pytest.mark.parametrize("role", ["coordinator", "staff"])
def test_own_pages_and_files_show_nothing_of_another_organization(client, first, second, role):
    client.force_login(second.people[role])
    pages = ["/", *addresses(second.plan).values(), "/new-plan/", "/new-plan/template.xlsx"]
    if role == "coordinator":
        pages += [workbook for _page, workbook in lists(second.plan).values()]
        pages += [f"/plans/second/{name}" for name in FILES]
    pages += ["/plans/second/import/", f"/plans/second/import/{second.job.key}/", "/plans/second/owed.xlsx"]
    shown = {page: client.get(page, follow=True) for page in pages}
    assert {page for page, response in shown.items() if MARKER in texts_of(response)} == set()
    ours = [page for page, response in shown.items() if response.status_code != 200]
    assert role == "coordinator" or set(ours) <= {page for page in pages if "new-plan" in page or "import" in page}
    assert role != "coordinator" or ours == []


def admin_pages(owner):
    """Return the pages of the admin that the coordinator of a world uses, for its own records."""
    pages = ["/admin/"]
    for model in admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        record = record_of([model._meta.app_label, model._meta.model_name], owner)
        pages += [base, f"{base}add/", f"{base}export/"]
        pages += [f"{base}{record.pk}/{page}/" for page in ("change", "history", "delete")] if record else []
        for field in getattr(admin.site._registry[model], "autocomplete_fields", ()):
            pages.append(
                f"/admin/autocomplete/?app_label={model._meta.app_label}&model_name={model._meta.model_name}"
                f"&field_name={field}&term="
            )
    return pages


@pytest.mark.long
def test_own_admin_shows_nothing_of_another_organization(client, first, second):
    client.force_login(second.people["coordinator"])
    shown = {page: client.get(page) for page in admin_pages(second)}
    assert {page for page, response in shown.items() if MARKER in texts_of(response)} == set()
    assert {response.status_code for response in shown.values()} <= {200, 302, 403, 404}
    lists_of_own = [
        f"/admin/{name}/" for name in ("assignments/unit", "plan/plan", "plan/actionitem", "criteria/verdict")
    ]
    assert [shown[page].status_code for page in lists_of_own] == [200] * 4
    exported = [
        client.post(f"{page}export/", {"format": "0", "resource": "", **columns(client, page)}) for page in lists_of_own
        if f"{page}export/" in shown and shown[f"{page}export/"].status_code == 200
    ]  # fmt: skip
    assert exported
    assert [MARKER in texts_of(response) for response in exported] == [False] * len(exported)


def columns(client, page):
    """Return the ticked columns of an export form."""
    form = client.get(f"{page}export/").context["form"]
    return {name: "on" for name, field in form.fields.items() if type(field).__name__ == "BooleanField"}
