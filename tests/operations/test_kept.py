"""Old backups are removed by rule."""

import os
from datetime import UTC, datetime, timedelta

from operations.backup.kept import Rule, file_name, list_backups, remove_old

NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)  # Monday, 30 November, 03:00 in Bangkok


def make(folder, at, prefix="pmqa"):
    path = folder / file_name(at, prefix)
    path.touch()
    return path


def test_last_backup_of_each_day_week_and_month_is_kept(tmp_path):
    for day in range(100):
        make(tmp_path, NOW - timedelta(days=day))
    make(tmp_path, NOW - timedelta(hours=6))
    others = [make(tmp_path, NOW - timedelta(days=400), prefix="before-restore"), tmp_path / "notes.zip"]
    others[1].touch()
    old_draft, new_draft = tmp_path / "pmqa-1.zip.draft", tmp_path / "pmqa-2.zip.draft"
    new_draft.touch()
    old_draft.touch()
    for path, age in ((old_draft, 2), (new_draft, 0)):
        os.utime(path, times=((NOW - timedelta(days=age)).timestamp(),) * 2)
    removed = remove_old(tmp_path, Rule(daily=3, weekly=2, monthly=3), now=NOW)
    # Two of the last day, two days before, one week before (its Sunday is a day before, too), and two months before.
    days = ["11-29 20", "11-29 14", "11-28 20", "11-27 20", "10-30 20", "09-29 20"]
    assert [f"{backup.at:%m-%d %H}" for backup in list_backups(tmp_path)] == days
    assert len(removed) == 101 - len(days)
    assert all(path.exists() for path in [*others, new_draft])
    assert not old_draft.exists()


def test_newest_backup_stays_whatever_the_rule(tmp_path):
    newest = make(tmp_path, NOW - timedelta(days=500))
    make(tmp_path, NOW - timedelta(days=501))
    remove_old(tmp_path, Rule(daily=0, weekly=0, monthly=0), now=NOW)
    assert [backup.path for backup in list_backups(tmp_path)] == [newest]
    assert list_backups(tmp_path / "missing") == []
