"""A PostgreSQL server of its own, for a test that stops it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import environ
import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


@dataclass(frozen=True)
class Cluster:
    """A server that answers on a socket in its folder."""

    folder: Path

    @property
    def url(self) -> str:
        """URL of its database."""
        return f"postgres://pmqa@/{self.folder}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", f"--log={self.folder}/log", "--wait", f"--options={options}", "start")

    def stop(self) -> None:
        """Stop it at once; open connections break."""
        self._run("pg_ctl", "--mode=immediate", "--wait", "stop")

    def make(self) -> None:
        """Make its files."""
        self._run("initdb", "--username=pmqa", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")

    def copy_from(self, url: str) -> None:
        """Copy a database of another server."""
        config = environ.Env.db_url_config(url)
        host, user = f"--host={config['HOST']}", f"--username={config['USER']}"
        options = {"check": True, "capture_output": True, "timeout": 120}
        dump = subprocess.run(["pg_dump", "--no-owner", host, user, config["NAME"]], **options)
        here = [f"--host={self.folder}", "--username=pmqa", "postgres"]
        subprocess.run(["psql", "--quiet", *here], input=dump.stdout, **options)

    def _run(self, program: str, *arguments: str) -> None:
        as_owner = ["runuser", "-u", self.folder.owner(), "--"] if os.geteuid() == 0 else []
        command = [*as_owner, str(PROGRAMS[-1] / program), f"--pgdata={self.folder}/data", *arguments]
        with (self.folder / "output").open("ab") as output:  # not a pipe, which the server would keep open
            subprocess.run(command, cwd=self.folder, check=True, stdout=output, stderr=output, timeout=120)


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """Yield a running server; skip the test without PostgreSQL. Root lets the user `postgres` or `nobody` run it."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pmqa-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres" if shutil.which("psql") and _exists("postgres") else "nobody")
    cluster = Cluster(folder)
    try:
        cluster.make()
        cluster.start()
        yield cluster
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(folder)


def _exists(user: str) -> bool:
    return subprocess.run(["id", user], check=False, capture_output=True).returncode == 0
