"""Workbooks as downloads, and messages that go into the file instead of the next page."""

from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.messages.storage.base import BaseStorage
from django.http import FileResponse, HttpRequest
from django.utils.translation import gettext as _
from openpyxl import Workbook

from pmqa_tracker.long_names import download_name
from spreadsheets.formulas import result_changes
from spreadsheets.properties import set_author

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook_response(book: Workbook, name: str) -> FileResponse:
    """Return a workbook as a download; `name` is without the extension."""
    return xlsx_response(finished_workbook(book), name)


def workbook_file(book: Workbook) -> BytesIO:
    """Return a workbook as an open file."""
    file = BytesIO()
    book.save(file)
    return file


def finished_workbook(book: Workbook) -> BytesIO:
    """Return a workbook as a file for a download: with the site as its author and the results of its formulas."""
    return set_author(workbook_file(book), result_changes(book))


def workbook_bytes(book: Workbook) -> bytes:
    """Return the content of a workbook's file, for a mail or an archive."""
    return finished_workbook(book).getvalue()


def save_workbook(path: Path, book: Workbook) -> None:
    """Write a workbook to a file, for a later download."""
    path.write_bytes(workbook_bytes(book))


def xlsx_response(file: BinaryIO, name: str) -> FileResponse:
    """Return an xlsx file as a download; `name` is without the extension."""
    return FileResponse(file, as_attachment=True, filename=download_name(f"{name}.xlsx"), content_type=XLSX)


def marked_response(data: bytes, uploaded_name: str) -> FileResponse:
    """Return an uploaded workbook with marked errors as a download that no cache keeps."""
    name = _("%(file)s with marked errors") % {"file": Path(uploaded_name).stem}
    response = xlsx_response(BytesIO(data), name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


class CapturedMessages(BaseStorage):
    """Message storage of one request; it neither keeps messages for later pages nor consumes earlier ones."""

    def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Any], bool]:
        return [], True

    def _store(self, messages: list[Any], response: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return []

    @property
    def lines(self) -> list[str]:
        """The texts of the messages so far."""
        return [str(message) for message in self._queued_messages]


def capture_messages(request: HttpRequest) -> CapturedMessages:
    """Collect the messages of this request for the downloaded file, so that the next page does not show them."""
    captured = CapturedMessages(request)
    request._messages = captured  # type: ignore[attr-defined]
    return captured
