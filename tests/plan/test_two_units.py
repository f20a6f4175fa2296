"""A user in two units: the unit of each row, the filter by unit, and the unit reported for."""

from uuid import uuid4

import pytest

from assignments.access import Access
from assignments.models import Membership
from plan.models import ActionItem, ProgressUpdate, Status
from pmqa_tracker.write_once import NotAllowedError
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.plan.posting import HTMX
from worklist.page import as_of_now
from worklist.queue import count_owed

pytestmark = pytest.mark.django_db


@pytest.fixture
def first():
    return UnitFactory(abbreviation="กค.")


@pytest.fixture
def second():
    return UnitFactory(abbreviation="กน.")


@pytest.fixture
def person(client, first, second):
    person = UserFactory(roles=["staff"], units=[first, second])
    client.force_login(person)
    return person


def typed(action, **fields):
    action.refresh_from_db()
    return {
        "version": action.version, "op_id": str(uuid4()), "status_to": action.status,
        "progress_to": action.progress, "result": "ทำแล้ว", **fields,
    }  # fmt: skip


def row_of(client, action, query=""):
    sections = client.get(f"/plans/2563/my/?q={action.ref}&{query}").context["work"].sections
    return next(row for section in sections for row in (*section.own, *section.via_collective) if row.action == action)


def refs(client, address):
    sections = client.get(address).context["work"].sections
    return sorted(row.action.ref for section in sections for row in (*section.own, *section.via_collective))


def test_each_row_names_its_unit_and_the_page_filters_by_unit(client, plan, first, second, person):
    everyone = UnitFactory(is_collective=True, members=[first, second])
    ours = ActionItemFactory(plan=plan, lead=[first])
    theirs = ActionItemFactory(plan=plan, lead=[second])
    both = ActionItemFactory(plan=plan, lead=[everyone])
    assert [[str(duty.unit) for duty in row_of(client, each).shown_duties] for each in (ours, theirs, both)] == [
        ["กค."], ["กน."], ["กค.", "กน."],
    ]  # fmt: skip
    assert refs(client, "/plans/2563/my/?unit=กค.") == sorted([ours.ref, both.ref])
    assert refs(client, "/plans/2563/my/?unit=กน.") == sorted([theirs.ref, both.ref])
    assert refs(client, "/plans/2563/my/?unit=อื่น") == sorted([ours.ref, theirs.ref, both.ref])
    body = client.get("/plans/2563/my/?unit=กน.").content.decode()
    kept = "unit=%E0%B8%81%E0%B8%99."
    for address in (
        f"/my/{theirs.ref}/?{kept}",
        f"/my/unchanged/?{kept}",
        f"/my/?role=SUPPORT&amp;{kept}",
        f"/my.xlsx?{kept}",
    ):
        assert address in body
    saved = client.post(f"/plans/2563/my/{theirs.ref}/?unit=กน.", typed(theirs))
    assert saved.url.startswith(f"/plans/2563/my/?{kept}")


def test_author_chooses_the_unit_and_each_unit_owes_its_own_update(client, plan, first, second, person):
    action = ActionItemFactory(plan=plan, lead=[first, second])
    body = client.get(f"/plans/2563/my/{action.ref}/", headers=HTMX).content.decode()
    assert f'<option value="{first.pk}" selected>กค.</option>' in body
    assert f'<option value="{second.pk}">กน.</option>' in body
    client.post(f"/plans/2563/my/{action.ref}/", typed(action, unit=second.pk))
    assert ProgressUpdate.objects.get().unit == second
    assert [bool(duty.update) for duty in row_of(client, action).duties] == [False, True]
    assert (
        count_owed(plan, Access.of(person).as_member_of(first), as_of_now(plan))
        - count_owed(plan, Access.of(person).as_member_of(second), as_of_now(plan))
        == 1
    )
    client.post(f"/plans/2563/my/{action.ref}/", typed(action, unit=first.pk))
    assert set(ProgressUpdate.objects.values_list("unit", flat=True)) == {first.pk, second.pk}
    assert "กน." in client.get(f"/plans/2563/actions/{action.ref}/").content.decode()


@pytest.mark.parametrize("unit", ["foreign", "9999999", "x"])
def test_unit_of_others_is_refused_and_the_text_kept(client, plan, first, person, unit):
    foreign = UnitFactory()
    action = ActionItemFactory(plan=plan, lead=[first, foreign])
    chosen = foreign.pk if unit == "foreign" else unit
    response = client.post(f"/plans/2563/my/{action.ref}/", typed(action, unit=chosen))
    body = response.content.decode()
    assert response.status_code == 422
    assert "ทำแล้ว</textarea>" in body
    assert "ท่านไม่ได้รายงานในนามหน่วยงานนี้" in body
    assert not ProgressUpdate.objects.exists()


def test_unit_left_while_typing_is_not_replaced_by_another(client, plan, first, second, person):
    action = ActionItemFactory(plan=plan, lead=[first, second])
    form = typed(action, unit=second.pk)
    Membership.objects.filter(user=person, unit=second).delete()
    assert client.post(f"/plans/2563/my/{action.ref}/", form).status_code == 422
    assert not ProgressUpdate.objects.exists()


def test_report_for_the_supporting_unit_changes_no_status(client, plan, first, second, person):
    action = ActionItemFactory(plan=plan, lead=[first], support=[second])
    form = typed(action, unit=second.pk, status_to=Status.IN_PROGRESS, progress_to=40)
    assert client.post(f"/plans/2563/my/{action.ref}/", form).status_code == 422
    assert client.post(f"/plans/2563/my/{action.ref}/", typed(action, unit=second.pk)).status_code == 302
    update = ProgressUpdate.objects.get()
    assert (update.unit, update.status_to) == (second, Status.NOT_STARTED)
    assert not row_of(client, action).has_all_updates


def test_no_change_is_recorded_for_each_unit(client, plan, first, second, person):
    action = ActionItemFactory(plan=plan, lead=[first, second])
    choices = row_of(client, action).unit_choices
    assert [str(unit) for unit, _value in choices] == ["กค.", "กน."]
    client.post("/plans/2563/my/unchanged/", {"row": [value for _unit, value in choices]})
    assert list(ProgressUpdate.objects.order_by("version").values_list("unit", "is_unchanged")) == [
        (first.pk, True), (second.pk, True),
    ]  # fmt: skip
    assert row_of(client, action).unit_choices == []
    again = ActionItemFactory(plan=plan, lead=[first, second])
    (value,) = (value for unit, value in row_of(client, again, "unit=กน.").unit_choices)
    client.post("/plans/2563/my/unchanged/?unit=กน.", {"row": value})
    assert ProgressUpdate.objects.get(action=again).unit == second
    forged = value.rpartition("@")[0] + f"@{UnitFactory().pk}"
    client.post("/plans/2563/my/unchanged/", {"row": forged})
    assert ProgressUpdate.objects.filter(action=again).count() == 1


def test_coordinator_chooses_the_unit_to_report_for(client, plan, first, second, report_progress):
    coordinator = UserFactory(roles=["coordinator"], units=[UnitFactory()])
    everyone = UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=[first, second])
    shared, through = ActionItemFactory(plan=plan, lead=[first, second]), ActionItemFactory(plan=plan, lead=[everyone])
    client.force_login(coordinator)
    body = client.get(f"/plans/2563/actions/{shared.ref}/").content.decode()
    assert '<option value="" selected>หน่วยงานหลักทุกหน่วยงาน</option>' in body
    client.post(f"/plans/2563/actions/{shared.ref}/", typed(shared, unit=second.pk))
    client.post(f"/plans/2563/actions/{through.ref}/", typed(through, unit=first.pk))
    assert [ProgressUpdate.objects.get(action=each).unit for each in (shared, through)] == [second, first]
    owed = {unit: Access.of(UserFactory(roles=["staff"], units=[unit])) for unit in (first, second)}
    late = 2  # the reports of the periods that have ended
    assert [count_owed(plan, owed[unit], as_of_now(plan)) - late for unit in (first, second)] == [1, 1]
    with pytest.raises(NotAllowedError):
        report_progress(through, coordinator, result="แทนหน่วยงานอื่น", unit=UnitFactory().pk)
    assert ActionItem.objects.get(pk=through.pk).version == 2
