"""The table of contents of a backup: what made it, and the size and digest of each member."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

PRODUCT, FORMAT = "pmqa-tracker", 1
MANIFEST = "manifest.json"
FILES = "files/"  # folder of the evidence files in a backup
# Not in a backup: a restored database must not open sessions that have ended, repeat work that was done since (a mail),
# or delete files that another database waits for.
LEFT_OUT = frozenset({
    "sessions.Session", "django_tasks_database.DBTaskResult", "pmqa_tracker.BackgroundTask",
    "pmqa_tracker.WorkerProcess", "plan.PendingFile",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a model in a backup.

    Attributes:
        model: label of the model, such as "plan.ActionItem".
        columns: names of the columns, in the order of the values.
        rows: number of rows.
        sha256: of the member with the rows.
        last_key: last key that the database gave to a row, which may be deleted since; 0 if it gives none.
    """

    model: str
    columns: list[str]
    rows: int
    sha256: str
    last_key: int

    @property
    def member(self) -> str:
        """Name of the member with the rows."""
        return f"rows/{self.model}.jsonl"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of evidence in a backup, by its name in the storage."""

    name: str
    size: int
    sha256: str

    @property
    def member(self) -> str:
        """Name of the member with the content."""
        return FILES + self.name


@dataclass(frozen=True, kw_only=True)
class LogHead:
    """The end of the hash chain of a plan's log, as `manage.py verify_log` prints it: a hash over all its entries."""

    plan: int
    number: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        made_at: when, in ISO format.
        database: vendor of the database it was made from.
        migrations: (app, name) of the applied migrations, sorted.
        tables: by the label of the model.
        files: evidence files.
        missing_files: names of evidence files that the storage no longer had.
        log_heads: of each plan, sorted by its key.
    """

    made_at: str
    database: str
    migrations: list[tuple[str, str]]
    tables: list[Table]
    files: list[StoredFile]
    missing_files: list[str]
    log_heads: list[LogHead]
    product: str = PRODUCT
    format: int = FORMAT

    def write(self) -> bytes:
        """Return the manifest as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def read(cls, content: bytes) -> "Manifest":
        """Return the manifest in a JSON text.

        Raises:
            ValueError, TypeError, LookupError: it is not one.
        """
        data = json.loads(content)
        tables = [Table(**{**row, "columns": _texts(row["columns"])}) for row in data.pop("tables")]
        files = [StoredFile(**row) for row in data.pop("files")]
        migrations = [(str(app), str(name)) for app, name in data.pop("migrations")]
        missing = _texts(data.pop("missing_files"))
        heads = [LogHead(**row) for row in data.pop("log_heads")]
        contents = {"tables": tables, "files": files, "missing_files": missing, "log_heads": heads}
        found = cls(migrations=migrations, **contents, **data)
        whole = [found.format, *(n for table in tables for n in (table.rows, table.last_key)), *(f.size for f in files)]
        texts = [found.made_at, found.database, found.product, *(each.model for each in tables)]
        if not all(type(number) is int and number >= 0 for number in whole) or _texts(texts) != texts:
            raise ValueError("a value of the wrong type")
        datetime.fromisoformat(found.made_at)
        return found


def models_in_backup(models: Iterable[type[Model]]) -> list[type[Model]]:
    """Return the models whose rows belong in a backup, sorted by label."""
    kept = {
        model._meta.label: model
        for model in models
        if model._meta.managed and not model._meta.proxy and model._meta.label not in LEFT_OUT
    }
    return [kept[label] for label in sorted(kept)]


def present_models() -> list[type[Model]]:
    """Return the models of this release whose rows belong in a backup."""
    return models_in_backup(apps.get_models(include_auto_created=True))


def applied_migrations(using: str = DEFAULT_DB_ALIAS) -> list[tuple[str, str]]:
    """Return (app, name) of the migrations that the database has, sorted."""
    return sorted(MigrationRecorder(connections[using]).applied_migrations())


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("a list of texts")
    return values
