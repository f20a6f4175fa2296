"""`manage.py demo`: add accounts of every role and an invented history, for a trial on a local machine."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from demo import history, submissions
from plan.models import Plan
from pmqa_tracker import clock
from pmqa_tracker.planner import analyze

SLUG = "2562-2563"
USES = {
    "staff": "reports progress on the actions of สพม.",
    "manager": "reads the overview and its figures",
    "coordinator": "maintains the plan, imports and exports workbooks",
    "assessor": "reads the criteria and the evidence",
    "admin": "does all of this and manages accounts",
}


class Command(BaseCommand):
    help = "Add the demo accounts and history. A second run changes nothing."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        if not settings.PMQA_DEMO or not settings.PMQA_DEMO_PASSWORD:
            raise CommandError(
                "Set PMQA_DEMO=True and PMQA_DEMO_PASSWORD first: demo accounts have a known password. / "
                "ต้องกำหนด PMQA_DEMO=True และ PMQA_DEMO_PASSWORD ก่อน เพราะบัญชีสาธิตใช้รหัสผ่านที่ทราบกัน"
            )
        plan = Plan.objects.filter(slug=SLUG).first()
        if plan is None:
            raise CommandError(
                f"There is no plan {SLUG} yet; run manage.py seed first. / "
                f"ยังไม่มีแผน {SLUG} โปรดใช้คำสั่ง manage.py seed ก่อน"
            )
        try:
            made = history.make_accounts(plan.organization, settings.PMQA_DEMO_PASSWORD)
        except ValueError as error:
            raise CommandError(
                f"“{error}” is a real account; the demo needs a separate database. / "
                f"“{error}” เป็นบัญชีผู้ใช้จริง ระบบสาธิตต้องใช้ฐานข้อมูลแยกต่างหาก"
            ) from error
        people = {user.username: user for _account, user in made}
        updates = history.write_demo_history(plan, people, today=clock.today())
        history.add_demo_meetings(plan, today=clock.today())
        sent = submissions.write_demo_submissions(plan, people, today=clock.today())
        if updates:
            analyze()
        if verbosity:
            self._print(made, updates, sent)

    def _print(self, made: list, updates: int, sent: int) -> None:
        write = self.stdout.write
        write(f"Demo: {updates} updates and {sent} submissions added. Accounts, for this machine only:")
        for account, user in made:
            if account.username in USES:
                is_same = user.check_password(settings.PMQA_DEMO_PASSWORD)
                password = settings.PMQA_DEMO_PASSWORD if is_same else "(changed since)"
                write(f"  {account.username:<12} {password:<16} {account.name}: {USES[account.username]}")
        others = [account.username for account, _user in made if account.username not in USES]
        write(f"  and a member of staff of each other division: {', '.join(others)}")
