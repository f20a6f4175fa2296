"""The folder of backups: their names, and the rule by which old ones are removed."""

import re
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from django.utils import timezone

PREFIX = "pmqa"
BEFORE_RESTORE = "before-restore"  # these are never removed by the rule
DRAFT = ".draft"
STAMP = "%Y%m%d-%H%M%S-%fZ"
NAME = re.compile(rf"{PREFIX}-(\d{{8}}-\d{{6}}-\d{{6}}Z)\.zip")


class Backup(NamedTuple):
    """A backup in the folder, and when it was made."""

    path: Path
    at: datetime


class Rule(NamedTuple):
    """How many backups are kept: the last one of each of the latest days, weeks and months that have any.

    Those of the last 24 hours are kept too, so that nobody loses the one that they have just made by hand.
    """

    daily: int
    weekly: int
    monthly: int


def file_name(at: datetime, prefix: str = PREFIX) -> str:
    """Return the name of a backup made at this moment."""
    return f"{prefix}-{at.astimezone(UTC):{STAMP}}.zip"


def list_backups(folder: Path) -> list[Backup]:
    """Return the backups in a folder, newest first; [] if the folder is missing."""
    found = [
        Backup(path, datetime.strptime(match[1], STAMP).replace(tzinfo=UTC))
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := NAME.fullmatch(path.name))
    ]
    return sorted(found, key=lambda backup: backup.at, reverse=True)


def remove_old(folder: Path, rule: Rule, *, now: datetime) -> list[Path]:
    """Remove the backups that the rule does not keep, and drafts that were cut off more than a day ago.

    The newest backup always stays. Returns the removed backups.
    """
    backups, day_ago = list_backups(folder), now - timedelta(days=1)
    keep = {backup.path for backup in [*backups[:1], *chosen(backups, rule)]}
    removed = [backup.path for backup in backups if backup.path not in keep and backup.at < day_ago]
    drafts = [path for path in folder.glob(f"*.zip{DRAFT}") if path.stat().st_mtime < day_ago.timestamp()]
    for path in removed + drafts:
        path.unlink(missing_ok=True)
    return removed


def chosen(backups: list[Backup], rule: Rule) -> list[Backup]:
    """Return the backups that a rule keeps; `backups` are in order, newest first."""
    spans: list[tuple[int, Callable[[datetime], Hashable]]] = [
        (rule.daily, datetime.date),
        (rule.weekly, lambda at: at.isocalendar()[:2]),
        (rule.monthly, lambda at: (at.year, at.month)),
    ]
    keep: list[Backup] = []
    for count, span in spans:
        last_of: dict[Hashable, Backup] = {}
        for backup in backups:
            last_of.setdefault(span(timezone.localtime(backup.at)), backup)
        keep += list(last_of.values())[:count]
    return keep
