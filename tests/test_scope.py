"""Organizations apart: no URL, method or form shows or changes anything of another organization."""

import re
from copy import deepcopy
from io import BytesIO
from urllib.parse import unquote
from zipfile import ZipFile, is_zipfile

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import URLResolver, get_resolver
from django.utils.http import urlsafe_base64_encode

from assignments.access import RoleGroup
from assignments.models import Unit
from plan.models import Plan, ProgressUpdate
from pmqa_tracker.scope import own_records
from tests import snapshot
from tests.factories import EvidenceFactory, FrameworkFactory, OrganizationFactory, UserFactory
from tests.organizations import MARKER, posted, standard, world
from tests.pages import addresses, lists
from tests.spreadsheets.test_admin_tables import CSV, confirm, upload

pytestmark = pytest.mark.django_db
PARTS = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^()]*\)|\(\[\^/\]\+\)")
WITHOUT_PLAN = {"login/", "logout/", "language/", "admin/login/", "admin/logout/"}  # they begin or end a session
WITHOUT_PLAN |= {"introduction/close/"}  # changes only the account of the user
WITHOUT_PLAN |= {"setup/framework/"}  # adds the criteria that come with the site, for every organization
FORM = re.compile(r'<form[^>]*action="([^"]*)"[^>]*method="post"|<form[^>]*method="post"[^>]*action="([^"]*)"')
FILES = (
    "data-sheet.xlsx", "data-sheet.xlsx?unit=กพร.", "reports/plan-form.xlsx", "reports/progress.xlsx",
    "units/กพร./progress.xlsx", "reports/meeting.docx", "plan.xlsx",
)  # fmt: skip


@pytest.fixture(scope="module")
def both(rolled_back):
    requirements = standard()
    return world(requirements, "first", MARKER), world(requirements, "second")


@pytest.fixture
def first(both):
    return deepcopy(both[0])


@pytest.fixture
def second(both):
    return deepcopy(both[1])


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
        "abbreviation": owner.unit.abbreviation, "period": 1, "pk": owner.evidence.pk, "provider_id": "sso",
        "key": (owner.new_plan_job if "new-plan" in route else owner.job).key, "name": "0" * 32,
        "object_id": record.pk if record else 1, "id": record.pk if record else 1, "content_type_id": 1,
        "app_label": "plan", "url": "nowhere", "uidb64": urlsafe_base64_encode(b"1"), "token": "x", "chapter": "staff",
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
    """Return the rows of each table that changed. Wrong links are counted, and downloads of own files recorded."""
    rows = [{table: {*map(str, found)} for table, _columns, found in each.tables} for each in (before, after)]
    names = {*rows[0], *rows[1]} - {"accounts_attempts", "audit_event"}
    return {name: found for name in names if (found := rows[0].get(name, set()) ^ rows[1].get(name, set()))}


def walked(role):
    """Return the routes and methods that a role tries; only coordinators may enter the admin."""
    everything = [route for route in routes() if route not in WITHOUT_PLAN]
    pages = [route for route in everything if not route.startswith("admin/")]
    methods = ("get", "head", "post") if role == "coordinator" else ("get", "post")
    tried = everything if role == "coordinator" else [*pages, "admin/"]
    return [(route, method) for route in tried for method in methods if method != "head" or route in pages]


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
        if route.startswith("plans/<"):
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
    pages = [re.sub(r"csrf\w+\": \"\w+|csrf\w+\" value=\"\w+|<b>[0-9a-f]{12}</b>", "", page) for page in pages]
    assert pages[0].replace("first", "nowhere") == pages[2]
    assert pages[1].replace("fIrst", "nowhere") == pages[2]


@pytest.mark.parametrize("role", ["coordinator", "staff"])
def test_own_pages_and_files_show_nothing_of_another_organization(client, first, second, role):
    client.force_login(second.people[role])
    pages = ["/", *addresses(second.plan).values(), "/new-plan/", "/new-plan/template.xlsx"]
    if role == "coordinator":
        pages += [workbook for _page, workbook in lists(second.plan).values()]
        pages += [f"/plans/second/{name}" for name in FILES]
    pages += [
        "/plans/second/import/",
        "/plans/second/exchange/returns/?period=3",
        f"/plans/second/import/{second.job.key}/",
        "/plans/second/owed.xlsx",
    ]
    shown = {page: client.get(page, follow=True) for page in pages}
    assert {page for page, response in shown.items() if MARKER in texts_of(response)} == set()
    ours = [page for page, response in shown.items() if response.status_code != 200]
    assert role == "coordinator" or set(ours) <= {
        page for page in pages if "new-plan" in page or "import" in page or "exchange" in page
    }
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


def rows_of(owner):
    """Return the rows of a world in every table that belongs to an organization."""
    models = [model for model in apps.get_models() if hasattr(model, "ORGANIZATION")]
    return {model: list(own_records(model._base_manager.order_by("pk"), owner).values()) for model in models}


@pytest.mark.long
@pytest.mark.parametrize("role", ["coordinator", "staff"])
def test_own_forms_accept_no_record_of_another_organization(client, first, second, role):
    """Every URL of the own plan, with forms and queries that name records of the first organization."""
    client.force_login(second.people[role])
    before = rows_of(first.people["coordinator"])
    fields = {name: value for name, value in posted(first).items() if name not in ("slug", "do")}
    wrong = []
    for route in [each for each in routes() if each.startswith("plans/") and not each.endswith(("xlsx", "docx"))]:
        for method in ("get", "post"):
            response = getattr(client, method)(path_of(route, second), fields)
            if MARKER in texts_of(response) or response.status_code >= 500:
                wrong.append((method, route, response.status_code))
    assert wrong == []
    assert rows_of(first.people["coordinator"]) == before
    strangers = {each.action_id for each in ProgressUpdate.objects.with_undone().filter(unit=first.unit)}
    assert strangers == {first.action.pk}


def test_form_of_a_person_in_another_organization_names_nobody(client, first, second):
    client.force_login(second.people["staff"])
    address = "/plans/second/my/unchanged/"
    answer = client.post(address, {"form_owner": first.people["staff"].pk, "row": "1.1-A-1"})
    assert answer.status_code == 409
    assert MARKER not in texts_of(answer)


def test_person_who_moved_shows_nothing_of_the_organization_before(client, first, second):
    """Their membership was left behind; neither they nor the people who manage them now see its unit."""
    moved = first.update.author
    moved.organization, moved.first_name = second.organization, "ย้ายมา"
    moved.save()
    EvidenceFactory(update=first.update, title=MARKER, added_by=moved)
    helper = UserFactory(organization=second.organization, is_staff=True)
    helper.user_permissions.set(Permission.objects.all())
    shown = {}
    for person in (helper, second.people["coordinator"]):
        client.force_login(person)
        pages = [f"/admin/assignments/user/{moved.pk}/{page}/" for page in ("change", "delete", "history")]
        shown |= {(person, page): client.get(page) for page in ["/admin/assignments/user/", *pages]}
        shown[person, "form"] = client.post(pages[0], {"first_name": "ย้ายมา", "email": "wrong"})
    client.force_login(moved)
    shown |= {(moved, page): client.get(page, follow=True) for page in ["/", *addresses(second.plan).values()]}
    assert {page for page, response in shown.items() if MARKER in texts_of(response)} == set()


def test_shared_criteria_tell_nothing_of_the_organizations_that_use_them(client, first, second):
    """Their history names nobody elsewhere and no file, and their lists cannot be filtered by somebody's records."""
    criterion = first.criterion
    criterion._history_user, criterion._change_reason = first.people["coordinator"], f"นำเข้า {MARKER}.xlsx"
    criterion.title = "ชื่อใหม่"
    criterion.save()
    page = f"/admin/criteria/criterion/{criterion.pk}/history/"
    client.force_login(first.people["coordinator"])
    assert f"{MARKER}.xlsx" in texts_of(client.get(page))
    client.force_login(second.people["coordinator"])
    assert MARKER not in texts_of(client.get(page))
    for name, lookup in (
        ("criterion", f"actions={first.action.pk}"),
        ("criterion", f"actions__id__exact={first.action.pk}"),
        ("requirement", "verdicts__isnull=0"),
        ("framework", f"assessments__in={first.plan.assessment_id}"),
    ):
        assert client.get(f"/admin/criteria/{name}/?{lookup}").status_code == 400, lookup
    assert client.get(f"/admin/criteria/criterion/?framework__id__exact={criterion.framework_id}").status_code == 200


# An organization above reads.


@pytest.fixture
def readers(second):
    """Users of every role in the ministry above the second organization, by role."""
    ministry = OrganizationFactory()
    second.organization.parent = OrganizationFactory(parent=ministry)
    second.organization.parent.save()
    second.organization.save()
    roles = {"above": ["management", "coordinator", "staff"], "assessor": ["assessor"], "coordinator": ["coordinator"]}
    return {name: UserFactory(organization=ministry, roles=found) for name, found in roles.items()}


@pytest.mark.both_databases
def test_plans_are_visible_to_their_organization_and_to_readers_above(first, second, readers):
    def seen(person):
        return [plan.slug for plan in Plan.objects.visible_to(person).order_by("slug")]

    assert {role: seen(person) for role, person in second.people.items()} == {
        role: ["second"] for role in second.people
    }
    assert {name: seen(person) for name, person in readers.items()} == {
        "above": ["second"], "assessor": ["second"], "coordinator": [],
    }  # fmt: skip
    assert seen(UserFactory(organization=None, roles=list(RoleGroup.values))) == []
    assert seen(UserFactory(is_active=False, organization=second.organization)) == []
    assert seen(UserFactory(organization=None, is_superuser=True)) == ["first", "second"]
    Plan.objects.filter(slug="second").update(state=Plan.State.PREPARATION)
    assert seen(second.people["coordinator"]) == ["second"]
    people = (second.people["staff"], second.people["management"], readers["above"], readers["assessor"])
    assert [seen(person) for person in people] == [[]] * 4


@pytest.mark.long
def test_reader_above_opens_every_page_and_changes_nothing(client, first, second, readers):
    client.force_login(readers["above"])
    before = snapshot.take()
    pages = [page for page in addresses(second.plan).values() if page.startswith("/plans/")]
    files = [workbook for _page, workbook in lists(second.plan).values()]
    files += [f"/plans/second/{name}" for name in (*FILES, "owed.xlsx")]
    answers = {page: client.get(page, follow=True) for page in [*pages, *files]}
    assert {page: answer.status_code for page, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert {page for page, answer in answers.items() if MARKER in texts_of(answer)} == set()
    forms = {page: [a or b for a, b in FORM.findall(answers[page].content.decode())] for page in pages}
    allowed = {"/logout/", "/language/", "/plans/second/reports/prepare/"}  # the last makes a file, and no record
    assert {page for page, found in forms.items() if not {*found} <= allowed} == set()
    posts = {
        path_of(route, second): client.post(path_of(route, second), posted(second)).status_code
        for route in routes() if route.startswith("plans/") and "/reports/" not in route
    }  # fmt: skip
    assert set(posts.values()) <= {403, 404, 405, 302}
    assert changes(before, snapshot.take()) == {}
    reason = client.get("/plans/second/actions/1.1-A-1/").context["access"].why_not_coordinate
    assert "ในสังกัด" in reason


# The admin of a coordinator.


def test_new_unit_belongs_to_the_organization_of_its_coordinator(client, first, second):
    client.force_login(second.people["coordinator"])
    none = {f"memberships-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    unit = {"abbreviation": "ใหม่.", "name_th": "กองใหม่", "position": 1, "is_active": "on", **none}
    assert client.post("/admin/assignments/unit/add/", unit).status_code == 302
    assert second.organization.units.filter(abbreviation="ใหม่.").exists()
    again = client.post("/admin/assignments/unit/add/", unit | {"organization": first.organization.pk})
    assert again.status_code == 200
    assert "__all__" in again.context["adminform"].form.errors
    assert not first.organization.units.filter(abbreviation="ใหม่.").exists()


def test_import_changes_the_unit_of_the_own_organization(client, first, second, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(second.people["coordinator"])
    rows = "abbreviation,name_th,version\r\nกพร.,ชื่อใหม่,1\r\n"
    confirm(client, Unit, upload(client, Unit, rows.encode(), CSV))
    assert [unit.name_th for unit in Unit.objects.filter(abbreviation="กพร.").order_by("pk")] == [
        first.unit.name_th, "ชื่อใหม่",
    ]  # fmt: skip
    rows = f"organization,abbreviation,name_th,version\r\n{first.organization.short_name},กพร.,ชื่ออื่น,1\r\n"
    assert "confirm_form" not in upload(client, Unit, rows.encode(), CSV).context


def test_framework_is_changed_only_by_the_one_organization_that_uses_it(client):
    requirements = standard(FrameworkFactory())
    only = world(requirements, "only")
    client.force_login(only.people["coordinator"])
    page = f"/admin/criteria/criterion/{only.criterion.pk}/change/"
    assert client.get(page).context["has_change_permission"]
    world(requirements, "third")
    answer = client.get(page)
    assert not answer.context["has_change_permission"]
    assert "ผู้ดูแลระบบ" in " ".join(map(str, answer.context["messages"]))
    assert client.post(page, {"title": "ใหม่"}).status_code == 403
    category = only.criterion.category
    rows = f"framework,number,name,version\r\n{category.framework.slug},1,ชื่อใหม่,{category.version}\r\n"
    assert "confirm_form" not in upload(client, type(category), rows.encode(), CSV).context
    client.force_login(UserFactory(is_superuser=True, organization=None))
    assert client.get(page).context["has_change_permission"]
