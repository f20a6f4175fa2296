"""Backups of running sites: make one, restore it into an empty database, and compare two."""

import json
import zipfile
from pathlib import Path
from typing import Any

from tests.hold.databases import server_url
from tests.hold.site import Site


def back_up(site: Site) -> Path:
    """Back up a site and return the new backup."""
    folder = site.data_dir / "backups"
    before = set(folder.glob("*.zip"))
    site.manage("backup")
    (made,) = set(folder.glob("pmqa-*.zip")) - before
    return made


def make_empty(site: Site, *, on_sqlite: bool = False) -> None:
    """Leave a site, which is not started, without tables and files; `on_sqlite` moves it to a SQLite file."""
    if on_sqlite:
        site.env["DATABASE_URL"] = f"sqlite:///{site.data_dir}/db.sqlite3"
    for path in [*site.data_dir.glob("db.sqlite3*"), *(site.data_dir / "evidence").rglob("*")]:
        if path.is_file():
            path.unlink()
    if server_url() and not on_sqlite:
        site.query("DROP SCHEMA public CASCADE")
        site.query("CREATE SCHEMA public")


def contents(backup: Path) -> dict[str, Any]:
    """Return what a backup holds: the number, digest and keys of the rows of each table, and the files."""
    with zipfile.ZipFile(backup) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    return {name: manifest[name] for name in ("migrations", "tables", "files", "missing_files", "log_heads")}
