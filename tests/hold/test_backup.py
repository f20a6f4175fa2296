"""Backups made under load are restored to what they hold, on both databases; damaged ones are refused untouched."""

import json
import random
import re
import zipfile
from hashlib import sha256
from pathlib import Path
from sqlite3 import IntegrityError
from threading import Event, Thread

import pytest
from psycopg2.errors import RestrictViolation

from operations.backup.check import check_backup
from operations.backup.make import seal
from operations.backup.refusals import BackupError
from tests import sizes
from tests.hold.backups import back_up, contents, make_empty
from tests.hold.databases import server_url
from tests.hold.test_killed import ACTIONS, STALE, STORED, VERSIONS, Reporter, broken_evidence

DRILLS = sizes.scaled(20) if sizes.IS_FULL else 1
PAUSE_SECONDS = 0.2  # of each person, so that the backups are made under load and not starved
PEOPLE = 4
STATISTICS = "SELECT COUNT(*) FROM pg_stats WHERE tablename = 'plan_actionitem'"
THAI = re.compile(r"[\u0e00-\u0e7f]")


@pytest.mark.both_databases
@pytest.mark.promise("Backup restores", "20 drills under write load, each equal to the backup's own snapshot")
def test_backup_under_write_load_is_restored_to_its_own_snapshot(site, make_site, measured):
    addresses = [f"/plans/{slug}/actions/{ref}/" for slug, ref in site.query(ACTIONS)]
    reporters = [Reporter(site.visitor("coordinator"), addresses[number::PEOPLE], number) for number in range(PEOPLE)]
    before = {ref: version - updates for ref, version, updates in site.query(VERSIONS)}
    ended, made = Event(), []
    threads = [Thread(target=each.work, args=(ended, PAUSE_SECONDS)) for each in reporters]
    for thread in threads:
        thread.start()
    try:
        while any(len(each.acknowledged) < 3 for each in reporters):
            ended.wait(0.05)
        for _drill in range(DRILLS):
            acknowledged = {result for each in reporters for result in each.acknowledged}
            made.append((back_up(site), acknowledged, len(site.query(STORED))))
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    site.kill()
    assert [error for each in reporters for error in each.wrong] == []
    for number, (backup, acknowledged, stored_later) in enumerate(made):
        # The short run leaves the way into PostgreSQL to the test of upgrades; the full one goes by SQLite at times.
        chain = ["sqlite"]
        if server_url() and sizes.IS_FULL:
            chain = ["postgresql"] if number % 5 else ["sqlite", "postgresql"]
        source = backup
        for vendor in chain:
            target = make_site()
            make_empty(target, on_sqlite=vendor == "sqlite")
            target.manage("restore", str(source))
            source = back_up(target)
            assert contents(source) == contents(backup), vendor
            stored = {result for (result,) in target.query(STORED)}
            assert acknowledged <= stored
            assert len(stored) <= stored_later
            assert [ref for ref, version, updates in target.query(VERSIONS) if version - updates != before[ref]] == []
            target.manage("verify_log")
            assert vendor == "sqlite" or target.query(STATISTICS) != [(0,)]
            with pytest.raises((IntegrityError, RestrictViolation)):
                target.query("DELETE FROM plan_progressupdate")
            assert (target.query(STALE), broken_evidence(target, acknowledged)) == ([], [])
        assert contents(backup)["files"]
    measured(
        f"{len(made)} of {DRILLS} equal, {len(made[-1][1])} updates and {len(contents(made[-1][0])['files'])} files"
    )


def rebuilt(backup: Path, to: Path, change) -> Path:
    """Write a backup again with its members changed by `change`, and a seal that fits: damage that no digest shows."""
    with zipfile.ZipFile(backup) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    change(members)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
        new.comment = b"0" * 64
    seal(to)
    return to


def in_manifest(change):
    """Return a change of the members that changes the table of contents."""

    def inner(members):
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    return inner


def in_rows(label, change):
    """Return a change of the members that changes the lines of a table, with a digest that fits."""

    def inner(members):
        name = f"rows/{label}.jsonl"
        members[name] = b"".join(change(members[name].splitlines(keepends=True)))

        def fit(manifest):
            (table,) = [each for each in manifest["tables"] if each["model"] == label]
            table["sha256"] = sha256(members[name]).hexdigest()

        in_manifest(fit)(members)

    return inner


UNIT, EVIDENCE = "assignments.Unit", "plan.Evidence"
FILE = "2563/05/" + "a" * 32
STRANGE_FILE = {"name": "../../../etc/cron.d/x", "size": 1, "sha256": sha256(b"x").hexdigest()}
REBUILT = {
    "a table is missing": lambda m: m.pop("rows/assignments.Unit.jsonl"),
    "a file is missing": lambda m: m.pop(min(name for name in m if name.startswith("files/"))),
    "a foreign file": lambda m: m.update({"files/" + FILE: b"x"}),
    "a path that leaves the folder": lambda m: (
        m.update({"files/" + STRANGE_FILE["name"]: b"x"}),
        in_manifest(lambda c: c["files"].append(STRANGE_FILE))(m),
    ),
    "a changed file": lambda m: m.update({min(n for n in m if n.startswith("files/")): b"%PDF-1.4 another"}),
    "no manifest": lambda m: m.pop("manifest.json"),
    "a manifest that is no JSON": lambda m: m.update({"manifest.json": b"{"}),
    "a manifest of another program": in_manifest(lambda c: c.update(product="other")),
    "a manifest with another count": in_manifest(lambda c: c["tables"][1].update(rows=c["tables"][1]["rows"] + 1)),
    "a manifest with another digest": in_manifest(lambda c: c["tables"][1].update(sha256="0" * 64)),
    "a manifest without a table": in_manifest(lambda c: c["tables"].pop()),
    "a manifest without a file": in_manifest(lambda c: c["files"].pop()),
    "a manifest with other columns": in_manifest(lambda c: c["tables"][1]["columns"].reverse()),
    "a newer release": in_manifest(lambda c: c["migrations"].append(["plan", "0099_later"])),
    "a newer format": in_manifest(lambda c: c.update(format=2)),
    "fewer migrations than tables": in_manifest(
        lambda c: c.update(migrations=[each for each in c["migrations"] if each[0] != "worklist"])
    ),
    "a row is missing": in_rows(UNIT, lambda lines: lines[1:]),
    "a row of another type": in_rows(UNIT, lambda lines: [lines[0].replace(b"true", b'"yes"', 1), *lines[1:]]),
    "a row with a value more": in_rows(UNIT, lambda lines: [lines[0].replace(b"]", b",1]"), *lines[1:]]),
    "a bomb": in_rows(UNIT, lambda lines: [b" " * 40_000_000, b"\n"]),
}


def damaged_bytes(content: bytes, chance: random.Random):
    """Yield (what is wrong, content) of copies that were damaged on the way."""
    for part in (0.1, 0.5, 0.999):
        yield f"cut at {part}", content[: int(len(content) * part)]
    for place in [0, len(content) - 1, *(chance.randrange(len(content)) for _number in range(8))]:
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        yield f"a bit flipped at {place}", bytes(flipped)
    yield "something added", content + b"x"
    yield "empty", b""
    yield "no zip file", b"SQLite format 3\0" + content


@pytest.mark.promise("Damaged backups are refused", "20 of 20 before anything is touched")
def test_damaged_backup_is_refused(site, settings, tmp_path, measured):
    settings.MIGRATION_MODULES = {}  # those of the site; other tests run without
    reporter = Reporter(site.visitor("coordinator"), [f"/plans/{s}/actions/{r}/" for s, r in site.query(ACTIONS)], 0)
    for step in (0, 3):
        reporter.report(reporter.addresses[step], f"killed 0/{step}", step)
    backup, refused = back_up(site), {}
    check_backup(backup).close()
    check_backup(rebuilt(backup, tmp_path / "same.zip", lambda members: None)).close()
    cases = {why: rebuilt(backup, tmp_path / f"{n}.zip", change) for n, (why, change) in enumerate(REBUILT.items())}
    for number, (why, content) in enumerate(damaged_bytes(backup.read_bytes(), random.Random(sizes.SEED))):  # noqa: S311
        cases[why] = tmp_path / f"bytes-{number}.zip"
        cases[why].write_bytes(content)
    for why, path in cases.items():
        with pytest.raises(BackupError) as refusal:
            check_backup(path)
        refused[why] = str(refusal.value)
    measured(f"{len(refused)} of {len(cases)}")
    assert len(cases) >= 20
    for why, message in refused.items():
        english, _slash, thai = message.partition(" / ")
        assert english.startswith("“"), why
        assert THAI.search(thai), why
    assert "newer release" in refused["a newer release"]
    assert "is not a backup" in refused["no zip file"]
    before = (site.query(STORED), sorted((site.data_dir / "evidence").rglob("*")))
    answer = site.manage("restore", str(cases["a file is missing"]), "--replace", check=False)
    assert (answer.returncode, refused["a file is missing"] in answer.stderr) == (1, True)
    assert (site.query(STORED), sorted((site.data_dir / "evidence").rglob("*"))) == before
