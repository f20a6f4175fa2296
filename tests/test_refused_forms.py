"""Refused forms: the response says why and shows the typed text with its labels."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.encoding import iri_to_uri as uri

from assignments.models import Assignment, Membership
from plan.models import ActionItem, ProgressUpdate
from submissions.models import SubmissionState
from tests.factories import EvidenceFactory, UnitFactory, UserFactory
from tests.plan.posting import HTMX, typed
from tests.submissions.sending import send

pytestmark = pytest.mark.django_db
WORDS = "ข้อความที่พิมพ์ค้างไว้"


def shown(response):
    """Return label → typed text that a page shows to copy."""
    body = response.content.decode()
    return dict(re.findall(r"<label>([^<]*)<textarea[^>]*readonly[^>]*>([^<]*)</textarea>", body))


def update(action):
    return typed(action, status_to="IN_PROGRESS", progress_to=40, result=WORDS, links="รายงาน https://example.org/1")


LABELLED = {
    "สถานะปัจจุบัน": "อยู่ระหว่างดำเนินการ",
    "ความก้าวหน้า (ร้อยละ)": "40 %",
    "ผลการดำเนินการ": WORDS,
    "ลิงก์หลักฐาน (บรรทัดละหนึ่งลิงก์)": "รายงาน https://example.org/1",
}
LOSSES = {
    "membership": lambda action: Membership.objects.all().delete(),
    "assignment": lambda action: Assignment.objects.all().delete(),
    "role": lambda action: Membership.objects.get().user.groups.clear(),
    "ref": lambda action: ActionItem.objects.filter(pk=action.pk).update(ref="อื่น"),
    "plan": lambda action: type(action.plan).objects.filter(pk=action.plan.pk).update(slug="อื่น"),
}


@pytest.mark.parametrize("page", ["my", "actions"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("loss", LOSSES)
def test_losing_a_right_or_record_while_typing_keeps_the_text(client, staff, action, page, headers, loss):
    data = update(action)
    LOSSES[loss](action)
    response = client.post(f"/plans/2563/{page}/{action.ref}/", data, headers=headers)
    assert response.status_code == (404 if loss in ("ref", "plan") else 403)
    if not headers:
        assert shown(response) == LABELLED
        if response.status_code == 403:  # the browser opens the page at the place the form was sent to
            body = response.content.decode()
            place = f'id="row-{action.ref}"' if page == "my" else 'id="answer"'
            assert body.index(place) < body.index('class="typed-words"')
    else:
        body = response.content.decode()
        assert "<html" not in body
        # Either the response contains the text, or the form on the page stays unchanged.
        assert response.headers.get("X-Refusal") == "true" or shown(response) == LABELLED
    assert not ProgressUpdate.objects.exists()


def test_refused_form_shows_the_name_of_the_chosen_unit(client, staff, action, unit):
    second = UnitFactory(abbreviation="กทส.")
    Membership.objects.create(user=staff, unit=second)
    Assignment.objects.create(action=action, unit=second, role="SUPPORT")
    here = f"/plans/2563/my/{action.ref}/"
    data = update(action) | {"unit": second.pk, "status_to": action.status, "progress_to": action.progress}
    for posted in (data | {"links": "ftp://x"}, data | {"version": "0"}):
        response = client.post(here, posted)
        assert response.status_code in (409, 422)
        assert f'value="{second.pk}" selected' in response.content.decode()
    Membership.objects.all().delete()
    assert shown(client.post(here, data))["รายงานในนามหน่วยงาน"] == "กทส."
    for odd in ("๙", "9" * 30, "x", "-1"):
        assert "รายงานในนามหน่วยงาน" not in shown(client.post(here, data | {"unit": odd}))


@pytest.mark.parametrize("kind", ["update", "send", "return"])
def test_page_without_javascript_opens_at_the_answer(client, plan, action, unit, kind):
    """The form posts to the anchor of the answer, which exists only in a response with an answer."""
    person = UserFactory(roles=["staff" if kind == "send" else "coordinator"], units=[unit])
    client.force_login(person)
    here = f"/plans/2563/actions/{action.ref}/" if kind == "update" else "/plans/2563/reporting/สพม./2/"
    if kind == "return":
        send(plan, unit, person)
    data = {"do": kind, "version": int(kind == "return"), "op_id": str(uuid4()), "note": WORDS}
    data = update(action) | {"progress_to": 900} if kind == "update" else data
    place = {"update": 'id="update"', "send": 'id="send"', "return": 'id="review"'}[kind]
    before = client.get(here).content.decode()
    assert f'action="{uri(here)}#answer"' in before
    assert 'id="answer"' not in before
    stale = {"version": "7", f"reason_{action.pk}": WORDS}
    for posted, status in ((data, 422), (data | stale, 409)):
        response = client.post(here, posted)
        body = response.content.decode()
        assert response.status_code == status
        assert body.count('id="answer"') == 1
        assert status == 409 or body.index(place) < body.index('id="answer"') < body.index(f"{WORDS}</textarea>")


@pytest.mark.parametrize(
    ("typed_so", "shown_so"),
    [("๔๐", "๔๐ %"), ("40%", "40%"), ("40 %", "40 %"), ("ร้อยละ 40", "ร้อยละ 40"), ("x", "x")],
)
def test_refused_progress_is_shown_as_typed_with_one_percent_sign(client, staff, action, typed_so, shown_so):
    data = update(action) | {"progress_to": typed_so}
    Membership.objects.all().delete()
    assert shown(client.post(f"/plans/2563/my/{action.ref}/", data))["ความก้าวหน้า (ร้อยละ)"] == shown_so


@pytest.mark.parametrize("odd", ["900", "๙๐๐", "-5 %", "50.5", "101%"])
def test_invalid_progress_is_quoted_as_typed(client, staff, action, odd):
    response = client.post(f"/plans/2563/my/{action.ref}/", update(action) | {"progress_to": odd})
    assert response.status_code == 422
    assert f"“{odd}”" in response.content.decode()


def test_user_without_a_row_who_may_update_goes_to_the_action_page(client, action, coordinator):
    client.force_login(coordinator)
    here = f"/plans/2563/actions/{action.ref}/"
    data = update(action)
    refused = client.post(f"/plans/2563/my/{action.ref}/", data | {"progress_to": 400}, headers=HTMX)
    assert refused.status_code == 422
    assert "<html" not in refused.content.decode()
    done = client.post(f"/plans/2563/my/{action.ref}/", data, headers=HTMX)
    assert done.headers["HX-Redirect"] == here
    assert "recorded" in done.headers["HX-Trigger"]
    assert client.post(f"/plans/2563/my/{action.ref}/", data).url == here
    assert ProgressUpdate.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("way", ["login", "token"])
def test_typed_text_survives_a_refusal_before_the_view(staff, action, headers, way):
    client = Client(enforce_csrf_checks=way == "token")
    if way == "token":
        client.force_login(staff)
    response = client.post(f"/plans/2563/my/{action.ref}/", update(action), headers=headers)
    assert response.status_code == 403
    assert "<html" not in response.content.decode() if headers else shown(response) == LABELLED


def test_submissions_withdrawals_uploads_and_ticks_keep_text_and_labels(client, staff, action, unit):
    """For a user without permission, and at a URL that no longer exists."""
    evidence = EvidenceFactory(action=action)
    assert shown(client.post(f"/plans/2563/evidence/{evidence.pk}/withdraw/", {"reason": WORDS})) == {
        "เหตุผลที่ถอน": WORDS
    }
    assert shown(client.post("/plans/2563/evidence/99999/withdraw/", {"reason": WORDS})) == {"เหตุผลที่ถอน": WORDS}
    report = {"do": "return", "version": 1, "note": WORDS, f"reason_{action.pk}": "ขอหลักฐาน", "confirm": "on"}
    expected = {"หมายเหตุ": WORDS, f"สิ่งที่ต้องแก้ไขใน {action.ref}": "ขอหลักฐาน"}
    for address in ("/plans/2563/reporting/สพม./99/", "/plans/2563/reporting/ไม่มี/1/", "/plans/x/reporting/สพม./1/"):
        response = client.post(address, report)
        assert response.status_code == 404
        assert expected.items() <= shown(response).items()
    refused = client.post("/plans/2563/reporting/สพม./1/", report)
    assert refused.status_code == 403
    assert expected.items() <= shown(refused).items()
    upload = client.post("/plans/2563/import/", {"unit": "สพม."})
    assert upload.status_code == 403
    assert list(shown(upload).values()) == ["สพม."]
    ticked = client.post("/plans/x/my/unchanged/", {"row": f"{action.ref}|1|{typed(action)['op_id']}"})
    assert (ticked.status_code, list(shown(ticked).values())) == (404, [action.ref])
    assert SubmissionState.SENT not in action.plan.periods.values_list("submissions__state", flat=True)


@pytest.mark.parametrize("change", [{"is_staff": False, "is_superuser": False}, {"is_active": False}])
def test_user_who_loses_admin_access_while_typing_keeps_the_text(client, unit, change):
    person = UserFactory(roles=["coordinator"], is_staff=True, is_superuser=True)
    client.force_login(person)
    for name, value in change.items():
        setattr(person, name, value)
    person.save()
    person.groups.clear()
    response = client.post(f"/admin/assignments/unit/{unit.pk}/change/", {"abbreviation": "สพม.", "name_th": WORDS})
    assert response.status_code == 403
    assert WORDS in shown(response).values()


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_answers_to_htmx_are_never_whole_pages(client, staff, action, headers):
    """Open the row of a missing action, and of one no longer assigned to the user; only own redirects reload a page."""
    gone = client.get("/plans/2563/my/ไม่มี/", headers=headers)
    assert gone.status_code == 404
    assert ("<html" in gone.content.decode()) is not bool(headers)
    Membership.objects.all().delete()
    other = client.get(f"/plans/2563/my/{action.ref}/", headers=headers)
    here = f"/plans/2563/actions/{action.ref}/"
    assert (other.headers.get("HX-Redirect") or other.url) == here
    assert client.get("/plans/2563/import/", headers=headers).status_code == 403
