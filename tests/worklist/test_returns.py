"""The sheets that came back from the units: whose, what they brought, and the mails that ask for the others."""

from datetime import date, timedelta
from io import BytesIO
from smtplib import SMTPRecipientsRefused
from zipfile import ZipFile

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from assignments.access import Access
from exchange import jobs
from exchange.undo import undo_import
from plan.models import Plan
from pmqa_tracker import clock
from submissions.models import SubmissionState
from tests.exchange.workbooks import edited, exported
from tests.factories import ActionItemFactory, ImportJobFactory, SubmissionStepFactory, UnitFactory, UserFactory
from tests.submissions.sending import on, send
from tests.test_pages import no_inline
from worklist.models import SheetRequest
from worklist.returns import requests
from worklist.returns.requests import AskedMeanwhileError, start_requests
from worklist.returns.rows import ReturnState, read_returns

pytestmark = pytest.mark.django_db
HERE = "/plans/2563/exchange/returns/"
OUT, TO_CONFIRM, BACK, REPORTED, NOTHING = ReturnState


class RefusingServer(EmailBackend):
    """A mail server that knows nobody at example.com."""

    def send_messages(self, messages):
        if messages[0].to[0].endswith("@example.com"):
            raise SMTPRecipientsRefused({messages[0].to[0]: (550, b"No such person")})
        return super().send_messages(messages)


@pytest.fixture
def office(client, plan):
    """A coordinator with an address, who is logged in."""
    person = UserFactory(roles=["coordinator"], email="office@example.org", first_name="สมศรี")
    client.force_login(person)
    return person


def lead(plan, abbreviation, *people, actions=1):
    """Make a unit that leads actions of the whole plan, with people who report for it: names with their domain."""
    unit = UnitFactory(abbreviation=abbreviation)
    for number in range(actions):
        ActionItemFactory(plan=plan, lead=[unit], ref=f"{abbreviation}-{number}")
    for name in people:
        UserFactory(username=name.split("@")[0], email=name, roles=["staff"], units=[unit])
    return unit


def upload(plan, unit, person, changes, *, confirm=True, at=None):
    at = at or clock.now()
    data = edited(exported(plan, unit), {(f"{unit}-0", name): value for name, value in changes.items()})
    values = {"data": data, "file_name": f"{unit}.xlsx", "plan": plan, "unit": None, "access": Access.of(person)}
    job = jobs.receive_workbook(**values, at=at)
    return jobs.confirm_job(job=job, file_rows=[], access=Access.of(person), at=at) if confirm else job


def states(plan, number):
    found = read_returns(plan, plan.periods.get(number=number), at=clock.now())
    return {str(row.unit): row.state for row in found.rows}


@pytest.mark.both_databases
def test_state_of_each_unit(client, office, plan, report_progress):
    """Only an imported sheet counts as returned, and a unit that has reported in another way is not out."""
    result = {"status": "อยู่ระหว่างดำเนินการ", "progress": 20, "result": "ทำแล้ว"}
    units = {
        name: lead(plan, name, f"{name}@example.org")
        for name in ("imported", "undone", "refused", "unchanged", "preview", "silent", "updated", "sent", "back")
    }
    lead(plan, "partly", "partly@example.org", actions=2)
    UnitFactory(abbreviation="idle")
    ActionItemFactory(plan=plan, lead=[units["silent"]], support=[UnitFactory(abbreviation="support")])
    upload(plan, units["imported"], office, result)
    undo_import(job=upload(plan, units["undone"], office, result), access=Access.of(office), at=clock.now())
    upload(plan, units["refused"], office, {"status": "ไม่รู้"})
    upload(plan, units["unchanged"], office, {})
    upload(plan, units["preview"], office, result, confirm=False)
    staff = {str(person): person for person in plan.organization.users.all()}
    for name in ("updated", "partly", "back"):
        report_progress(plan.actions.get(ref=f"{name}-0"), staff[name], progress=10)
    send(plan, units["sent"], staff["sent"], number=3)
    SubmissionStepFactory(
        submission__unit=units["back"], submission__period=plan.periods.get(number=3),
        submission__state=SubmissionState.RETURNED, state=SubmissionState.RETURNED,
    )  # fmt: skip
    assert states(plan, 3) == {
        "imported": BACK, "undone": OUT, "refused": OUT, "unchanged": OUT, "preview": TO_CONFIRM, "silent": OUT,
        "updated": REPORTED, "sent": REPORTED, "back": OUT, "partly": OUT, "idle": NOTHING, "support": NOTHING,
    }  # fmt: skip
    page = client.get(HERE)
    rows = {str(row.unit): row for row in page.context["returns"].rows}
    assert [(sheet.brought.rows, sheet.brought.results) for sheet in rows["imported"].sheets] == [(1, 1)]
    assert (rows["partly"].updated_count, rows["partly"].action_count) == (1, 2)
    text = page.content.decode()
    assert no_inline(text) == []
    assert f"/plans/2563/import/{rows['imported'].sheets[0].job.key}/" in text
    assert "ข้อผิดพลาด 1 แห่ง" in text


@pytest.mark.both_databases
def test_sheet_counts_for_the_period_of_its_import_and_late_until_the_report_is_sent(office, plan):
    for name, days in {"in": [(2, 10)], "late": [(4, 10)], "both": [(2, 10), (4, 10)], "sent": [(4, 10)]}.items():
        unit = lead(plan, name, f"{name}@example.org")
        for month, day in days:
            ImportJobFactory(
                plan=plan, unit=unit, kind="UNIT_SHEET", state="WRITTEN", at=on(1, 5), written_at=on(month, day)
            )
    person = plan.organization.users.get(username="sent")
    send(plan, person.memberships.get().unit, person, number=2, at=on(4, 3))
    assert states(plan, 2) == {"in": BACK, "late": BACK, "both": BACK, "sent": REPORTED}
    assert states(plan, 3) == {"in": OUT, "late": BACK, "both": BACK, "sent": BACK}
    found = read_returns(plan, plan.periods.get(number=2), at=clock.now())
    assert {str(row.unit): [sheet.is_late for sheet in row.sheets] for row in found.rows} == {
        "in": [False], "late": [True], "both": [False], "sent": [],
    }  # fmt: skip


@pytest.mark.both_databases(only_full=True)
def test_units_that_are_out_get_their_own_sheet_once_a_day(client, office, plan, settings, monkeypatch):
    first, second = lead(plan, "กทส.", "a@example.org", "b@example.org"), lead(plan, "สลก.", "c@example.org")
    lead(plan, "กจ.", "")  # nobody has an address
    back = lead(plan, "กน.", "d@example.org")
    upload(plan, back, office, {"status": "อยู่ระหว่างดำเนินการ", "progress": 20, "result": "ทำแล้ว"})
    build, made = requests.build_data_sheet, []
    monkeypatch.setattr(requests, "build_data_sheet", lambda *args, unit: made.append(unit) or build(*args, unit=unit))
    page = client.get(HERE)
    assert [str(row.unit) for row in page.context["returns"].to_ask] == ["กทส.", "สลก."]
    assert [str(row.unit) for row in page.context["returns"].unreachable] == ["กจ."]
    answer = client.post(f"{HERE}ask/", {"period": 3}, follow=True)
    assert "ส่งอีเมลแล้ว 2 หน่วยงาน: กทส., สลก." in answer.content.decode()
    assert made == [first, second]
    assert [(each.to, each.reply_to) for each in mail.outbox] == [
        ([f"{name}@example.org"], ["office@example.org"]) for name in "abc"
    ]
    for each, unit in zip(mail.outbox, (first, first, second), strict=True):
        (attachment,) = each.attachments
        assert attachment.filename == f"ข้อมูลแผน {unit} 2563 15 พ.ค. 2563.xlsx"
        assert refs_in(attachment.content) == [f"{unit}-0"]
    assert "เรียน b\n" in mail.outbox[1].body
    assert f"{settings.SITE_URL or 'http://testserver'}/plans/2563/my/" in mail.outbox[0].body
    stored = SheetRequest.objects.order_by("pk").values_list("unit", "by", "day", "number", "sent_to", "failures")
    assert list(stored) == [
        (first.pk, office.pk, date(2020, 5, 15), 1, ["a <a@example.org>", "b <b@example.org>"], []),
        (second.pk, office.pk, date(2020, 5, 15), 1, ["c <c@example.org>"], []),
    ]
    assert "b &lt;b@example.org&gt;" in client.get(HERE).content.decode()
    # A second click, and a confirmation that was given before the mails went out.
    client.post(f"{HERE}ask/", {"period": 3})
    client.post(f"{HERE}ask/", {"period": 3, "again": "0"})
    assert len(mail.outbox) == 3
    client.post(f"{HERE}ask/", {"period": 3, "again": "2"})
    assert len(mail.outbox) == 6
    settings.PMQA_TODAY = date(2020, 5, 16)
    client.post(f"{HERE}ask/", {"period": 3})
    assert len(mail.outbox) == 9


def refs_in(data):
    """Return the refs of the rows of a data sheet."""
    return [cell.value for cell in load_workbook(BytesIO(data)).worksheets[0]["A"][3:] if cell.value]


def test_refused_mail_is_named_and_can_be_sent_again(client, office, plan, settings):
    lead(plan, "กทส.", "a@example.org", "b@example.com")
    lead(plan, "สลก.", "c@example.com")
    settings.EMAIL_BACKEND = f"{__name__}.RefusingServer"
    answer = client.post(f"{HERE}ask/", {"period": 3}, follow=True).content.decode()
    assert "ส่งอีเมลแล้ว 1 หน่วยงาน: กทส." in answer
    assert "ส่งไม่สำเร็จ: b &lt;b@example.com&gt;, c &lt;c@example.com&gt; สาเหตุ: 550 No such person" in answer
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    client.post(f"{HERE}ask/", {"period": 3})
    assert [each.to for each in mail.outbox] == [["a@example.org"], ["c@example.com"]]


@pytest.mark.both_databases
def test_two_coordinators_ask_each_unit_once(office, plan):
    lead(plan, "กทส.", "a@example.org")
    rows = read_returns(plan, plan.periods.get(number=3), at=clock.now()).to_ask
    values = {"by": office, "site": "https://pmqa.example.go.th", "at": clock.now()}
    start_requests(rows, plan, **values)
    with pytest.raises(AskedMeanwhileError):
        start_requests(rows, plan, **values)
    assert len(mail.outbox) == 1


def test_request_that_was_cut_off_is_told_and_does_not_count(client, office, plan, monkeypatch):
    unit = lead(plan, "กทส.", "a@example.org")
    with monkeypatch.context() as patch:
        patch.setattr(requests, "build_data_sheet", None)  # the work stops with an exception
        client.post(f"{HERE}ask/", {"period": 3})
    assert mail.outbox == []
    page = client.get(HERE)
    assert "ระบบหยุดทำงานก่อนส่งอีเมลครบ" in page.content.decode()
    assert [row.unit for row in page.context["returns"].to_ask] == [unit]
    # While its mails may still be on their way, nobody sends them twice.
    SheetRequest.objects.update(task="", at=clock.now() - timedelta(seconds=5))
    page = client.get(HERE)
    assert page.context["is_running"]
    assert page.context["returns"].to_ask == []


@pytest.mark.parametrize("why", ["no mail server", "closed"])
def test_without_mail_the_sheets_are_downloads(client, office, plan, settings, report_progress, why):
    lead(plan, "กทส.", "a@example.org")
    lead(plan, "สลก.", "b@example.org")
    report_progress(plan.actions.get(ref="สลก.-0"), plan.organization.users.get(username="b"), progress=10)
    if why == "closed":
        Plan.objects.update(state=Plan.State.ENDED)
    else:
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    page = client.get(HERE).content.decode()
    assert "exchange/returns/ask/" not in page
    assert "/plans/2563/data-sheet.xlsx?unit=%E0%B8%81%E0%B8%97%E0%B8%AA." in page
    client.post(f"{HERE}ask/", {"period": 3})
    assert (mail.outbox, SheetRequest.objects.count()) == ([], 0)
    here = client.post(f"{HERE}sheets/", {"period": 3}).url
    answer = client.get(f"{here}file.xlsx")
    assert ".zip" in answer.headers["Content-Disposition"]
    with ZipFile(BytesIO(b"".join(answer.streaming_content))) as archive:
        assert {name: refs_in(archive.read(name)) for name in archive.namelist()} == {
            "ข้อมูลแผน กทส. 2563 15 พ.ค. 2563.xlsx": ["กทส.-0"]
        }


def test_page_needs_no_more_queries_for_more_units(client, office, plan):
    def grow(count):
        for number in range(count):
            unit = lead(plan, f"unit{UnitFactory().pk}", f"person{number}-{UnitFactory().pk}@example.org")
            upload(plan, unit, office, {"status": "ไม่รู้"})
            SheetRequest.objects.create(
                unit=unit, period=plan.periods.get(number=3), day=clock.today(), number=1, by=office, at=clock.now()
            )

    counts = []
    for count in (1, 3):
        grow(count)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(HERE).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_empty_pages_say_what_to_do(client, office, plan, settings):
    assert "ไม่มีหน่วยงานใดต้องรายงานในงวดนี้" in client.get(HERE).content.decode()
    assert client.get(f"{HERE}?period=4").status_code == 404  # not begun
    assert client.post(f"{HERE}ask/", {"period": "x"}).status_code == 404
    plan.periods.all().delete()
    assert "ยังไม่มีงวดใดของแผนนี้เริ่มต้น" in client.get(HERE).content.decode()
    assert client.post(f"{HERE}sheets/").status_code == 404


def test_only_coordinators_open_it(client, plan):
    client.force_login(UserFactory(roles=["staff", "management"], units=[UnitFactory()]))
    answers = [client.get(HERE), client.post(f"{HERE}ask/"), client.post(f"{HERE}sheets/")]
    assert [answer.status_code for answer in answers] == [403] * 3
