"""Evidence of an update: files and links are stored outside every URL, downloaded, and withdrawn with a reason."""

import os
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plan.evidence import storage
from plan.models import AppendOnlyError, Evidence, EvidenceWithdrawal, ProgressUpdate
from plan.models.evidence import remove_leftovers
from tests.factories import ActionItemFactory, EvidenceFactory, PlanFactory, UnitFactory, UserFactory
from tests.plan.evidence.hostile import good_files, hostile_files
from tests.plan.posting import multipart

pytestmark = [pytest.mark.django_db, pytest.mark.long]
FILES = {name: content for name, content, _kind in good_files()}
PDF = next(content for _name, content, kind in good_files() if kind == "pdf")
PNG = next(content for _name, content, kind in good_files() if kind == "png")


@pytest.fixture
def unit():
    return UnitFactory()


@pytest.fixture
def action(unit):
    return ActionItemFactory(plan=PlanFactory(slug="2563"), ref="1.1-A-1", lead=[unit])


@pytest.fixture
def here(staff, action):
    return f"/plans/2563/actions/{action.ref}/"


def upload(name="รายงานการประชุม ครั้งที่ 1.pdf", content=PDF):
    return SimpleUploadedFile(name, content, content_type="text/html")


def typed(action, **fields):
    action.refresh_from_db()
    return {
        "version": action.version,
        "op_id": str(uuid4()),
        "status_to": action.status,
        "progress_to": action.progress,
        **fields,
    }


def stored_files(settings):
    return sorted(
        path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file() and path.parent.name != "staged"
    )


@pytest.mark.both_databases(only_full=True)
def test_update_adds_files_and_links(client, here, action, settings):
    links = "รายงานผล https://example.org/report\n\nexample.org/other"
    response = client.post(here, typed(action, files=[upload(), upload("ภาพ.png", PNG)], links=links))
    assert response.status_code == 302
    rows = Evidence.objects.order_by("pk").values_list("title", "kind", "size", "sha256", "link")
    assert list(rows) == [
        ("รายงานผล", "", None, "", "https://example.org/report"),
        ("example.org/other", "", None, "", "https://example.org/other"),
        ("รายงานการประชุม ครั้งที่ 1.pdf", "pdf", len(PDF), sha256(PDF).hexdigest(), ""),
        ("ภาพ.png", "png", len(PNG), sha256(PNG).hexdigest(), ""),
    ]
    stored = stored_files(settings)
    assert sorted(path.read_bytes() for path in stored) == sorted([PDF, PNG])
    names = {str(path.relative_to(settings.MEDIA_ROOT)) for path in stored}
    assert names == set(Evidence.objects.exclude(file="").values_list("file", flat=True))
    assert all(path.suffix == "" and len(path.name) == 32 for path in stored)
    assert {path.stat().st_mode & 0o077 for path in stored} == {0}


def test_file_alone_is_enough_for_done(client, here, action):
    response = client.post(here, typed(action, status_to="DONE", progress_to=100, files=[upload()]))
    assert response.status_code == 302
    assert ProgressUpdate.objects.get().status_to == "DONE"


def test_download_is_an_attachment_that_runs_nothing(client, here, action):
    client.post(here, typed(action, files=[upload()]))
    evidence = Evidence.objects.get()
    response = client.get(f"/plans/2563/evidence/{evidence.pk}/")
    assert b"".join(response.streaming_content) == PDF
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert response.headers["Cache-Control"] == "private, no-store"


def test_download_needs_a_login_and_its_own_plan(client, here, action):
    client.post(here, typed(action, files=[upload()]))
    evidence = Evidence.objects.get()
    PlanFactory(slug="2565")
    assert client.get(f"/plans/2565/evidence/{evidence.pk}/").status_code == 404
    assert client.get(f"/plans/2563/evidence/{evidence.pk + 1}/").status_code == 404
    assert client.get(f"/plans/2563/evidence/{10**30}/").status_code == 404
    client.logout()
    response = client.get(f"/plans/2563/evidence/{evidence.pk}/")
    assert response.url.startswith("/login/")


def test_no_path_serves_the_folder(client, here, action):
    client.post(here, typed(action, files=[upload()]))
    name = Evidence.objects.get().file
    for path in (f"/static/{name}", f"/media/{name}", f"/evidence/{name}", f"/{name}"):
        assert client.get(path).status_code == 404


def test_page_names_a_file_that_is_missing_on_the_disk(client, here, action, settings):
    client.post(here, typed(action, files=[upload()]))
    evidence = Evidence.objects.get()
    stored_files(settings)[0].unlink()
    response = client.get(f"/plans/2563/evidence/{evidence.pk}/")
    assert response.status_code == 404
    assert evidence.title in response.content.decode()


def test_bad_file_is_refused_by_name_and_the_good_one_stays(client, here, action, settings):
    bad = upload("ใบเสร็จ.pdf", b"<html><script>alert(1)</script></html>")
    response = client.post(here, typed(action, result="ทำแล้ว", links="https://example.org/", files=[bad, upload()]))
    body = response.content.decode()
    form = response.context["panel"].form
    assert response.status_code == 422
    assert list(form.errors) == ["files"]
    assert "ใบเสร็จ.pdf" in form.errors["files"][0]
    assert "ทำแล้ว</textarea>" in body
    assert "https://example.org/</textarea>" in body
    assert (stored_files(settings), ProgressUpdate.objects.count()) == ([], 0)
    # The user need not choose the good file again: it is staged.
    (token,) = [token for token, _file in form.staged_files]
    assert client.post(here, typed(action, result="ทำแล้ว", kept=[token])).status_code == 302
    assert [path.read_bytes() for path in stored_files(settings)] == [PDF]
    assert Evidence.objects.get().title == "รายงานการประชุม ครั้งที่ 1.pdf"


def test_staged_file_can_be_left_out(client, here, action):
    response = client.post(here, typed(action, status_to="BLOCKED", files=[upload()]))
    assert len(response.context["panel"].form.staged_files) == 1
    assert client.post(here, typed(action, status_to="BLOCKED", problem="รอ", kept=[])).status_code == 302
    assert not Evidence.objects.exists()


def test_staged_file_belongs_to_its_user_and_action(client, here, action, unit):
    response = client.post(here, typed(action, status_to="BLOCKED", files=[upload()]))
    ((token, _file),) = response.context["panel"].form.staged_files
    colleague = UserFactory(roles=["staff"], units=[unit])
    client.force_login(colleague)
    response = client.post(here, typed(action, result="ของเพื่อน", kept=[token]))
    assert response.status_code == 422
    assert list(response.context["panel"].form.errors) == ["files"]
    for forged in ("x", "", "x:y:z", token[:-1]):
        assert client.post(here, typed(action, result="ปลอม", kept=[forged])).status_code == 422
    assert not Evidence.objects.exists()


@pytest.mark.both_databases(only_full=True)
def test_conflict_keeps_the_files(client, here, action, report_progress, coordinator):
    mine = typed(action, result="ของฉัน", files=[upload()])
    report_progress(action, coordinator, progress=10)
    response = client.post(here, mine)
    assert response.status_code == 409
    ((token, file),) = response.context["panel"].form.staged_files
    assert file.original_name == "รายงานการประชุม ครั้งที่ 1.pdf"
    again = typed(action, result="ของฉัน", kept=[token])
    assert client.post(here, again).status_code == 302
    assert Evidence.objects.get().update.version == 3


def test_refusal_of_a_large_file_names_the_limit(client, here, action, settings):
    settings.PMQA_EVIDENCE_MB = 1
    response = client.post(here, typed(action, files=[upload(content=PDF + b" " * 1_100_000)]))
    assert response.status_code == 422
    assert "1 MB" in response.context["panel"].form.errors["files"][0]


def test_files_beyond_ten_are_refused_by_name(client, here, action):
    response = client.post(here, typed(action, files=[upload(f"{n}.pdf") for n in range(12)]))
    errors = response.context["panel"].form.errors["files"]
    assert (response.status_code, len(errors)) == (422, 2)
    assert "10.pdf" in errors[0]
    assert len(response.context["panel"].form.staged_files) == 10


def adds_evidence(sql):
    return sql.startswith(f'INSERT INTO "{Evidence._meta.db_table}"')


@pytest.mark.both_databases(only_full=True)
def test_file_is_synced_before_its_row_is_committed(client, here, action, monkeypatch):
    order = []
    real_sync = os.fsync

    def note(execute, sql, *args):
        if adds_evidence(sql):
            order.append("row")
        return execute(sql, *args)

    monkeypatch.setattr("os.fsync", lambda handle: (order.append("fsync"), real_sync(handle))[1])
    with connection.execute_wrapper(note):
        client.post(here, typed(action, files=[upload()]))
    assert order.count("row") == 1
    assert order.index("row") == len(order) - 1
    assert order.count("fsync") == 4  # the content, and the three folders above it


@pytest.mark.both_databases
def test_failed_row_leaves_no_file(client, here, action, settings):
    def refuse(execute, sql, *args):
        if adds_evidence(sql):
            raise RuntimeError("the disk of the database is full")
        return execute(sql, *args)

    client.raise_request_exception = False
    with connection.execute_wrapper(refuse):
        assert client.post(here, typed(action, files=[upload()])).status_code == 500
    assert (stored_files(settings), ProgressUpdate.objects.count()) == ([], 0)


@pytest.mark.both_databases(only_full=True)
def test_leftovers_are_deleted_after_a_day(client, here, action, settings, monkeypatch):
    client.post(here, typed(action, files=[upload()]))
    (recorded,) = stored_files(settings)
    client.post(here, typed(action, status_to="BLOCKED", files=[upload("อื่น.png", PNG)]))
    with monkeypatch.context() as killed:  # in the middle: nothing is cleaned up after the failure
        killed.setattr(Evidence.objects, "bulk_create", lambda rows: sys.exit())
        killed.setattr(storage, "delete", lambda names: None)
        with pytest.raises(SystemExit):
            client.post(here, typed(action, result="ทำแล้ว", files=[upload()]))
    staged = Path(settings.MEDIA_ROOT) / "staged"
    assert (len(stored_files(settings)), len([*staged.iterdir()])) == (2, 3)
    assert remove_leftovers(timezone.now() + timedelta(hours=24)) == 0
    assert remove_leftovers(timezone.now() + timedelta(hours=26)) == 4
    assert (stored_files(settings), [*staged.iterdir()]) == ([recorded], [])
    assert remove_leftovers(timezone.now() + timedelta(hours=26)) == 0


def test_old_token_finds_no_file(client, here, action, monkeypatch):
    response = client.post(here, typed(action, status_to="BLOCKED", files=[upload()]))
    ((token, _file),) = response.context["panel"].form.staged_files
    monkeypatch.setattr(storage, "STAGED_SECONDS", -1)
    response = client.post(here, typed(action, result="ช้าไป", kept=[token]))
    assert response.status_code == 422


# Withdrawal.


@pytest.fixture
def evidence(client, here, action):
    client.post(here, typed(action, files=[upload()]))
    return Evidence.objects.get()


@pytest.mark.both_databases(only_full=True)
def test_withdrawal_needs_a_reason_and_keeps_the_row(client, here, evidence, settings):
    address = f"/plans/2563/evidence/{evidence.pk}/withdraw/"
    for nothing in ("", "  ", "แนบ\0ผิด"):
        refused = client.post(address, {"reason": nothing})
        assert refused.status_code == 422
        assert f'id="withdraw-{evidence.pk}-error"' in refused.content.decode()
    assert not EvidenceWithdrawal.objects.exists()
    assert client.post(address, {"reason": "แนบผิดฉบับ"}).url == f"{here}#update-{evidence.update_id}"
    withdrawal = EvidenceWithdrawal.objects.get()
    assert (withdrawal.reason, withdrawal.evidence) == ("แนบผิดฉบับ", evidence)
    body = client.get(here).content.decode()
    assert f"<s>{evidence.title}</s>" in body
    assert "แนบผิดฉบับ" in body
    gone = client.get(f"/plans/2563/evidence/{evidence.pk}/")
    assert gone.status_code == 410
    assert "แนบผิดฉบับ" in gone.content.decode()
    assert len(stored_files(settings)) == 1
    again = client.post(address, {"reason": "อีกครั้ง"})
    assert again.status_code == 409
    assert "อีกครั้ง</textarea>" in again.content.decode()
    assert EvidenceWithdrawal.objects.get().reason == "แนบผิดฉบับ"


def test_only_the_user_who_added_it_and_the_coordinator_withdraw(client, here, evidence, unit, coordinator):
    address = f"/plans/2563/evidence/{evidence.pk}/withdraw/"
    client.force_login(UserFactory(roles=["staff"], units=[unit]))
    assert f"{address}" not in client.get(here).content.decode()
    assert client.post(address, {"reason": "ของคนอื่น"}).status_code == 403
    client.force_login(coordinator)
    assert address in client.get(here).content.decode()
    assert client.post(address, {"reason": "ข้อมูลส่วนบุคคล"}).status_code == 302
    assert EvidenceWithdrawal.objects.get().by == coordinator


def test_link_can_be_withdrawn(client, staff, action, coordinator):
    link = EvidenceFactory(action=action, update__action=action)
    client.force_login(coordinator)
    assert client.post(f"/plans/2563/evidence/{link.pk}/withdraw/", {"reason": "ลิงก์เสีย"}).status_code == 302
    assert EvidenceWithdrawal.objects.get().evidence == link
    assert client.get(f"/plans/2563/evidence/{link.pk}/").status_code == 404


@pytest.mark.both_databases
def test_evidence_is_immutable(evidence):
    with pytest.raises(AppendOnlyError):
        evidence.save()
    with pytest.raises(AppendOnlyError):
        evidence.delete()


@pytest.mark.both_databases
def test_history_needs_no_more_queries_for_more_evidence(client, here, action, report_progress, staff):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(here).status_code == 200
        return len(captured)

    def grow():
        link = EvidenceFactory(update=report_progress(action, staff, result=str(uuid4())))
        EvidenceWithdrawal.objects.create(evidence=link, reason="ผิด", by=staff, at=link.at)
        EvidenceFactory(update=link.update)

    grow()
    few = queries()
    for _ in range(3):
        grow()
    assert queries() == few <= 20


# Hostile files, posted as a browser posts them.


def post_hostile(client, here, action, bad, **headers):
    body, content_type = multipart(typed(action, result=f"{bad.why}: ทำแล้ว"), bad.name, bad.content)
    return client.generic("POST", here, body, content_type=content_type, headers=headers)


def test_hostile_file_is_refused_by_name_and_not_stored(client, here, action, settings):
    staged = Path(settings.MEDIA_ROOT) / "staged"
    for bad in [each for each in hostile_files() if not each.is_fine]:
        response = post_hostile(client, here, action, bad, **{"HX-Request": "true"})  # answered by the form alone
        assert (stored_files(settings), Evidence.objects.count()) == ([], 0), bad.why
        if not bad.name.strip("."):
            continue  # no file name at all to Django, which leaves the file out before a form sees it
        assert response.status_code == 422, bad.why
        assert list(response.context["panel"].form.errors) == ["files"], bad.why
        assert "ทำแล้ว</textarea>" in response.content.decode(), bad.why
        assert not staged.exists() or list(staged.iterdir()) == [], bad.why


@pytest.mark.parametrize("bad", [pytest.param(each, id=each.why) for each in hostile_files() if each.is_fine])
def test_good_file_with_a_hostile_name_is_served_under_a_harmless_one(client, here, action, settings, bad):
    assert post_hostile(client, here, action, bad).status_code == 302
    evidence = Evidence.objects.get()
    (path,) = stored_files(settings)
    assert path.resolve().is_relative_to(Path(settings.MEDIA_ROOT).resolve())
    assert path.read_bytes() == bad.content
    given = client.get(f"/plans/2563/evidence/{evidence.pk}/")
    assert given.headers["Content-Disposition"].startswith("attachment")
    assert not set("\r\n\0/\\").intersection(evidence.original_name)
    assert len(evidence.original_name) <= 200
    assert given.headers["Content-Security-Policy"].startswith("sandbox")


def test_there_are_sixty_hostile_files_or_more():
    assert len(hostile_files()) >= 60
