"""Evidence files in Django's default storage, under random names, outside every URL.

An accepted upload is staged first. If the form is invalid, a signed token finds the file when the user sends the form
again. The file gets its final name, and on the local disk it is synced, before the row that names it is committed.
"""

import json
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from django.core import signing
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile

from plan.models.evidence import Evidence, PendingFile

STAGED = "staged"  # folder of accepted uploads that belong to no update yet
STAGED_SECONDS = 24 * 60 * 60
LEFTOVER_AGE = timedelta(seconds=STAGED_SECONDS, hours=1)  # an hour for the request that used the token at last
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


def remove_leftovers(*, now: datetime) -> int:
    """Delete what interrupted requests and unfinished forms left more than a day ago; return the number of files.

    `now` is the moment by the clock of the machine, whatever day the site is set to.

    It asks only for files that this database has on record as pending. Files that belong to nothing for another
    reason, such as a restore of an older backup, stay: `manage.py check_evidence` names them.
    """
    before, removed = now - LEFTOVER_AGE, 0
    for path in _staged_paths():
        try:
            if default_storage.get_modified_time(path) < before:
                default_storage.delete(path)
                removed += 1
        except FileNotFoundError:
            continue  # another process deleted it first
    for pending in PendingFile.objects.filter(at__lt=before):
        if not Evidence.objects.filter(file=pending.name).exists():
            removed += default_storage.exists(pending.name)
            default_storage.delete(pending.name)
        pending.delete()
    return removed


def _staged_paths() -> list[str]:
    try:
        return [f"{STAGED}/{name}" for name in default_storage.listdir(STAGED)[1]]
    except FileNotFoundError:  # nothing was ever staged
        return []
