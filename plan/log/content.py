"""The canonical content of a record: the same text on every database, before and after a backup."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db.models import Model


def write_content(record: Model) -> str:
    """Return the stored fields of a record as JSON: name → value, in the order of the names.

    Moments are in UTC. Empty values are left out, so a column that a later release adds changes no old content.
    """
    values = {field.attname: _plain(field.to_python(getattr(record, field.attname))) for field in _fields(record)}
    kept = {name: value for name, value in values.items() if value not in ("", None) and value is not False}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(content: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return sha256(content.encode()).hexdigest()


def _fields(record: Model) -> Any:
    return record._meta.concrete_fields


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if isinstance(value, bool | int | None) else str(value)
