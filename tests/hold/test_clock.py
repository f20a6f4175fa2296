"""The clock of the machine jumps an hour or a day, and back: nothing is lost, nobody stays locked out, no dead worker
looks alive. `clock.c` shows the processes of the site another time, as a wrong time server would.
"""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from operations.backup.kept import STAMP, list_backups
from tests import sizes
from tests.hold.prepare import PASSWORD
from tests.hold.test_background import PLAN, WAITS, until
from tests.hold.test_outages import ACTION
from tests.hold.visitor import form_values

SOURCE = Path(__file__).with_name("clock.c")
HOUR, DAY = 3600, 24 * 3600
JUMPS = (HOUR, 0, -HOUR, 0, DAY, 0, -DAY, 0)  # seconds from the real time

pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.skipif(not sizes.IS_FULL, reason="the long form"),
    pytest.mark.skipif(not shutil.which("cc"), reason="a C compiler is missing"),
]


class Day:
    """A site whose clock is set by a file."""

    def __init__(self, make_site) -> None:
        self.site = make_site(workers=2, PMQA_TODAY="", PMQA_LONG_PLAN="100")
        self.file, library = self.site.folder / "clock", self.site.folder / "clock.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE], check=True)
        self.site.env |= {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self.file)}
        self.reported: list[str] = []
        self.set(0)

    def set(self, seconds: int) -> None:
        """Set the clock so many seconds after the real time."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}")
        new.rename(self.file)

    def report(self, visitor) -> None:
        """Report on an action, logging in first if the login has ended."""
        slug, ref = self.site.query(ACTION)[0]
        if "/login/" in visitor.get("/").url:
            assert visitor.log_in("coordinator", PASSWORD).status_code == 200
        result = f"outage {len(self.reported)}"
        answer = visitor.report(f"/plans/{slug}/actions/{ref}/", result=result, reason="ทดสอบ")
        assert answer.status_code == 302, answer.text[:3000]
        self.reported.append(result)

    def guess(self, username: str, password: str) -> int:
        """Try a password; return the status."""
        visitor = self.site.visitor()
        values = form_values(visitor.get("/login/"), "password") | {"username": username, "password": password}
        return visitor.post("/login/", values, allow_redirects=False).status_code


@pytest.mark.promise("A clock that jumps harms nothing", "0 lost or stuck after 8 jumps of an hour and a day")
def test_clock_jumps(make_site, measured):
    day = Day(make_site)
    site = day.site
    site.start()
    site.spawn("manage.py", "worker")
    visitor = site.visitor()
    unused = {DAY: site.visitor(), -DAY: site.visitor()}
    for each in unused.values():
        assert each.log_in("manager", PASSWORD).status_code == 200
    backups: set[str] = set()
    for jump in JUMPS:
        assert [day.guess("staff", "wrong") for _guess in range(11)][-1] == 429
        day.report(visitor)
        day.set(jump)
        day.report(visitor)
        # A login is as good as unused for a day, and does not last a day longer.
        if jump in unused:
            assert unused[jump].get("/sessions/", allow_redirects=False).status_code == 302
        # A lock of a quarter of an hour has ended after any of these jumps.
        assert day.guess("staff", PASSWORD) == 302
        # The worker is seen, and works.
        values = form_values(visitor.get(f"{PLAN}/reports/"), "kind") | {"kind": "form-only"}
        url = visitor.post(f"{PLAN}/reports/prepare/", values).url
        until(lambda url=url: WAITS not in visitor.get(url).text)
        assert visitor.get(f"{url}file.xlsx").content.startswith(b"PK")
        # The new backup is there, and no day has lost its last one.
        before = set(backups)
        site.manage("backup")
        backups = {each.path.name for each in list_backups(site.data_dir / "backups")}
        assert backups - before
        assert {day_of(name) for name in before} <= {day_of(name) for name in backups}
        site.manage("verify_log")
    site.kill()
    stored = [result for (result,) in site.query("SELECT result FROM plan_progressupdate WHERE result LIKE 'outage %'")]
    measured(f"0 lost of {len(day.reported)}, {len(JUMPS)} jumps")
    assert sorted(stored) == sorted(day.reported)


def day_of(name: str) -> str:
    """Return the day in Bangkok in the name of a backup."""
    made_at = datetime.strptime(name, f"pmqa-{STAMP}.zip").replace(tzinfo=UTC)
    return str(made_at.astimezone(ZoneInfo("Asia/Bangkok")).date())
