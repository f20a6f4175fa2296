"""`manage.py send_reminders`: mail the reminders. Run it by cron, as often as you like: each user gets one a day."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone, translation

from assignments.models import User
from plan.as_of import AsOf, on_day
from plan.models import Plan
from plan.titles import title_of
from pmqa_tracker import clock
from pmqa_tracker.mail import LANGUAGE, is_mail_on
from worklist import reminders
from worklist.reminders import Outcome, Recipients

MAIL_IS_OFF = (
    "Mail is off, because EMAIL_URL is not set or names no mail server: no reminder was sent. Set EMAIL_URL, or use "
    "--dry-run to see the reminders. / ยังไม่ได้เปิดใช้อีเมล เนื่องจากไม่ได้กำหนด EMAIL_URL หรือค่าที่กำหนดไม่ใช่เครื่องแม่ข่ายอีเมล "
    "จึงไม่ได้ส่งการแจ้งเตือน โปรดกำหนด EMAIL_URL หรือใช้ --dry-run เพื่อดูว่าผู้ใดจะได้รับการแจ้งเตือนเรื่องใด"
)
NO_PLAN = "No plan is running today: there is nothing to remind of. / วันนี้ไม่มีแผนที่อยู่ระหว่างดำเนินการ จึงไม่มีเรื่องที่ต้องแจ้งเตือน"
NO_SITE_URL = (
    "Set SITE_URL first, such as https://pmqa.example.go.th: the links in the mails begin with it. / "
    "ต้องกำหนด SITE_URL ก่อน เช่น https://pmqa.example.go.th เพราะลิงก์ในอีเมลขึ้นต้นด้วยที่อยู่นี้"
)


class Command(BaseCommand):
    help = "Mail each user one digest of what their units owe in a running plan; never twice on one day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Print who would get which reminder; send and write nothing."
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        plans = Plan.objects.running(on=clock.today()).with_owner().prefetch_related("periods")
        if not plans:
            self.stdout.write(NO_PLAN)
            return
        if not dry_run:
            self._check_settings()
        failures = []
        with translation.override(LANGUAGE):
            for plan in plans:
                if len(plans) > 1:
                    self.stdout.write(f"── {title_of(plan)}")
                try:
                    with timezone.override(plan.organization.time_zone):
                        self._remind(plan, dry_run=dry_run)
                except CommandError as error:
                    failures.append(str(error))
        if failures:
            raise CommandError("\n".join(failures))

    def _remind(self, plan: Plan, *, dry_run: bool) -> None:
        """Send the mails of one plan, or print them; raise CommandError if some were not sent."""
        as_of = on_day(plan, clock.today(), plan.periods.all())
        recipients = reminders.find_recipients(plan, as_of)
        if dry_run:
            self._print_digests(recipients)
            self._print_others(recipients)
        else:
            self._send(recipients, plan, as_of)

    def _check_settings(self) -> None:
        if not is_mail_on():
            raise CommandError(MAIL_IS_OFF)
        if not settings.SITE_URL:
            raise CommandError(NO_SITE_URL)

    def _send(self, recipients: Recipients, plan: Plan, as_of: AsOf) -> None:
        """Send the mails and print the result; raise CommandError if some were not sent."""
        outcome = reminders.send_digests(recipients.digests, plan, as_of, site=settings.SITE_URL, at=clock.now())
        self._print("Sent", "ส่งแล้ว", outcome.sent)
        recipients.unfinished.extend(outcome.unfinished)
        self._print_others(recipients)
        if outcome.failed or outcome.outage:
            raise CommandError(self._failure_text(outcome, len(recipients.digests)))

    def _failure_text(self, outcome: Outcome, wanted: int) -> str:
        lines = []
        if outcome.failed:
            lines.append(
                f"{len(outcome.failed)} could not be sent; the next run tries again. / "
                f"ส่งไม่สำเร็จ {len(outcome.failed)} ฉบับ ระบบจะลองส่งอีกครั้งในการทำงานครั้งถัดไป"
            )
            lines += [f"  {_name(user)} <{user.email}>: {reason}" for user, reason in outcome.failed]
        if outcome.outage:
            left = wanted - len(outcome.sent) - len(outcome.unfinished) - len(outcome.failed)
            lines.append(
                f"The mail server did not answer ({outcome.outage}); {left} left to send, the next run tries again. / "
                f"เครื่องแม่ข่ายอีเมลไม่ตอบรับ ({outcome.outage}) ยังเหลือ {left} ฉบับ ระบบจะลองส่งอีกครั้งในการทำงานครั้งถัดไป"
            )
        return "\n".join(lines)

    def _print_digests(self, recipients: Recipients) -> None:
        self.stdout.write("Dry run: nothing is sent, nothing is written. / แสดงผลเท่านั้น ไม่มีการส่งอีเมลและไม่มีการบันทึกข้อมูล")
        for digest in recipients.digests:
            units = ", ".join(str(unit) for unit in digest.units)
            self.stdout.write(f"{_name(digest.user)} <{digest.user.email}> ({units}): {digest.count}")
            for cell in digest.owed.reports:
                self.stdout.write(f"  {cell.state.label}: {cell.unit} · {cell.period.label}")
            for group in digest.owed.groups:
                refs = ", ".join(row.action.ref for row in [*group.own, *group.via_collective])
                self.stdout.write(f"  {group.label} {group.count}: {refs}")
        self._print("Would be sent", "จะได้รับอีเมล", [digest.user for digest in recipients.digests])

    def _print_others(self, recipients: Recipients) -> None:
        self._print("Already sent today", "ส่งไปแล้วในวันนี้", recipients.sent)
        self._print("Owe nothing", "ไม่มีรายการที่ต้องรายงาน", recipients.owe_nothing)
        self._print("Without an e-mail address", "ไม่มีที่อยู่อีเมล", recipients.without_address, is_named=True)
        if recipients.unfinished:
            self._print(
                "Begun but not finished, by another run or by a run that was interrupted",
                "เริ่มส่งแล้วแต่ยังไม่เสร็จ โดยการทำงานอีกครั้งหนึ่งหรือครั้งที่หยุดกลางคัน",
                recipients.unfinished,
                is_named=True,
            )

    def _print(self, english: str, thai: str, people: Iterable[User], *, is_named: bool = False) -> None:
        names = [_name(user) for user in people]
        listed = f" ({', '.join(names)})" if is_named and names else ""
        self.stdout.write(f"{english} / {thai}: {len(names)}{listed}")


def _name(user: User) -> str:
    """Return the user's name with the login name, by which the coordinator finds the user in the admin."""
    return str(user) if str(user) == user.username else f"{user} [{user.username}]"
