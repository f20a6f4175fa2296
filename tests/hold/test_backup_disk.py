"""A disk that is full before or during a backup, and a backup that is killed: nothing passes for a whole backup."""

import signal
from datetime import timedelta
from subprocess import Popen
from time import monotonic, sleep

import pytest
from django.utils import timezone

from operations.backup.kept import file_name
from tests import sizes
from tests.hold.backups import back_up
from tests.hold.broken_disks import full_disk, small_disk
from tests.hold.site import Site

pytestmark = pytest.mark.skipif(not sizes.IS_FULL, reason="the long form")
MEGABYTES = 60  # enough for a backup


def begun(site: Site) -> Popen:
    """Start a backup, and wait until it writes its draft."""
    backup, end = site.spawn("manage.py", "backup"), monotonic() + 120
    while not [*(site.data_dir / "backups").glob("*.draft")]:
        assert backup.poll() is None, site.log
        assert monotonic() < end
        sleep(0.001)
    return backup


@pytest.mark.promise("A full disk makes no half backup", "refused in both languages; every older backup kept")
def test_full_disk_during_a_backup(make_site, measured):
    site = make_site()
    folder = site.data_dir / "backups"
    folder.mkdir()
    whole = back_up(site)
    # A rule would remove the second of these, which are of one day.
    old = [folder / file_name(timezone.now() - timedelta(days=400, minutes=minutes)) for minutes in (0, 1)]
    for file in old:
        file.write_bytes(whole.read_bytes())
    kept = {whole.name, *(file.name for file in old)}
    with small_disk(folder, megabytes=MEGABYTES):
        with full_disk(folder):
            refused = site.manage("backup", check=False)
        assert (refused.returncode, " / " in refused.stderr, "MB" in refused.stderr) == (1, True, True)
        assert {path.name for path in folder.iterdir()} == kept
        backup = begun(site)
        with full_disk(folder):
            assert backup.wait(120) == 1
            said = site.log
        assert "No space left" in said
        assert "The backup could not be written" in said
        assert "เขียน" in said
        assert "Traceback" not in said
        assert {path.name for path in folder.iterdir()} == kept
        killed = begun(site)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        (draft,) = folder.glob("*.draft")
        new = back_up(site)
        assert new.exists()
        left = {path.name for path in folder.iterdir()}
        assert left == (kept - {old[1].name}) | {new.name, draft.name}
        site.manage("restore", str(new), "--check")
    measured("0 half backups of 3")
