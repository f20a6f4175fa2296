"""`manage.py send_reminders`, against a real mail server on the loopback interface."""

import asyncio
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from email import message_from_bytes, policy
from io import StringIO
from threading import Barrier

import pytest
from aiosmtpd.controller import Controller
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils.html import escape

from plan.models import Due, Plan
from submissions.grid import SubmissionCellState
from tests.factories import ActionItemFactory, OrganizationFactory, PlanFactory, UnitFactory, UserFactory
from tests.submissions.returning import create_returned_line
from worklist.models import Reminder
from worklist.owed import MAX_GROUP_ROWS

pytestmark = pytest.mark.django_db
SITE = "https://pmqa.example.go.th"
REASON = 'โปรดแนบคำสั่งแต่งตั้ง <คณะทำงาน> & "บันทึกการประชุม"'


class Post:
    """A mail server: received mails in `box` by address; `refuses` maps addresses to the answer that refuses them."""

    def __init__(self):
        self.mails, self.refuses, self.connections = [], {}, set()

    @property
    def box(self):
        return dict(self.mails)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        await asyncio.sleep(0.02)
        self.connections.add(session.peer)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails += [(address, mail) for address in envelope.rcpt_tos]
        return "250 OK"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(autouse=True)
def _smtp(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", free_port(), 5
    settings.SITE_URL = SITE


@pytest.fixture
def post(settings):
    handler = Post()
    server = Controller(handler, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    server.start()
    yield handler
    server.stop()


@pytest.fixture
def unit():
    return UnitFactory(abbreviation="สพม.", name_th="สำนักพัฒนามาตรฐาน")


@pytest.fixture
def overdue(plan, unit):
    return ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-1", runs=(1, 2))


def staff(name, *units, **kwargs):
    return UserFactory(
        **{"username": name, "email": f"{name}@example.org", "roles": ["staff"], "units": units} | kwargs
    )


def run(*options):
    out = StringIO()
    call_command("send_reminders", *options, stdout=out)
    return out.getvalue()


@pytest.mark.both_databases
def test_each_user_gets_only_what_their_units_owe(post, plan, unit, overdue, report_progress):
    other = UnitFactory()
    updated = ActionItemFactory(plan=plan, lead=[other], ref="1.1-A-2")
    now = ActionItemFactory(plan=plan, lead=[other], ref="1.1-A-3")
    ActionItemFactory(plan=plan, lead=[unit], support=[other], ref="1.1-A-4", runs=(4, 4))
    staff("somchai", unit)
    second = staff("malee", other)
    staff("both", unit, other)
    staff("nobody", UnitFactory())
    staff("gone", unit, is_active=False)
    staff("reader", unit, roles=["management"])
    staff("demo", unit, is_demo=True)
    staff("stranger")
    report_progress(updated, second, progress=40)
    out = run()
    assert sorted(address for address, _mail in post.mails) == [
        "both@example.org", "malee@example.org", "somchai@example.org",
    ]  # fmt: skip
    links = {name: refs_of(post.box[f"{name}@example.org"]) for name in ("somchai", "malee", "both")}
    assert links == {"somchai": [overdue.ref], "malee": [now.ref], "both": [overdue.ref, now.ref]}
    rows = Reminder.objects.order_by("user__username").values_list("user__username", "day", "action_count")
    assert list(rows) == [
        (name, date(2020, 5, 15), count) for name, count in (("both", 2 + 4), ("malee", 1 + 2), ("somchai", 1 + 2))
    ]
    assert not Reminder.objects.filter(sent_at=None).exists()
    assert len(post.connections) == 1
    assert "ส่งแล้ว: 3\n" in out
    assert "ไม่มีรายการที่ต้องรายงาน: 1\n" in out


def refs_of(mail):
    """Return the refs of the actions that a mail links to; text and HTML have the same."""
    found = []
    for kind in ("plain", "html"):
        body = mail.get_body((kind,)).get_content()
        found.append(re.findall(rf"{re.escape(SITE)}/plans/2563/my/([^/\s\"]+)/", body))
    assert found[0] == found[1]
    return found[0]


def test_the_mail_is_thai_text_and_html_that_say_the_same(post, plan, unit, overdue):
    collective = UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=[unit])
    back = ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-8", runs=(1, 3), text="จัดทำ <คู่มือ> & เผยแพร่")
    shared = ActionItemFactory(plan=plan, lead=[collective], ref="1.1-A-9")
    create_returned_line(back, reason=REASON)
    person = staff("somchai", unit, first_name="สมชาย", last_name="ใจดี")
    run()
    mail = post.box["somchai@example.org"]
    assert refs_of(mail) == ["1.1-A-8", "1.1-A-1", "1.1-A-9"]
    assert re.findall(r"\d+", mail["Subject"]) == ["5"]
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for body, as_written in ((text, str), (html, escape)):
        said = [str(person), unit.name_th, REASON, back.text, overdue.text, shared.text, "ทุกหน่วยงาน"]
        assert [words for words in said if str(as_written(words)) not in body] == []
        assert f"{SITE}/plans/2563/my/" in body
        assert "15 พ.ค. 2563" in body  # the day
        assert "31 มี.ค. 2563" in body  # the day one was due
        assert "30 มิ.ย. 2563" in body  # the day to update the other by
        assert "2020" not in body
    assert '<html lang="th">' in html
    assert re.findall(r"<(?:img|link|script|style|table)\b|\bsrc=|@import|url\(", html) == []
    assert {address.split("/plans/")[0] for address in re.findall(r'href="([^"]*)"', html)} == {SITE}
    assert "\n\n\n" not in text
    assert "&amp;" not in text


def test_a_late_submission_alone_is_mailed_with_its_url(post, plan, unit, report_progress):
    """The actions are updated; the submissions of the two past periods are not sent."""
    action = ActionItemFactory(plan=plan, lead=[unit])
    report_progress(action, staff("somchai", unit), progress=10)
    run()
    mail = post.box["somchai@example.org"]
    assert re.findall(r"\d+", mail["Subject"]) == ["2"]
    for kind in ("plain", "html"):
        body = mail.get_body((kind,)).get_content()
        links = re.findall(rf"{re.escape(SITE)}(/plans/2563/reporting/[^\s\"]+)", body)
        assert links == [reverse("period_report", args=["2563", "สพม.", number]) for number in (1, 2)]
        assert refs_of(mail) == []


def test_of_a_long_list_the_first_rows_are_shown_and_the_rest_counted(post, plan, unit):
    for _ in range(MAX_GROUP_ROWS + 3):
        ActionItemFactory(plan=plan, lead=[unit])
    staff("somchai", unit)
    run()
    mail = post.box["somchai@example.org"]
    assert len(refs_of(mail)) == MAX_GROUP_ROWS
    assert Reminder.objects.get().action_count == MAX_GROUP_ROWS + 3 + 2
    assert str(MAX_GROUP_ROWS + 3 + 2) in mail["Subject"]


@pytest.mark.both_databases
def test_one_a_day(post, overdue, unit, settings):
    staff("somchai", unit)
    run()
    assert "ส่งไปแล้วในวันนี้: 1\n" in run()
    assert len(post.mails) == 1
    settings.PMQA_TODAY = date(2020, 5, 16)
    run()
    assert len(post.mails) == 2


@pytest.mark.both_databases
def test_a_mail_begun_by_another_run_is_skipped_and_named(post, plan, overdue, unit):
    Reminder.objects.create(plan=plan, user=staff("somchai", unit), day=date(2020, 5, 15))
    out = run()
    assert post.mails == []
    assert "(somchai)" in out


def test_users_without_an_address_are_named(post, overdue, unit):
    staff("somchai", unit, email="", first_name="สมชาย")
    staff("malee", UnitFactory(), email="")
    out = run()
    assert post.mails == []
    assert not Reminder.objects.exists()
    assert "ไม่มีที่อยู่อีเมล: 1 (สมชาย [somchai])" in out


@pytest.mark.both_databases(only_full=True)
def test_a_dry_run_prints_and_leaves_no_trace(post, plan, overdue, unit, settings):
    settings.EMAIL_BACKEND, settings.SITE_URL = "django.core.mail.backends.console.EmailBackend", ""
    ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-2")
    staff("somchai", unit)
    out = run("--dry-run")
    assert "somchai <somchai@example.org> (สพม.): 4\n" in out
    assert f"  {SubmissionCellState.LATE.label}: สพม. · ต.ค.–ธ.ค. 2562\n" in out
    assert f"  {Due.OVERDUE.label} 1: 1.1-A-1\n" in out
    assert " 1: 1.1-A-2\n" in out
    assert post.mails == []
    assert not Reminder.objects.exists()


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("answer", ["550 5.1.1 No such person", "421 4.7.0 Too many mails, goodbye"])
def test_a_refused_mail_does_not_stop_the_others_and_is_tried_again(post, overdue, unit, answer):
    for name in ("anan", "boon", "chai"):
        staff(name, unit)
    post.refuses["boon@example.org"] = answer
    with pytest.raises(CommandError, match=f"boon <boon@example.org>: {answer}") as error:
        run()
    assert error.value.returncode == 1
    assert sorted(post.box) == ["anan@example.org", "chai@example.org"]
    assert Reminder.objects.filter(user__username="boon").count() == 0
    post.refuses.clear()
    run()
    assert [address for address, _mail in post.mails] == ["anan@example.org", "chai@example.org", "boon@example.org"]


def test_an_invalid_address_is_reported_like_a_refused_one(post, overdue, unit):
    staff("anan", unit, email="anan@example.org\nBcc: all@example.org")
    staff("boon", unit)
    with pytest.raises(CommandError, match="anan"):
        run()
    assert list(post.box) == ["boon@example.org"]
    assert [str(each.user) for each in Reminder.objects.all()] == ["boon"]


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_server_that_does_not_answer_is_reported_and_leaves_no_reminder(overdue, unit, settings, is_silent):
    staff("somchai", unit)
    settings.EMAIL_TIMEOUT = 0.5
    with socket.socket() as listener:
        if is_silent:
            listener.bind(("127.0.0.1", settings.EMAIL_PORT))
            listener.listen()
        with pytest.raises(CommandError, match=r"did not answer .* 1 left to send"):
            run()
    assert not Reminder.objects.exists()


@pytest.mark.parametrize("backend", ["console", "dummy", "filebased"])
def test_disabled_mail_is_an_error(overdue, unit, settings, backend):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    staff("somchai", unit)
    with pytest.raises(CommandError, match=r"Mail is off.*EMAIL_URL.* / .*EMAIL_URL"):
        run()
    assert not Reminder.objects.exists()


def test_links_need_the_site_url(post, overdue, unit, settings):
    settings.SITE_URL = ""
    staff("somchai", unit)
    with pytest.raises(CommandError, match=r"SITE_URL.* / .*SITE_URL"):
        run()
    assert post.mails == []
    assert not Reminder.objects.exists()


@pytest.mark.parametrize("day", [date(2019, 9, 30), date(2020, 10, 1)])
def test_outside_the_plan_nothing_is_sent(post, overdue, unit, settings, day):
    settings.PMQA_TODAY = day
    staff("somchai", unit)
    assert run().startswith("No plan is running today")
    assert post.mails == []
    assert not Reminder.objects.exists()


def test_without_any_plan_nothing_is_sent(post):
    assert not Plan.objects.exists()
    assert run().startswith("No plan is running today")


@pytest.mark.parametrize("day", [date(2019, 10, 1), date(2020, 9, 30)])
def test_the_first_and_the_last_day_belong_to_the_plan(post, plan, unit, settings, day):
    settings.PMQA_TODAY = day
    ActionItemFactory(plan=plan, lead=[unit])
    staff("somchai", unit)
    run()
    assert len(post.mails) == 1


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_two_runs_at_the_same_moment_send_each_digest_once(post, overdue, unit):
    names = [f"person-{number}" for number in range(8)]
    for name in names:
        staff(name, unit)
    start = Barrier(2)

    def one_run():
        start.wait(timeout=60)
        try:
            run()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(one_run), pool.submit(one_run)]:
            done.result(timeout=60)
    assert sorted(address for address, _mail in post.mails) == [f"{name}@example.org" for name in names]
    assert Reminder.objects.exclude(sent_at=None).count() == len(names)


@pytest.mark.both_databases(only_full=True)
def test_every_running_plan_reminds_only_the_people_of_its_organization(post):
    states = (Plan.State.RUNNING, Plan.State.RUNNING, Plan.State.PREPARATION, Plan.State.ENDED)
    for number, state in enumerate(states, start=1):
        organization = OrganizationFactory(short_name=f"ก.{number}")
        unit = UnitFactory(organization=organization, abbreviation="กพร.")
        plan = PlanFactory(slug=f"plan-{number}", organization=organization, state=state)
        ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-1", runs=(1, 2))
        staff(f"staff{number}", unit, organization=organization)
    assert "── ก.1 · " in run("--dry-run")
    run()
    assert {address: str(mail["Subject"]).rsplit(" · ", 1)[-1] for address, mail in post.mails} == {
        "staff1@example.org": "ก.1", "staff2@example.org": "ก.2",
    }  # fmt: skip
    for number in (1, 2):
        text = post.box[f"staff{number}@example.org"].get_body(("plain",)).get_content()
        assert set(re.findall(r"/plans/(plan-\d)/", text)) == {f"plan-{number}"}
    assert Reminder.objects.count() == 2
    run()
    assert len(post.mails) == 2
