"""The rows of a table in a form that no database owns: a line of JSON for each row, ordered by primary key.

The same rows are the same bytes, whatever database they come from. So a table that was restored is compared with the
backup by a digest.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Field, JSONField, Model, TextField
from django.db.models.functions import Cast
from django.utils.duration import duration_string

ROWS_AT_ONCE = 2000
STORED_JSON = "json"  # key around the content of a JSON column, so that its null is not taken for a missing value


class WrittenRows(NamedTuple):
    """How many rows were written, and the SHA-256 of their lines."""

    count: int
    sha256: str


class BadRowError(ValueError):
    """A line that is not a row of its table."""


def fields_of(model: type[Model]) -> list[Field]:
    """Return the fields with a column, in the order of the values in a line: migrations know no other than by name."""
    return sorted(model._meta.concrete_fields, key=lambda field: field.column)


def write_rows(model: type[Model], using: str, write: Callable[[bytes], object]) -> WrittenRows:
    """Write the rows of a table as lines, reading a part of the table at a time."""
    digest, count = sha256(), 0
    fields = fields_of(model)
    # The text of a JSON column, because Django reads both an empty column and JSON's null as None.
    columns = [Cast(f.attname, TextField()) if isinstance(f, JSONField) else f.attname for f in fields]
    is_json = [isinstance(field, JSONField) for field in fields]
    rows = model._base_manager.using(using).order_by("pk").values_list(*columns)
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        values = [_stored(value) if stored else _plain(value) for value, stored in zip(row, is_json, strict=True)]
        line = _line(values)
        digest.update(line)
        write(line)
        count += 1
    return WrittenRows(count, digest.hexdigest())


def read_row(line: bytes, fields: list[Field]) -> list[Any]:
    """Return the values of a line as the fields' Python values; the content of a JSON column as its text.

    Raises:
        BadRowError: the line is not what `write_rows` writes for these fields.
    """
    try:
        values = json.loads(line)
        if not isinstance(values, list) or _line(values) != line:
            raise BadRowError
        return [_read(field, value) for field, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, LookupError, ValidationError, RecursionError) as error:
        raise BadRowError(line[:200]) from error


def insert_rows(model: type[Model], connection: Any, rows: Iterable[list[Any]]) -> None:
    """Insert rows that `read_row` returned, with their keys and without what models do on save."""
    fields, quote = fields_of(model), connection.ops.quote_name
    limit = connection.features.max_query_params or 20_000
    at_once = max(1, limit // len(fields))
    slots = f"({', '.join(['%s'] * len(fields))})"
    columns = ", ".join(quote(field.column) for field in fields)
    start = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES "  # noqa: S608 - our own tables
    left = iter(rows)
    with connection.cursor() as cursor:
        while some := list(islice(left, at_once)):
            values = [
                value if isinstance(field, JSONField) else field.get_db_prep_save(value, connection)
                for row in some
                for field, value in zip(fields, row, strict=True)
            ]
            cursor.execute(start + ", ".join([slots] * len(some)), values)


def lines_of(file: Any, *, longest: int) -> Iterator[bytes]:
    """Return the lines of an open file one by one.

    Raises:
        BadRowError: a line is longer than `longest` bytes.
    """
    while line := file.readline(longest):
        if not line.endswith(b"\n"):
            raise BadRowError(line[:200])
        yield line


def _line(values: list[Any]) -> bytes:
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def _stored(text: str | None) -> Any:
    """Return the value in a line for the text of a JSON column."""
    return None if text is None else {STORED_JSON: json.loads(text)}


def _plain(value: Any) -> Any:
    """Return a value of a row as JSON has it: exact, and the same for every database."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return duration_string(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value


def _read(field: Field, value: Any) -> Any:
    if value is None:
        if not field.null:
            raise BadRowError
        return None
    if isinstance(field, JSONField):
        (content,) = [value[key] for key in value if key == STORED_JSON]
        return json.dumps(content, ensure_ascii=False)
    read = field.to_python(value)
    if type(_plain(read)) is not type(value) or _plain(read) != value:
        raise BadRowError
    return read
