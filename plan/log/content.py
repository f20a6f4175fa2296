"""The canonical content of a record: the same text on every database, before and after a backup."""

from datetime import UTC, datetime
from hashlib import sha256
from json import JSONEncoder
from typing import Any

from django.db.models import Model

_encode = JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def write_content(record: Model) -> str:
    """Return the stored fields of a record as JSON: name → value, in the order of the names.

    Moments are in UTC. Empty values are left out, so a column that a later release adds changes no old content.
    """
    kept = {}
    for field in _fields(record):
        value = getattr(record, field.attname)
        if not _is_empty(value) and not _is_empty(value := _plain(field.to_python(value))):
            kept[field.attname] = value
    return _encode(kept)


def digest(content: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return sha256(content.encode()).hexdigest()


def _fields(record: Model) -> Any:
    return record._meta.concrete_fields


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value == ""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if isinstance(value, bool | int | None) else str(value)
