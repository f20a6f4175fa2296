"""A site in processes of its own: gunicorn with several workers, a data folder, and a database."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.hold.connections import execute
from tests.hold.visitor import Visitor

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 300
SECRET_KEY = "only-for-the-tests-of-a-running-site-0123456789-abcdefghijklmnop"


def environment(data_dir: Path, database_url: str = "", **changes: str) -> dict[str, str]:
    """Return the environment of a production site on 15 May 2563 that speaks HTTP on this machine."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "PMQA_ENV_FILE": "", "PYTHONUTF8": "1", "SECRET_KEY": SECRET_KEY, "DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url or f"sqlite:///{data_dir}/db.sqlite3", "SECURE_SSL": "False",
        "ALLOWED_HOSTS": "127.0.0.1", "PMQA_TODAY": "2020-05-15", "DJANGO_SETTINGS_MODULE": "pmqa_tracker.settings",
    } | changes  # fmt: skip


@dataclass
class Site:
    """A site on a port of this machine.

    Attributes:
        folder: holds the log `site.log` and the data folder `data`; both outlive the processes.
        cookies: user name → cookies of an open session.
        env: the environment of its processes; a change holds from the next start.
        workers: number of gunicorn's worker processes; None for that of `gunicorn.conf.py`.
    """

    folder: Path
    env: dict[str, str]
    cookies: dict[str, dict[str, str]]
    workers: int | None = None
    port: int = 0
    processes: list[subprocess.Popen] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Start of its URLs."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data_dir(self) -> Path:
        """Its `DATA_DIR`."""
        return Path(self.env["DATA_DIR"])

    @property
    def log(self) -> str:
        """What its processes have printed."""
        return (self.folder / "site.log").read_text(errors="replace")

    @property
    def server_pid(self) -> int:
        """Process id of gunicorn's master."""
        return self.processes[0].pid

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of gunicorn's workers."""
        children = Path(f"/proc/{self.server_pid}/task/{self.server_pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def start(self) -> None:
        """Start gunicorn as `scripts/serve` does, and wait until it answers; after a kill, on the same port."""
        self.port = self.port or free_port()
        arguments = ["pmqa_tracker.wsgi:application", "--bind", f"127.0.0.1:{self.port}", "--no-control-socket"]
        workers = ["--workers", str(self.workers)] if self.workers else []
        server = self.spawn("-m", "gunicorn", *arguments, "--log-level", "warning", *workers)
        end = monotonic() + START_SECONDS
        while not is_open(self.port):
            if server.poll() is not None or monotonic() > end:
                raise AssertionError(f"The site did not start: {self.log}")
            sleep(0.05)
        self.visitor().get("/login/", timeout=START_SECONDS)  # waits for a worker

    def spawn(self, *arguments: str) -> subprocess.Popen:
        """Start `python ARGUMENTS …`, such as "manage.py", "worker", as a process group; `kill` ends it too."""
        with (self.folder / "site.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=self.env, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def kill(self) -> None:
        """Kill everything that runs, at once and without a farewell, as a power cut would."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes.clear()
        end = monotonic() + START_SECONDS
        while self.port and is_open(self.port) and monotonic() < end:  # workers die a moment after their master
            sleep(0.01)

    def manage(self, *arguments: str, check: bool = True, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py ARGUMENTS …` beside the site; `changes` are variables of its environment."""
        ended = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env | changes, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert ended.returncode == 0 or not check, ended.stderr + ended.stdout
        return ended

    def visitor(self, username: str = "") -> Visitor:
        """Return a visitor with an open session of this user; "" for one who is not logged in."""
        return Visitor(self.url, self.cookies[username] if username else None)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement in the database without the site; return its rows, if it has any."""
        return execute(self.env["DATABASE_URL"], sql)


def free_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port: int) -> bool:
    """Return whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run_python(arguments: Sequence[str], env: dict[str, str]) -> None:
    """Run a Python command in the project folder; fail with what it printed."""
    ended = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr


def collect_static(env: dict[str, str]) -> None:
    """Collect the static files of the site, unless those collected are newer than all of them.

    One process at a time: the runs on both databases need them at the same moment.
    """
    manifest = ROOT / "staticfiles" / "staticfiles.json"
    sources = [ROOT / "requirements.txt", *(ROOT / "static").rglob("*")]
    folder = os.open(ROOT / "static", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not manifest.exists() or manifest.stat().st_mtime < max(path.stat().st_mtime for path in sources):
            shutil.rmtree(manifest.parent, ignore_errors=True)
            run_python(["manage.py", "collectstatic", "--noinput", "--verbosity", "0"], env)
    finally:
        os.close(folder)
