"""Taking in a workbook from outside: looked at before it is opened, then read in a process with limits."""

import json
import multiprocessing
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils.translation import gettext as _

from pmqa_tracker.parsing.cell import EMPTY_CELL, ReadCell
from spreadsheets import read_child
from spreadsheets.inspect import LIMITS, MEGABYTE, Limits, WorkbookRefusedError, check_workbook, damaged_workbook

__all__ = ["LIMITS", "Limits", "ReadSheet", "ReadWorkbook", "WorkbookRefusedError", "read_workbook"]

# Children are forked off a small server process that has the reader loaded: quick, and safe beside threads.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["__main__", "spreadsheets.read_child"])
MAX_ANSWER_BYTES = 200 * MEGABYTE


@dataclass(frozen=True, kw_only=True)
class ReadSheet:
    """A sheet as it was read.

    Attributes:
        name: its name.
        is_hidden: whether people see it.
        is_broken: whether it could not be read; it matters only to whoever needs it.
        rows: its cells; row 1 is `rows[0]`, and each ends with its last filled cell.
        merged: areas made one, such as "A3:B4".
        hidden_rows, hidden_columns: numbers, counted from 1.
    """

    name: str
    is_hidden: bool
    rows: list[list[ReadCell]]
    merged: tuple[str, ...]
    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]
    is_broken: bool = False


@dataclass(frozen=True, kw_only=True)
class ReadWorkbook:
    """A workbook as it was read."""

    sheets: list[ReadSheet]

    @property
    def first(self) -> ReadSheet:
        """The first sheet that people see.

        Raises:
            WorkbookRefusedError: it cannot be read, or there is none.
        """
        shown = [sheet for sheet in self.sheets if not sheet.is_hidden]
        if not shown or shown[0].is_broken:
            raise damaged_workbook()
        return shown[0]

    def sheet(self, name: str) -> ReadSheet | None:
        """The sheet with a name; None where there is none.

        Raises:
            WorkbookRefusedError: it is there and cannot be read.
        """
        found = next((sheet for sheet in self.sheets if sheet.name.strip() == name), None)
        if found and found.is_broken:
            raise damaged_workbook()
        return found


def read_workbook(data: bytes, name: str, *, limits: Limits = LIMITS) -> ReadWorkbook:
    """Read an uploaded workbook.

    Args:
        data: the file.
        name: what it is called.
        limits: what it may be and may take.

    Raises:
        WorkbookRefusedError: it is not taken; the message says why and what to do.
    """
    check_workbook(data, name, limits)
    return _book(_ask_child(data, limits))


def _ask_child(data: bytes, limits: Limits) -> Mapping[str, Any]:
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=read_child.answer, args=(theirs, data, asdict(limits)), daemon=True)
    try:
        child.start()
        theirs.close()
        if not ours.poll(limits.seconds):
            raise WorkbookRefusedError(
                _(
                    "The workbook takes too long to read (%(seconds)s seconds). "
                    "Split it, or copy the table into a new one."
                )
                % {"seconds": limits.seconds}
            )
        told = json.loads(ours.recv_bytes(MAX_ANSWER_BYTES))
    except (EOFError, OSError, ValueError) as error:
        if isinstance(error, WorkbookRefusedError):
            raise
        raise _too_large() from error  # it was ended by its limits
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()
    error = told.get("error")
    if error == "LARGE":
        raise WorkbookRefusedError(
            _(
                "Something stands at %(place)s, far from the table. "
                "Delete what is beyond the table, then upload it again."
            )
            % {"place": told["place"]}
        )
    if error:
        raise _too_large() if error == "MEMORY" else damaged_workbook()
    return told


def _too_large() -> WorkbookRefusedError:
    return WorkbookRefusedError(
        _("The workbook takes more memory or time than a table of this size needs. Copy the table into a new workbook.")
    )


def _book(told: Mapping[str, Any]) -> ReadWorkbook:
    return ReadWorkbook(
        sheets=[
            ReadSheet(
                name=sheet["name"],
                is_hidden=sheet["hidden"],
                is_broken=sheet["broken"],
                rows=[[_cell(cell) for cell in row] for row in sheet["rows"]],
                merged=tuple(sheet["merged"]),
                hidden_rows=frozenset(sheet["hidden_rows"]),
                hidden_columns=frozenset(sheet["hidden_columns"]),
            )
            for sheet in told["sheets"]
        ]
    )


def _cell(told: Any) -> ReadCell:
    """A cell as the child told it."""
    if told is None:
        return EMPTY_CELL
    if not isinstance(told, dict):
        return ReadCell(told)
    kind, value = next(iter(told.items()))
    if kind == "d":
        return ReadCell(datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value))
    if kind == "t":
        return ReadCell(time.fromisoformat(value))
    if kind == "p":
        return ReadCell(value, is_percent=True)
    if kind == "f":
        return ReadCell(error="FORMULA")
    return ReadCell(value, error="ERROR") if kind == "e" else ReadCell(value)
