"""Counting the SQL statements of a request, all of them and those inside its write transactions."""

import logging
from types import TracebackType
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

REQUEST, TRANSACTION = 25, 12  # the most statements of an update
logger = logging.getLogger(__name__)


class Statements(CaptureQueriesContext):
    """The SQL statements of a block; BEGIN, COMMIT and savepoints count.

    Needs a test with `django_db(transaction=True)`: any other test is one transaction as a whole. The count is logged:
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
        """The statements in their order."""
        return [query["sql"] for query in self.captured_queries]

    @property
    def inside(self) -> int:
        """How many statements stand between a BEGIN and its COMMIT, both included."""
        return sum(self._are_inside())

    @property
    def count(self) -> str:
        """One line: how many statements there are."""
        return f"{self.name}: {len(self)} statements, {self.inside} inside the write transaction"

    @property
    def listing(self) -> str:
        """The count and the beginning of each statement, those inside a transaction marked with ">"."""
        rows = zip(self._are_inside(), self.sql, strict=True)
        return "\n".join([self.count, *(f"{'>' if inside else ' '} {sql[:200]}" for inside, sql in rows)])

    def _are_inside(self) -> list[bool]:
        """For each statement, whether it belongs to a transaction."""
        answers, is_open = [], False
        for sql in self.sql:
            is_open = is_open or sql.startswith("BEGIN")
            answers.append(is_open)
            is_open = is_open and sql not in ("COMMIT", "ROLLBACK")
        return answers


def count(
    client: Client, name: str, address: str, data: Any, *, status: int, headers: dict[str, str] | None = None
) -> Statements:
    """Return the statements of a posted form. Its page is opened first: whatever a process reads once is read then."""
    client.get(address)
    with Statements(name) as statements:
        response = client.post(address, data, headers=headers)
    assert response.status_code == status
    return statements


def check(statements: Statements, most: int, inside: int) -> None:
    """Fail, with the listing, where there are more statements in the request or inside its transactions."""
    assert len(statements) <= most, statements.listing
    assert statements.inside <= inside, statements.listing
