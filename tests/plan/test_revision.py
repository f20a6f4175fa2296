"""`Plan.revision` rises with every write that a page of the plan can show, and with nothing else."""

import re
from io import BytesIO
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, get_resolver, reverse
from openpyxl import load_workbook

import accounts.urls
from assignments.models import Membership, User
from assignments.people.write import load_person, save_people
from criteria.models import Criterion
from exchange.whole_plan.export import build_plan_book
from plan.models import ActionItem, EvidenceWithdrawal, Plan
from tests import revision_guard
from tests.exchange.test_first_steps import UNIT_ROWS, plan_data
from tests.exchange.workbooks import edited, exported, saved
from tests.factories import (
    ActionItemFactory,
    CategoryFactory,
    CriterionFactory,
    ImportJobFactory,
    PlanFactory,
    UnitFactory,
    UserFactory,
)
from tests.kept_pages import fresh_after_write
from tests.pages import addresses, lists
from tests.plan.posting import typed
from tests.plan.revisions import keep_summaries, revisions, shown_summaries, unchanged
from tests.pmqa_tracker.test_admin import address
from tests.submissions.sending import send
from worklist.models import SheetRequest

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]
HERE = "/plans/2563"


def post(world, path, data, *, status=302):
    response = world.client.post(f"{HERE}/{path}", data)
    assert response.status_code == status
    return response


# Every page that is posted: the name of its URL → how to write there.


def withdraw(world):
    post(world, f"evidence/{world.evidence.pk}/withdraw/", {"reason": "แนบผิดไฟล์"})
    assert EvidenceWithdrawal.objects.exists()


def step(world, version, do, **words):
    data = {"do": do, "version": version, "op_id": str(uuid4()), "note": "", **words}
    post(world, f"reporting/{world.unit.abbreviation}/2/", data)


def submission(world):
    step(world, 0, "send", confirm="on")
    before = revisions(world)[0]
    step(world, 1, "return", **{f"reason_{world.action.pk}": "ขอหลักฐาน"})
    assert revisions(world)[0] > before


def close(world):
    form = {"version": world.plan.version, "op_id": str(uuid4()), "note": "ครบปีงบประมาณ"}
    post(world, "state/close/", form)


def upload_sheet(world):
    file = BytesIO(edited(exported(world.plan), {(world.action.ref, "text"): "ข้อความใหม่"}))
    file.name = "ข้อมูล.xlsx"
    return post(world, "import/", {"file": file}).url


def confirm_sheet(world):
    here = upload_sheet(world)
    before = revisions(world)[0]
    assert world.client.post(here, {}).status_code == 302
    assert ActionItem.objects.get(pk=world.action.pk).text == "ข้อความใหม่"
    assert revisions(world)[0] > before
    return here


def undo_sheet(world):
    here = confirm_sheet(world)
    before = revisions(world)[0]
    assert world.client.post(f"{here}undo/").status_code == 302
    assert ActionItem.objects.get(pk=world.action.pk).text == world.action.text
    assert revisions(world)[0] > before


def ask_for_sheets(world):
    ActionItemFactory(plan=world.plan, lead=[world.unit])
    User.objects.filter(pk=world.person.pk).update(email="somsri@example.org")
    before = revisions(world)[0]
    post(world, "exchange/returns/ask/", {})
    assert SheetRequest.objects.get().sent_to
    assert revisions(world)[0] > before


def upload_plan(world):
    """Another plan of the organization: the header of every page lists it."""
    book = load_workbook(BytesIO(saved(build_plan_book(world.plan))))
    values = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    values["รหัสแผน"].value, values["ชื่อแผน"].value = "2570", "แผนปี 2570"
    file = BytesIO(saved(book))
    file.name = "แผน.xlsx"
    response = world.client.post("/new-plan/", {"file": file})
    assert response.status_code == 302
    return response.url


def confirm_plan(world):
    here = upload_plan(world)
    assert revisions(world)[0] == world.before[0]
    assert world.client.post(here, {}).status_code == 302
    assert Plan.objects.filter(slug="2570").exists()
    return here


def undo_plan(world):
    here = confirm_plan(world)
    before = revisions(world)[0]
    assert world.client.post(f"{here}undo/").status_code == 302
    assert not Plan.objects.filter(slug="2570").exists()
    assert revisions(world)[0] > before


def setup_organization(world):
    """The account of an administrator who has written in the plan joins another organization."""
    User.objects.filter(pk=world.person.pk).update(organization=None)
    before = revisions(world)[0]
    assert world.client.post("/setup/organization/", {"existing": world.plan.organization_id}).status_code == 302
    assert User.objects.get(pk=world.person.pk).organization == world.plan.organization
    assert revisions(world)[0] > before
    world.is_anywhere = True


def setup_units(world):
    rows = {"form-0-abbreviation": "กทส.", "form-0-name_th": "กองทดสอบ"}
    assert world.client.post("/setup/units/", UNIT_ROWS | rows).status_code == 302
    assert world.plan.organization.units.filter(abbreviation="กทส.").exists()


def setup_framework(world):
    """The criteria that come with the site are those of the plan's edition."""
    before = Criterion.objects.count()
    assert world.client.post("/setup/framework/").status_code == 302
    assert Criterion.objects.count() > before


def setup_plan(world):
    data = plan_data(world.plan.framework) | {"slug": "2571"}
    assert world.client.post("/setup/plan/", data).status_code == 302
    assert Plan.objects.filter(slug=data["slug"]).exists()


PAGES = {
    "action_detail": lambda world: post(world, "actions/1.1-A-1/", typed(world.action, result="ทำแล้ว")),
    "my_row": lambda world: post(world, "my/1.1-A-1/", typed(world.action, result="ทำแล้ว")),
    "my_unchanged": unchanged,
    "evidence_withdraw": withdraw,
    "period_report": submission,
    "plan_step": close,
    "import_list": upload_sheet,
    "import_detail": confirm_sheet,
    "import_undo": undo_sheet,
    "sheet_requests": ask_for_sheets,
    "new_plan_import": confirm_plan,
    "new_plan_undo": undo_plan,
    "setup_organization": setup_organization,
    "setup_units": setup_units,
    "setup_framework": setup_framework,
    "setup_plan": setup_plan,
}
# Pages that are posted and write nothing that a page of a plan shows.
ACCOUNTS = {page.name for page in accounts.urls.urlpatterns} - {
    "mfa_index", "mfa_view_recovery_codes", "own_data", "data_of_person", "privacy",  # only read
}  # fmt: skip
NOT_SHOWN = {"set_language", "close_introduction", "prepare", "new_plan", "sheet_archive"} | ACCOUNTS


def site_urls(world):
    """Yield the name and the URL of every page of the site."""
    job = ImportJobFactory(plan=world.plan)
    known = {
        "slug": "2563", "ref": "1.1-A-1", "unit": world.unit.abbreviation, "abbreviation": world.unit.abbreviation,
        "code": "8.9", "period": 2, "pk": world.evidence.pk, "key": job.key, "name": "x",
        "uidb64": "x", "token": "x", "provider_id": "sso", "chapter": "staff",
    }  # fmt: skip
    found = get_resolver().reverse_dict
    for name in sorted(key for key in found if isinstance(key, str)):
        try:
            yield name, reverse(name, kwargs={key: known[key] for key in found.getlist(name)[0][3]})
        except (KeyError, NoReverseMatch) as error:
            raise AssertionError(f"no values for the URL {name}") from error


def test_every_page_that_is_posted_is_tested(world):
    posting = set()
    for name, url in site_urls(world):
        world.client.force_login(world.person)  # one of the pages is the logout
        if world.client.post(url, {}).status_code != 405:
            posting.add(name)
    assert posting == set(PAGES) | NOT_SHOWN


@pytest.mark.parametrize("page", PAGES)
def test_page_raises_the_revision(world, monkeypatch, page):
    history = Plan.history.filter(id=world.plan.pk).count()
    with fresh_after_write(world, monkeypatch, page):
        world.before = before = revisions(world)
        keep_summaries()
        PAGES[page](world)
        shown_summaries()
        after = revisions(world)
    assert after[0] > before[0]
    assert (after[1] > before[1]) is hasattr(world, "is_anywhere")
    # A step changes the plan itself; the revision is no part of its history.
    assert Plan.history.filter(id=world.plan.pk).count() == history + (page == "plan_step")


# Commands.


def test_seed_and_demo_raise_the_revision(settings):
    settings.PMQA_DEMO, settings.PMQA_DEMO_PASSWORD = True, "only-for-these-tests"
    seen = []
    for command in ("seed", "demo", "demo"):
        call_command(command, verbosity=0)
        seen.append(Plan.objects.get().revision)
        shown_summaries()
        keep_summaries()
    assert 0 < seen[0] < seen[1] == seen[2]


# Records that move, and writes of single records.

MOVES = {
    "meeting": lambda world: world.plan.meetings.get(),
    "period": lambda world: world.plan.periods.get(number=4),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", MOVES)
def test_record_that_moves_raises_both_plans(world, name):
    record = MOVES[name](world)
    before = revisions(world)
    world.other.periods.all().delete()
    record.plan = world.other
    record.save()
    after = revisions(world)
    assert after[0] == before[0] + 1
    assert after[1] > before[1]


CHANGES = {
    "collective gets a member": lambda world: world.everyone.members.add(UnitFactory(organization=world.organization)),
    "unit is taken out of its collectives": lambda world: world.unit.collectives.clear(),
    "membership": lambda world: Membership.objects.filter(user=world.person).first().delete(),
    "role": lambda world: world.person.groups.clear(),
    "requirements of an action": lambda world: world.action.requirements.clear(),
    "plan of the same organization": lambda world: PlanFactory(),
    "state": lambda world: world.plan.save(update_fields=["state"]),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("change", CHANGES)
def test_change_raises_the_revision(world, monkeypatch, change):
    with fresh_after_write(world, monkeypatch, change):
        before = revisions(world)
        keep_summaries()
        CHANGES[change](world)
        assert revisions(world)[0] > before[0]
        shown_summaries()


def test_edition_shows_the_criteria_it_continues(world):
    following = CriterionFactory(code="9.1", category=CategoryFactory(framework=world.framework))
    following.predecessors.add(world.criterion)
    before = revisions(world)
    world.criterion.title = "ใหม่"
    world.criterion.save()
    assert revisions(world) == [before[0] + 1, before[1] + 1]
    following.title = "ใหม่"
    following.save()
    assert revisions(world) == [before[0] + 1, before[1] + 2]


def test_new_name_of_somebody_who_moved_raises_the_plans_they_wrote_in(world, monkeypatch):
    world.person.organization = world.organization
    world.person.save()
    with fresh_after_write(world, monkeypatch, "name"):
        before = revisions(world)
        world.person.email = "new@example.org"
        world.person.save()
        assert revisions(world) == [before[0], before[1] + 1]
        world.person.first_name = "ชื่อใหม่"
        world.person.save()
        assert revisions(world) == [before[0] + 1, before[1] + 2]
        load_person(world.person, Group.objects.all())
        world.person.last_name = "นามสกุลใหม่"
        save_people([], [world.person])  # as a workbook of people does
        assert revisions(world) == [before[0] + 2, before[1] + 3]


def test_login_raises_nothing(world):
    person = UserFactory(username="somsri", roles=["staff"])
    before = revisions(world)
    world.client.force_login(person)
    assert User.objects.get(pk=person.pk).last_login
    assert revisions(world) == before


# What reads, and what only looks at the revision.


# Tables that pages read and whose rows are on no page of a plan: they decide who reads it, run its tasks, or repeat
# what is counted from watched rows, with the revision.
NOT_OF_A_PLAN = {
    "auth_group", "auth_permission", "auth_group_permissions", "django_content_type", "accounts_session",
    "accounts_attempts", "account_emailaddress", "mfa_authenticator", "socialaccount_socialapp",
    "pmqa_tracker_backgroundtask", "pmqa_tracker_workerprocess", "plan_plansummary",
}  # fmt: skip
# Pages that read more than a plan: everything that names a person, or every change.
NO_PAGES = ("logout", "own_data", "data_of_person", "audit", "audit_xlsx")


def plan_pages(world):
    send(world.plan, world.unit, world.person)
    pages = [url for name, url in site_urls(world) if name not in NO_PAGES]
    return [*pages, *addresses(world.plan).values(), *(url for urls in lists(world.plan).values() for url in urls)]


def test_reading_raises_nothing_and_every_table_that_a_page_reads_is_watched(world):
    pages, admin_pages = plan_pages(world), []
    for model, screen in admin.site._registry.items():
        record = model._base_manager.first()
        kinds = ["changelist", *(kind for kind in ("import", "export") if hasattr(screen, f"{kind}_action"))]
        admin_pages += [address(model, page) for page in kinds]
        admin_pages += [address(model, page, record.pk) for page in ("change", "history", "delete") if record]
    before = revisions(world)
    with CaptureQueriesContext(connection) as queries:
        answers = {page: world.client.get(page).status_code for page in pages}
    read = {table for each in queries for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', each["sql"])}
    answers |= {page: world.client.get(page).status_code for page in admin_pages}
    assert revisions(world) == before
    assert {page: status for page, status in answers.items() if status not in (200, 302, 403, 404, 405, 410)} == {}
    assert sum(status == 200 for status in answers.values()) > 60
    assert "plan_plan" in read
    assert sorted(read - NOT_OF_A_PLAN - revision_guard.tables()) == []
