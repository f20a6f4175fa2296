"""Make a backup of the running site: one zip file, complete and checked before it gets its name."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from django.core.exceptions import SuspiciousOperation
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from operations.backup import check, kept
from operations.backup.keys import last_key
from operations.backup.manifest import (
    MANIFEST,
    LogHead,
    Manifest,
    StoredFile,
    Table,
    applied_migrations,
    present_models,
)
from operations.backup.refusals import BackupError
from operations.backup.rows import fields_of, write_rows
from operations.backup.snapshot import open_snapshot
from plan.evidence import storage
from plan.models import Evidence, LogLink
from pmqa_tracker.file_storage import PRIVATE_FILE, PRIVATE_FOLDER, sync

PIECE_BYTES = 1024 * 1024
ROOM_BYTES = 20 * PIECE_BYTES  # left free beside the backup
SEAL = "0" * 64  # placeholder at the end of the file

FULL = _(
    "%(folder)s has only %(free)d MB free, and the backup may need %(needed)d MB. Free some space, or choose another "
    "folder."
)
NOT_MIGRATED = _("The database is not up to date; run manage.py migrate first.")


class Made(NamedTuple):
    """A new backup: its file and its manifest, and the evidence files that differ from what was recorded."""

    path: Path
    manifest: Manifest
    changed_files: list[str]


def make_backup(folder: Path, *, at: datetime, prefix: str = kept.PREFIX) -> Made:
    """Back up the database and the evidence while the site runs.

    Args:
        folder: the folder of the file; it is created if it is missing.
        at: now; the file is named after it.
        prefix: start of the file's name.

    Raises:
        BackupError: the disk is too small, or the database has not the tables of this release.
        OSError: the disk or the storage failed.
    """
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise BackupError(NOT_MIGRATED)
    path = folder / kept.file_name(at, prefix)
    with _new_file(path) as draft:
        with open_snapshot() as using:
            _check_room(folder, using)
            manifest, changed = _write(draft, using, at)
        seal(draft)
        check.check_backup(draft, name=path.name).close()
    return Made(path, manifest, changed)


def seal(path: Path) -> None:
    """Replace the last 64 bytes of a file, the comment of its zip, by the digest of all bytes before, and sync it."""
    with path.open("r+b") as file:
        digest = check.digest_of(file)
        file.seek(-len(SEAL), os.SEEK_END)
        file.write(digest.encode())
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """Yield a new empty file, and give it its name at the end; a failure leaves nothing."""
    draft = path.with_name(f"{path.name}{kept.DRAFT}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    try:
        yield draft
        draft.rename(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _check_room(folder: Path, using: str) -> None:
    with connections[using].cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        (rows,) = cursor.fetchone()
    needed = rows + (Evidence.objects.using(using).aggregate(size=Sum("size"))["size"] or 0) + ROOM_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(FULL, folder=folder, free=free // PIECE_BYTES, needed=needed // PIECE_BYTES)


def _write(draft: Path, using: str, at: datetime) -> tuple[Manifest, list[str]]:
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:
        tables = [_write_table(archive, model, using) for model in present_models()]
        files, missing, changed = _write_files(archive, using)
        manifest = Manifest(
            made_at=at.isoformat(),
            database=connection.vendor,
            migrations=applied_migrations(using),
            tables=tables,
            files=files,
            missing_files=missing,
            log_heads=_log_heads(using),
        )
        archive.writestr(MANIFEST, manifest.write())
        archive.comment = SEAL.encode()
    return manifest, changed


def _log_heads(using: str) -> list[LogHead]:
    links = LogLink.objects.using(using).order_by("plan", "number").values_list("plan", "number", "hash")
    heads = {plan: LogHead(plan=plan, number=number, hash=end) for plan, number, end in links.iterator()}
    return list(heads.values())


def _write_table(archive: zipfile.ZipFile, model: Any, using: str) -> Table:
    label = model._meta.label
    with archive.open(f"rows/{label}.jsonl", "w", force_zip64=True) as member:
        written = write_rows(model, using, member.write)
    return Table(
        model=label,
        columns=[field.column for field in fields_of(model)],
        rows=written.count,
        sha256=written.sha256,
        last_key=last_key(model, connections[using]),
    )


def _write_files(archive: zipfile.ZipFile, using: str) -> tuple[list[StoredFile], list[str], list[str]]:
    """Add the files that the snapshot's rows name; return them, those that are missing, and those that changed.

    They are never changed or deleted once a row names them, so it does not matter that they are read later.
    """
    rows = Evidence.objects.using(using).exclude(file="").values_list("file", "sha256").order_by("pk")
    files, missing, changed = [], [], []
    for name, expected in dict(rows).items():
        try:
            stored = storage.open_stored(name)
        except (FileNotFoundError, SuspiciousOperation):
            missing.append(name)
            continue
        file = _write_file(archive, name, stored)
        files.append(file)
        if file.sha256 != expected:
            changed.append(name)
    return files, missing, changed


def _write_file(archive: zipfile.ZipFile, name: str, stored: Any) -> StoredFile:
    digest, size = sha256(), 0
    info = zipfile.ZipInfo(f"files/{name}")
    info.external_attr = PRIVATE_FILE << 16
    with stored, archive.open(info, "w", force_zip64=True) as member:  # stored as it is: most kinds are packed already
        for chunk in stored.chunks():
            digest.update(chunk)
            size += len(chunk)
            member.write(chunk)
    return StoredFile(name=name, size=size, sha256=digest.hexdigest())
