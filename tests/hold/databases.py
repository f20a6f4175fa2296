"""Databases for running sites: a copy of a prepared one, as a SQLite file or on the server of TEST_DATABASE_URL."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.hold.connections import execute
from tests.hold.site import Site, collect_static, environment, run_python


@dataclass(frozen=True)
class Prepared:
    """A site with plan, accounts and sessions, from which every test gets a copy; made once for all pytest workers.

    Attributes:
        folder: holds `data`, the data folder, and `cookies.json`.
        server_url: URL of a PostgreSQL server's database; "" for SQLite.
    """

    folder: Path
    server_url: str

    @property
    def template(self) -> str:
        """Name of the PostgreSQL database that is copied."""
        return f"hold_{self.folder.stat().st_ino}"

    def url_of(self, name: str) -> str:
        """Return the URL of a database on the PostgreSQL server."""
        return f"{self.server_url.rsplit('/', 1)[0]}/{name}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other pytest workers out."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make(self) -> None:
        """Make it, unless another pytest worker already did."""
        with self.locked():
            (self.folder / f"used-by-{os.getpid()}").touch()
            if (self.folder / "cookies.json").exists():
                return
            (self.folder / "data").mkdir()
            if self.server_url:
                execute(self.server_url, f"CREATE DATABASE {self.template}")
            env = environment(self.folder / "data", self.server_url and self.url_of(self.template))
            collect_static(env)
            run_python(["-m", "tests.hold.prepare", str(self.folder / "cookies.json"), str(self.folder.parent)], env)

    def leave(self) -> None:
        """Remove it after the last pytest worker that uses it."""
        with self.locked():
            (self.folder / f"used-by-{os.getpid()}").unlink()
            if any(self.folder.glob("used-by-*")):
                return
            if self.server_url:
                execute(self.server_url, f"DROP DATABASE IF EXISTS {self.template} WITH (FORCE)")
            (self.folder / "cookies.json").unlink(missing_ok=True)
            shutil.rmtree(self.folder / "data", ignore_errors=True)

    @contextmanager
    def copy(self, folder: Path, **changes: str) -> Iterator[Site]:
        """Yield a site on a copy, not yet started; kill what it has started and drop its database afterwards."""
        shutil.copytree(self.folder / "data", folder / "data")
        name = f"hold_{uuid4().hex}"
        if self.server_url:
            execute(self.server_url, f"CREATE DATABASE {name} TEMPLATE {self.template}")
        env = environment(folder / "data", self.server_url and self.url_of(name), **changes)
        site = Site(folder=folder, env=env, cookies=json.loads((self.folder / "cookies.json").read_text()))
        try:
            yield site
        finally:
            site.kill()
            if self.server_url:
                execute(self.server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def server_url() -> str:
    """Return the URL of the PostgreSQL server of this run; "" for a run on SQLite."""
    return os.environ.get("TEST_DATABASE_URL", "")
