"""Make the backup of this release for `tests/data/releases`: the plan, its history, and two evidence files.

`python -m tests.hold.make_release`, with the version in `pyproject.toml`, before the tag is set.
"""

import sys
import tempfile
import tomllib
from pathlib import Path

from tests.hold.site import ROOT, environment, run_python

FOLDER = ROOT / "tests" / "data" / "releases"


def present_version() -> str:
    """Return the version in `pyproject.toml`, such as "1.0.0"."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder))
        run_python(["-m", "tests.hold.prepare", f"{folder}/cookies.json", folder], env)
        run_python(["-m", "tests.hold.make_release", "--inside"], env)


def back_up() -> None:
    """Add evidence to the prepared site, and back it up; runs with the settings of the site."""
    django.setup()
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.utils import timezone

    from assignments.access import Access
    from assignments.models import User
    from operations.backup.make import make_backup
    from plan.evidence import storage
    from plan.models import ActionItem
    from plan.updates.record import Attachment, UpdateInput, record_update
    from pmqa_tracker import clock

    person = User.objects.get(username="coordinator")
    for number, action in enumerate(ActionItem.objects.with_details().filter(status="IN_PROGRESS").order_by("pk")[:2]):
        upload = SimpleUploadedFile("รายงาน.pdf", f"%PDF-1.4 {number}".encode())
        file = storage.stage(upload, original_name=upload.name, kind="pdf")
        data = UpdateInput(result="แนบรายงาน", attachments=[Attachment(title=upload.name, file=file)])
        record_update(
            action=action, version=action.version, op_id=uuid4(), access=Access.of(person), at=clock.now(), data=data
        )
    with tempfile.TemporaryDirectory() as folder:
        made = make_backup(Path(folder), at=timezone.now())
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"v{present_version()}.zip").write_bytes(made.path.read_bytes())


if __name__ == "__main__":
    from uuid import uuid4

    import django

    back_up() if "--inside" in sys.argv else main()
