"""Count the SQL statements of a request: all, and those inside its write transactions."""

import logging
from types import TracebackType
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

REQUEST, TRANSACTION = 24, 12  # maximal statements of an update
logger = logging.getLogger(__name__)


class Statements(CaptureQueriesContext):
    """The SQL statements of a block, including BEGIN, COMMIT and savepoints.

    Use it in a test with `django_db(transaction=True)`; any other test is one transaction. The count is logged:
    `pytest --log-cli-level=INFO` shows it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(connection)
        self.name = name

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        logger.info(self.count)

    @property
    def sql(self) -> list[str]:
        """The statements in order."""
        return [query["sql"] for query in self.captured_queries]

    @property
    def inside(self) -> int:
        """Number of statements from a BEGIN to its COMMIT, both included."""
        return sum(self._are_inside())

    @property
    def count(self) -> str:
        """One line with both counts."""
        return f"{self.name}: {len(self)} statements, {self.inside} inside the write transaction"

    @property
    def listing(self) -> str:
        """The counts and the start of each statement; ">" marks those inside a transaction."""
        rows = zip(self._are_inside(), self.sql, strict=True)
        return "\n".join([self.count, *(f"{'>' if inside else ' '} {sql[:200]}" for inside, sql in rows)])

    def _are_inside(self) -> list[bool]:
        """Return for each statement whether it belongs to a transaction."""
        answers, is_open = [], False
        for sql in self.sql:
            is_open = is_open or sql.startswith("BEGIN")
            answers.append(is_open)
            is_open = is_open and sql not in ("COMMIT", "ROLLBACK")
        return answers


def count(
    client: Client, name: str, address: str, data: Any, *, status: int, headers: dict[str, str] | None = None
) -> Statements:
    """Return the statements of a posted form. Its page is opened first, so that caches of the process are filled."""
    client.get(address)
    with Statements(name) as statements:
        response = client.post(address, data, headers=headers)
    assert response.status_code == status
    return statements


def check(statements: Statements, most: int, inside: int) -> None:
    """Fail with the listing if there are more statements in the request or inside its transactions."""
    assert len(statements) <= most, statements.listing
    assert statements.inside <= inside, statements.listing
