"""Storage of evidence files: below `settings.EVIDENCE_ROOT`, under random names, outside every URL.

An accepted upload is staged first. If the form is invalid, a signed token finds the file when the user sends the form
again. The file is linked to its final place, and synced, before the row that names it is committed.
"""

import json
import os
import time
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import UploadedFile

STAGED_SECONDS = 24 * 60 * 60
SALT = "plan.evidence"


@dataclass(frozen=True, kw_only=True)
class StagedFile:
    """An accepted upload that belongs to no update yet.

    Attributes:
        name: random, in the staging folder.
        original_name: the user's name for it, cleaned.
        kind: a key of `kinds.KINDS`.
        size: in bytes.
        sha256: of the content, in hexadecimal.
    """

    name: str
    original_name: str
    kind: str
    size: int
    sha256: str

    def token(self, owner: str) -> str:
        """Return a signed token with which only `owner` (a user and an action) can find the file."""
        return signing.dumps(asdict(self), salt=f"{SALT}/{owner}", compress=True)


def stage(upload: UploadedFile, *, original_name: str, kind: str) -> StagedFile:
    """Write an accepted upload to the disk and sync it; delete staged files older than a day."""
    folder = _staging()
    _sweep(folder)
    name, digest, size = uuid4().hex, sha256(), 0
    upload.seek(0)
    with _create(folder / name) as file:
        for chunk in upload.chunks():
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return StagedFile(name=name, original_name=original_name, kind=kind, size=size, sha256=digest.hexdigest())


def find_staged(token: str, owner: str) -> StagedFile | None:
    """Return the staged file of a token; None if it has another owner, is too old, or the file is deleted."""
    try:
        staged = StagedFile(**signing.loads(token, salt=f"{SALT}/{owner}", max_age=STAGED_SECONDS))
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return staged if (_staging() / staged.name).is_file() else None


def original_name_in(token: str) -> str:
    """Return the unverified file name in a token, only for display to the sender; "" for a malformed token."""
    payload = token.split(":", 1)[0]
    try:
        data = signing.b64_decode(payload.removeprefix(".").encode())
        return str(json.loads(zlib.decompress(data) if payload.startswith(".") else data)["original_name"])
    except (ValueError, KeyError, TypeError, zlib.error):
        return ""


def store(staged: StagedFile, *, on: datetime) -> str:
    """Link a staged file to its final place and return its name below the root; the staged link stays for a day.

    Raises:
        OSError: the file system failed.
    """
    name = f"{on:%Y/%m}/{uuid4().hex}"
    place = settings.EVIDENCE_ROOT / name
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.link(_staging() / staged.name, place)
    for folder in (place.parent, place.parent.parent, settings.EVIDENCE_ROOT):
        _sync(folder)
    return name


def delete(names: list[str]) -> None:
    """Delete stored files, because their rows were not committed."""
    for name in names:
        (settings.EVIDENCE_ROOT / name).unlink(missing_ok=True)


def open_stored(name: str) -> BinaryIO:
    """Open a stored file for reading.

    Raises:
        FileNotFoundError: the file does not exist.
    """
    return (settings.EVIDENCE_ROOT / name).open("rb")


def _staging() -> Path:
    folder = Path(settings.EVIDENCE_ROOT) / "staged"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _create(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    for old in folder.iterdir():
        try:
            if old.stat().st_mtime < time.time() - STAGED_SECONDS:
                old.unlink()
        except FileNotFoundError:
            continue  # another request deleted it first
