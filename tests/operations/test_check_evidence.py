"""`manage.py check_evidence` finds evidence files that are missing, changed or orphaned."""

from datetime import timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from operations.backup import evidence
from operations.backup.evidence import check_evidence
from plan.models.evidence import STAGED
from tests.factories import EvidenceFactory

pytestmark = pytest.mark.django_db


def make_evidence(content: bytes, **fields):
    name = f"2563/05/{uuid4().hex}"
    default_storage.save(name, ContentFile(content))
    return EvidenceFactory(link="", file=name, sha256=sha256(content).hexdigest(), title=str(content), **fields)


def check(*options: str) -> str:
    """Run the command a day and two hours from now; return what it prints, with its error."""
    out = StringIO()
    later = timezone.now() + timedelta(hours=26)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: later)
        try:
            call_command("check_evidence", *options, stdout=out)
        except CommandError as error:
            out.write(f"FAILED {error}")
    return out.getvalue()


def test_missing_changed_and_orphaned_files_are_found(settings):
    assert check() == "0 evidence files are as they were recorded.\n"
    whole, missing, changed = (make_evidence(content) for content in (b"whole", b"missing", b"changed"))
    outside = EvidenceFactory(link="", file="../../etc/passwd", title="outside")
    assert default_storage.exists(whole.file)
    orphan = default_storage.save("2563/06/" + "b" * 32, ContentFile(b"orphan"))
    default_storage.save(f"{STAGED}/{'c' * 32}", ContentFile(b"waits"))
    default_storage.delete(missing.file)
    (Path(settings.MEDIA_ROOT) / changed.file).write_bytes(b"another content")
    said = check()
    for line in (
        f"missing: {missing.file} · {missing.action.ref} · {missing.title}",
        f"missing: {outside.file} · {outside.action.ref} · outside",
        f"changed: {changed.file} · {changed.action.ref} · {changed.title}",
        f"orphan: {orphan}",
    ):
        assert f"{line}\n" in said
    assert "FAILED 2 files missing, 1 changed, 1 that belong to nothing." in said
    assert check_evidence(now=timezone.now()).orphans == []  # a request may be about to name it
    with pytest.MonkeyPatch.context() as patch:  # deleted by a request since it was listed
        patch.setattr(evidence, "_stored_names", lambda folder: ["2563/06/" + "d" * 32])
        assert "2 files missing, 1 changed, 0 that" in check()
    assert "1 orphans removed." in check("--remove-orphans")
    assert not default_storage.exists(orphan)
    assert "orphan" not in check().partition("FAILED")[0]
    assert default_storage.exists(whole.file)
