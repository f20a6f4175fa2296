"""Evidence files in Django's default storage, under random names, outside every URL.

An accepted upload is staged first. If the form is invalid, a signed token finds the file when the user sends the form
again. The file gets its final name, and on the local disk it is synced, before the row that names it is committed.
"""

import json
import re
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile

from plan.models.evidence import STAGED, STAGED_SECONDS, PendingFile

STORED_NAME = re.compile(r"\d{4}/\d{2}/[0-9a-f]{32}")  # of a file that a row names
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
    """Store an accepted upload until its update is recorded.

    Raises:
        OSError: the storage failed.
    """
    name, digest = uuid4().hex, sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    default_storage.save(f"{STAGED}/{name}", upload)
    size = upload.size
    return StagedFile(name=name, original_name=original_name, kind=kind, size=size, sha256=digest.hexdigest())


def find_staged(token: str, owner: str) -> StagedFile | None:
    """Return the staged file of a token; None if it has another owner, is too old, or the file is deleted."""
    try:
        staged = StagedFile(**signing.loads(token, salt=f"{SALT}/{owner}", max_age=STAGED_SECONDS))
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return staged if default_storage.exists(f"{STAGED}/{staged.name}") else None


def original_name_in(token: str) -> str:
    """Return the unverified file name in a token, only for display to the sender; "" for a malformed token."""
    payload = token.split(":", 1)[0]
    try:
        data = signing.b64_decode(payload.removeprefix(".").encode())
        return str(json.loads(zlib.decompress(data) if payload.startswith(".") else data)["original_name"])
    except (ValueError, KeyError, TypeError, zlib.error):
        return ""


def store(staged: StagedFile, *, on: datetime) -> str:
    """Give a staged file its final name and return that name; the staged one stays for a day.

    The name is pending until the update is recorded: `forget_pending` in the same transaction ends that.

    Raises:
        OSError: the storage failed.
    """
    name = f"{on:%Y/%m}/{uuid4().hex}"
    PendingFile.objects.create(name=name)
    default_storage.copy(f"{STAGED}/{staged.name}", name)
    return name


def forget_pending(names: list[str]) -> None:
    """Let stored files stay for good; called in the transaction that adds the rows which name them."""
    PendingFile.objects.filter(name__in=names).delete()


def delete(names: list[str]) -> None:
    """Delete stored files, because their rows were not committed."""
    for name in names:
        default_storage.delete(name)


def open_stored(name: str) -> File:
    """Open a stored file for reading.

    Raises:
        FileNotFoundError: the file does not exist.
        OSError: the storage failed.
    """
    return default_storage.open(name)


def digest_of_stored(name: str) -> str | None:
    """Return the SHA-256 of a stored file, in hexadecimal; None if it is missing, or nothing can have the name.

    Raises:
        OSError: the storage failed.
    """
    digest = sha256()
    try:
        with open_stored(name) as file:
            for chunk in file.chunks():
                digest.update(chunk)
    except (FileNotFoundError, IsADirectoryError, SuspiciousOperation):
        return None
    return digest.hexdigest()


def put_back(name: str, content: File) -> None:
    """Store the content under a name that a row has; whatever had the name goes. The name never has half a file.

    Raises:
        OSError: the storage failed.
    """
    staged = default_storage.save(f"{STAGED}/{uuid4().hex}", content)
    default_storage.delete(name)
    default_storage.copy(staged, name)
    default_storage.delete(staged)
