"""Check a backup completely, before anything is restored from it.

The last 64 bytes of the file are a digest of all the others, so no damage passes. What is left is a file that somebody
made: its members are those of its manifest, with their sizes and digests, and its rows are rows of known tables.
"""

import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from django.apps.registry import Apps
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from operations.backup import old_schema
from operations.backup.manifest import FILES, FORMAT, MANIFEST, PRODUCT, Manifest, Table, models_in_backup
from operations.backup.refusals import DAMAGED, NEWER, NOT_A_BACKUP, BackupError
from operations.backup.rows import BadRowError, fields_of, lines_of, read_row
from plan.evidence.storage import STORED_NAME

SEAL_BYTES = 64
PIECE_BYTES = 1024 * 1024
MOST_MANIFEST_BYTES = 256 * PIECE_BYTES
LONGEST_LINE = 64 * PIECE_BYTES  # of one row
MOST_RATIO, RATIO_FROM = 500, 10 * PIECE_BYTES  # unpacked bytes per packed byte
EVIDENCE, EVIDENCE_FILE = "plan.Evidence", "file"

CHECKSUM = _("its checksum does not match")
STRUCTURE = _("its contents cannot be listed")
WRONG_MANIFEST = _("its table of contents cannot be read")
TOO_LARGE = _("“%(member)s” would unpack to far more than it should")
OTHER_MEMBERS = _("“%(member)s” is missing or does not belong in it")
WRONG_MEMBER = _("“%(member)s” is not what the table of contents says")
WRONG_COLUMNS = _("the columns of “%(member)s” are not those of its release")
WRONG_ROW = _("row %(number)s of “%(member)s” cannot be read")
WRONG_COUNT = _("“%(member)s” has %(found)s rows instead of %(rows)s")


@dataclass(frozen=True)
class CheckedBackup:
    """A backup that passed all checks; it stays open, so nobody can replace the file before it is restored.

    Attributes:
        name: of the file.
        archive: the open zip file.
        manifest: its table of contents.
        apps: the models as they were in the release that made it.
    """

    name: str
    archive: zipfile.ZipFile
    manifest: Manifest
    apps: Apps

    def close(self) -> None:
        self.archive.fp.close()
        self.archive.close()

    def rows(self, table: Table) -> Iterator[list[Any]]:
        """Return the rows of a table, as `rows.read_row` reads them.

        Raises:
            BackupError: a row cannot be read.
        """
        fields = fields_of(self.model(table))
        with self.archive.open(table.member) as member:
            done = 0
            try:
                for line in lines_of(member, longest=LONGEST_LINE):
                    yield read_row(line, fields)
                    done += 1
            except BadRowError as error:
                raise self.damaged(WRONG_ROW, member=table.member, number=done + 1) from error

    def model(self, table: Table) -> type[Model]:
        """Return the model of a table, as it was in the release that made the backup."""
        return {model._meta.label: model for model in self.apps.get_models(include_auto_created=True)}[table.model]

    def damaged(self, what: Any, **values: object) -> BackupError:
        """Return the refusal of this backup."""
        return BackupError(DAMAGED, file=self.name, what=_Detail(what, values))


class _Detail:
    """A part of a sentence that is translated when the sentence is."""

    def __init__(self, text: Any, values: dict[str, object]) -> None:
        self.text, self.values = text, values

    def __str__(self) -> str:
        return str(self.text) % self.values


def check_backup(path: Path, *, name: str = "") -> CheckedBackup:
    """Check a backup and return it open; the caller closes it.

    Args:
        path: the file.
        name: what messages call it; by default the name of the file.

    Raises:
        BackupError: it is not a backup, damaged, or made by a newer release.
        OSError: it cannot be read.
    """
    name = name or path.name
    file = path.open("rb")
    try:
        with _refusals(name):
            return _check(file, name)
    except BaseException:
        file.close()
        raise


def digest_of(file: BinaryIO) -> str:
    """Return the SHA-256 of an open file without its last 64 bytes."""
    digest, left = sha256(), file.seek(0, os.SEEK_END) - SEAL_BYTES
    file.seek(0)
    while left > 0 and (piece := file.read(min(PIECE_BYTES, left))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turn what a damaged zip file makes Python raise into a refusal."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        EOFError,
        RuntimeError,
        ValueError,
        OverflowError,
    ) as error:
        raise BackupError(DAMAGED, file=name, what=STRUCTURE) from error


def _check(file: BinaryIO, name: str) -> CheckedBackup:
    """Raises BackupError, or what `zipfile` raises for a damaged file."""
    if file.read(4) != b"PK\3\4":
        raise BackupError(NOT_A_BACKUP, file=name)
    if not _is_sealed(file):
        # A whole zip file without the seal is somebody else's.
        is_foreign = zipfile.is_zipfile(file) and MANIFEST not in zipfile.ZipFile(file).namelist()
        raise BackupError(NOT_A_BACKUP, file=name) if is_foreign else BackupError(DAMAGED, file=name, what=CHECKSUM)
    archive = zipfile.ZipFile(file)
    manifest = _read_manifest(archive, name)
    if unknown := old_schema.unknown_migrations(manifest.migrations):
        raise BackupError(NEWER, file=name, what=".".join(unknown[0]))
    backup = CheckedBackup(name, archive, manifest, old_schema.models_after(tuple(manifest.migrations)))
    _check_members(backup)
    _check_tables(backup)
    _check_files(backup, {name for table in manifest.tables for name in _check_rows(backup, table)})
    return backup


def _is_sealed(file: BinaryIO) -> bool:
    digest = digest_of(file)
    return file.read(SEAL_BYTES) == digest.encode()


def _read_manifest(archive: zipfile.ZipFile, name: str) -> Manifest:
    try:
        info = archive.getinfo(MANIFEST)
    except KeyError:
        raise BackupError(NOT_A_BACKUP, file=name) from None
    if info.file_size > MOST_MANIFEST_BYTES:
        raise BackupError(DAMAGED, file=name, what=_Detail(TOO_LARGE, {"member": MANIFEST}))
    content = archive.read(info)
    try:
        made = json.loads(content)
        if made["product"] != PRODUCT:
            raise BackupError(NOT_A_BACKUP, file=name)
        if type(made["format"]) is int and made["format"] > FORMAT:
            raise BackupError(NEWER, file=name, what=f"format {made['format']}")
        return Manifest.read(content)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise BackupError(DAMAGED, file=name, what=WRONG_MANIFEST) from error


def _check_members(backup: CheckedBackup) -> None:
    """Check the directory of the zip file against the manifest, before anything is unpacked."""
    manifest = backup.manifest
    sizes = {file.member: file.size for file in manifest.files}
    expected = [MANIFEST, *(table.member for table in manifest.tables), *sizes]
    infos = backup.archive.infolist()
    names = [info.filename for info in infos]
    if strange := {*names} ^ {*expected} or _repeated(names) or _repeated(expected):
        raise backup.damaged(OTHER_MEMBERS, member=min(strange))
    for info in infos:
        if info.file_size > RATIO_FROM and info.file_size > MOST_RATIO * info.compress_size:
            raise backup.damaged(TOO_LARGE, member=info.filename)
        if info.file_size != sizes.get(info.filename, info.file_size):
            raise backup.damaged(WRONG_MEMBER, member=info.filename)
    for name in [file.name for file in manifest.files]:
        if not STORED_NAME.fullmatch(name):
            raise backup.damaged(OTHER_MEMBERS, member=FILES + name)


def _check_tables(backup: CheckedBackup) -> None:
    """Check that the tables are those of the release that made the backup, with their columns."""
    models = {model._meta.label: model for model in models_in_backup(backup.apps.get_models(include_auto_created=True))}
    tables = {table.model: table for table in backup.manifest.tables}
    if strange := models.keys() ^ tables.keys():
        raise backup.damaged(OTHER_MEMBERS, member=min(strange))
    for label, table in tables.items():
        if table.columns != [field.column for field in fields_of(models[label])]:
            raise backup.damaged(WRONG_COLUMNS, member=table.member)


def _check_rows(backup: CheckedBackup, table: Table) -> set[str]:
    """Check the member of a table: digest, number of rows, and each row. Return the evidence files that it names."""
    _check_digest(backup, table.member, table.sha256)
    names = [field.attname for field in fields_of(backup.model(table))]
    place = names.index(EVIDENCE_FILE) if table.model == EVIDENCE else None
    found, files = 0, set()
    for row in backup.rows(table):
        found += 1
        if place is not None:
            files.add(row[place])
    if found != table.rows:
        raise backup.damaged(WRONG_COUNT, member=table.member, found=found, rows=table.rows)
    return files - {""}


def _check_files(backup: CheckedBackup, named: set[str]) -> None:
    """Check the evidence files: their digests, and that they are those which the rows name."""
    held = {file.name for file in backup.manifest.files} | set(backup.manifest.missing_files)
    if strange := held ^ named:
        raise backup.damaged(OTHER_MEMBERS, member=FILES + min(strange))
    for file in backup.manifest.files:
        _check_digest(backup, file.member, file.sha256)


def _check_digest(backup: CheckedBackup, member: str, expected: str) -> None:
    digest = sha256()
    with backup.archive.open(member) as content:
        while piece := content.read(PIECE_BYTES):
            digest.update(piece)
    if digest.hexdigest() != expected:
        raise backup.damaged(WRONG_MEMBER, member=member)


def _repeated(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1} if len(names) != len(set(names)) else set()
