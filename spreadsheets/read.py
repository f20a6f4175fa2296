"""Read an uploaded workbook: check it before it is opened, then read it in a separate process with limits."""

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

# Children are forked from a small server process with the reader loaded, which is fast and safe with threads.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["__main__", "spreadsheets.read_child"])
MAX_ANSWER_BYTES = 200 * MEGABYTE


@dataclass(frozen=True, kw_only=True)
class ReadSheet:
    """A sheet of a read workbook.

    Attributes:
        name: its name.
        is_hidden: whether Excel hides it.
        is_broken: whether it could not be read; it has no rows then.
        rows: its cells; row 1 is `rows[0]`, and each row ends with its last filled cell.
        merged: merged areas, such as "A3:B4".
        hidden_rows, hidden_columns: numbers, from 1.
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
    """The sheets of a workbook that was read."""

    sheets: list[ReadSheet]

    @property
    def first(self) -> ReadSheet:
        """The first sheet that is not hidden.

        Raises:
            WorkbookRefusedError: it is broken, or every sheet is hidden.
        """
        visible = [sheet for sheet in self.sheets if not sheet.is_hidden]
        if not visible or visible[0].is_broken:
            raise damaged_workbook()
        return visible[0]

    def sheet(self, name: str) -> ReadSheet | None:
        """Return the sheet with a name; None if there is none.

        Raises:
            WorkbookRefusedError: the sheet is broken.
        """
        found = next((sheet for sheet in self.sheets if sheet.name.strip() == name), None)
        if found and found.is_broken:
            raise damaged_workbook()
        return found


def read_workbook(data: bytes, name: str, *, limits: Limits = LIMITS) -> ReadWorkbook:
    """Read an uploaded workbook.

    Args:
        data: content of the file.
        name: name of the file.
        limits: limits of the workbook and of the process that reads it.

    Raises:
        WorkbookRefusedError: the workbook is refused; the message says why and what to do.
    """
    check_workbook(data, name, limits)
    return _book(_ask_child(data, limits))


def _ask_child(data: bytes, limits: Limits) -> Mapping[str, Any]:
    """Read a workbook in a child process and return its answer, see `read_child.read`."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=read_child.answer, args=(theirs, data, asdict(limits)), daemon=True)
    try:
        child.start()
        theirs.close()
        if not ours.poll(limits.seconds):
            raise WorkbookRefusedError(
                _(
                    "The workbook takes too long to read (%(seconds)s seconds). "
                    "Split it, or copy the table into a new workbook."
                )
                % {"seconds": limits.seconds}
            )
        answer = json.loads(ours.recv_bytes(MAX_ANSWER_BYTES))
    except (EOFError, OSError, ValueError) as error:
        if isinstance(error, WorkbookRefusedError):
            raise
        raise _too_large() from error  # a limit ended the child
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()
    error = answer.get("error")
    if error == "LARGE":
        raise WorkbookRefusedError(
            _(
                "Cell %(place)s has content, far from the table. "
                "Delete everything outside the table, then upload the workbook again."
            )
            % {"place": answer["place"]}
        )
    if error:
        raise _too_large() if error == "MEMORY" else damaged_workbook()
    return answer


def _too_large() -> WorkbookRefusedError:
    return WorkbookRefusedError(
        _("The workbook takes more memory or time than a table of this size needs. Copy the table into a new workbook.")
    )


def _book(answer: Mapping[str, Any]) -> ReadWorkbook:
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
            for sheet in answer["sheets"]
        ]
    )


def _cell(data: Any) -> ReadCell:
    """Return a cell from the JSON of `values._Sheet._cell_value`."""
    if data is None:
        return EMPTY_CELL
    if not isinstance(data, dict):
        return ReadCell(data)
    kind, value = next(iter(data.items()))
    if kind == "d":
        return ReadCell(datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value))
    if kind == "t":
        return ReadCell(time.fromisoformat(value))
    if kind == "p":
        return ReadCell(value, is_percent=True)
    if kind == "f":
        return ReadCell(error="FORMULA")
    return ReadCell(value, error="ERROR") if kind == "e" else ReadCell(value)
