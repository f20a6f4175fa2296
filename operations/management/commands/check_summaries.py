"""`manage.py check_summaries`: compare the stored figures of plans with those counted from the updates."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from operations.summaries import check_summaries, plans_without_summary, store_summaries
from plan.models import Plan
from plan.revision import raise_revision
from pmqa_tracker import clock


class Command(BaseCommand):
    help = (
        "Compare the stored figures of the list of plans with those counted from the updates, and print what differs. "
        "Fails if there are any, unless --repair has stored the right ones."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--plan", default="", help="Address of a plan, such as 2562-2563; all plans without it")
        parser.add_argument("--repair", action="store_true", help="Store the right figures, also where none are stored")

    def handle(self, *, plan: str, repair: bool, verbosity: int, **options: Any) -> None:
        today = clock.today()
        plans = Plan.objects.filter(slug=plan) if plan else Plan.objects.all()
        if plan and not plans.exists():
            raise CommandError(f"There is no plan “{plan}”.")
        findings = list(check_summaries(plans, today))
        for each in findings:
            line = (
                f"{each.plan}, {each.day}: {each.figure} is stored as {each.stored}, but the updates say {each.counted}"
            )
            self.stdout.write(self.style.ERROR(line))
        missing = plans.filter(pk__in=plans_without_summary(today).values("pk"))
        counts = f"{plans.count()} plans, {len(findings)} wrong figures, {missing.count()} plans not stored yet."
        wrong = set(plans.filter(slug__in={each.plan for each in findings}).values_list("pk", flat=True))
        if repair:
            stored = store_summaries(plans.filter(pk__in=wrong) | missing, today)
            counts += f" Stored again: {stored} plans."
            if wrong:
                raise_revision(wrong)  # no kept page shows what was wrong
        if verbosity:
            self.stdout.write(counts)
        if findings and not repair:
            raise CommandError(f"{len(findings)} wrong figures; --repair stores the right ones.", returncode=1)
