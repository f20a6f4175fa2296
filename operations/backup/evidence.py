"""Compare the files of evidence with their rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.core.files.storage import default_storage

from plan.evidence import storage
from plan.models.evidence import LEFTOVER_AGE, STAGED, Evidence, PendingFile


@dataclass
class EvidenceFindings:
    """Where files and rows differ.

    Attributes:
        checked: number of rows with a file.
        missing: rows whose file is not stored.
        changed: rows whose file has another content than when it was recorded.
        orphans: names of files that no row names, and that no running request can be about to name.
    """

    checked: int = 0
    missing: list[Evidence] = field(default_factory=list)
    changed: list[Evidence] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


def check_evidence(*, now: datetime) -> EvidenceFindings:
    """Read every file of evidence and compare it with its row.

    Args:
        now: by the clock of the machine; files that are younger than a day and an hour are no orphans yet.

    Raises:
        OSError: the storage failed.
    """
    found, stored = EvidenceFindings(), set(_stored_names(""))
    named = set()
    for row in Evidence.objects.exclude(file="").select_related("action").order_by("pk").iterator():
        found.checked += 1
        named.add(row.file)
        digest = storage.digest_of_stored(row.file)
        if digest is None:
            found.missing.append(row)
        elif digest != row.sha256:
            found.changed.append(row)
    pending = set(PendingFile.objects.values_list("name", flat=True))
    before = now - LEFTOVER_AGE
    found.orphans = [name for name in sorted(stored - named - pending) if _is_older(name, before)]
    return found


def _is_older(name: str, moment: datetime) -> bool:
    """Return whether a file was stored before a moment; not if a request has deleted it since it was listed."""
    try:
        return default_storage.get_modified_time(name) < moment
    except FileNotFoundError:
        return False


def remove_orphans(names: list[str]) -> None:
    """Delete files that no row names, after a last look at the rows."""
    for name in names:
        if not Evidence.objects.filter(file=name).exists():
            default_storage.delete(name)


def _stored_names(folder: str) -> Iterator[str]:
    """Return the names of all files in the storage but those that wait for their form."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    prefix = f"{folder}/" if folder else ""
    yield from (f"{prefix}{name}" for name in files)
    for name in folders:
        if prefix or name != STAGED:
            yield from _stored_names(f"{prefix}{name}")
