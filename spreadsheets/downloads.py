"""Files that are handed out: by a name in the reader's language, and with what a page would say above itself."""

from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.messages.storage.base import BaseStorage
from django.http import FileResponse, HttpRequest
from openpyxl import Workbook

from pmqa_tracker.long_names import download_name
from spreadsheets.properties import set_author

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook_response(book: Workbook, name: str) -> FileResponse:
    """A workbook as a download; `name` is without its ending."""
    return xlsx_response(set_author(workbook_file(book)), name)


def workbook_file(book: Workbook) -> BytesIO:
    """A workbook as a file."""
    file = BytesIO()
    book.save(file)
    return file


def save_workbook(path: Path, book: Workbook) -> None:
    """Write a workbook to a file of its own, to be handed out later."""
    path.write_bytes(set_author(workbook_file(book)).getvalue())


def xlsx_response(file: BinaryIO, name: str) -> FileResponse:
    """A file that is a workbook as a download; `name` is without its ending."""
    return FileResponse(file, as_attachment=True, filename=download_name(f"{name}.xlsx"), content_type=XLSX)


class CapturedMessages(BaseStorage):
    """The messages of one request alone; none is kept for a later page, none of an earlier one used up."""

    def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Any], bool]:
        return [], True

    def _store(self, messages: list[Any], response: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return []

    @property
    def lines(self) -> list[str]:
        """What was said so far."""
        return [str(message) for message in self._queued_messages]


def capture_messages(request: HttpRequest) -> CapturedMessages:
    """Keep what is said from now on for the file that answers the request; the next page must not say it."""
    said = CapturedMessages(request)
    request._messages = said  # type: ignore[attr-defined]
    return said
