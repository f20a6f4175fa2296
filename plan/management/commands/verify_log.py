"""`manage.py verify_log`: check the logs of the plans against their hash chains."""

import re
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from plan.log.verify import Finding, verify_chains
from plan.models import LogLink
from pmqa_tracker.append_only_triggers import missing_triggers

HASH = re.compile(r"[0-9a-f]{64}")


class Command(BaseCommand):
    help = (
        "Check that no entry of a plan's log was changed, removed, added or moved behind the site. Prints the end of "
        "each chain (plan, entries, hash); keep it elsewhere, and give it back with --kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--plan", default="", help="Address of a plan, such as 2562-2563; all plans without it")
        parser.add_argument("--kept", type=Path, help="File with the ends of the chains that an earlier run printed")

    def handle(self, *, plan: str, kept: Path | None, **options: Any) -> None:
        verified = list(verify_chains(plan))
        if plan and not verified:
            raise CommandError(f"There is no plan “{plan}”.")
        for each in verified:
            self.stdout.write(str(each.head))
            for finding in each.findings:
                self.stdout.write(self.style.ERROR(f"  {describe(finding)}"))
        wrong = sum(len(each.findings) for each in verified)
        for table in sorted({trigger.table for trigger in missing_triggers(connection)}):
            self.stdout.write(self.style.ERROR(f"The database accepts changes of {table}; run manage.py migrate."))
            wrong += 1
        for sentence in compare_kept(kept.read_text(encoding="utf-8").splitlines()) if kept else ():
            self.stdout.write(self.style.ERROR(sentence))
            wrong += 1
        if wrong:
            raise CommandError(f"{wrong} findings: somebody changed the log behind the site.", returncode=1)


def describe(finding: Finding) -> str:
    """Return a finding in a line."""
    moment = timezone.localtime(finding.at).isoformat(sep=" ", timespec="seconds")
    return f"{finding.kind} {finding.entry} ({finding.ref}; {finding.who}; {moment}): {finding.what}"


def compare_kept(lines: Iterable[str]) -> list[str]:
    """Return a sentence for each kept end of a chain that is in no chain any more, also if its plan is gone.

    Args:
        lines: the output of an earlier run; lines of another form are skipped. A plan may have another address since,
            so its chain is found by the hash, which covers the plan and all entries before.
    """
    sentences = []
    for line in lines:
        name, *rest = line.split("\t")
        if len(rest) == 2 and HASH.fullmatch(rest[1]) and not LogLink.objects.filter(hash=rest[1]).exists():
            sentences.append(f"{name}: entry {rest[0]} had the hash {rest[1]}, which is not in the chain any more.")
    return sentences
