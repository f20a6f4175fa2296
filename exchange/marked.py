"""The uploaded workbook of a refused import with its errors marked, as a download."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.utils import column_index_from_string

from exchange.jobs import StalePreviewError, is_file_stored, read_stored_file
from exchange.models import ImportJob
from spreadsheets.marked import Mark, mark_workbook


def marked_workbook(job: ImportJob, now: datetime) -> bytes:
    """Return the uploaded file of a job with a mark at each error.

    Args:
        job: a refused job with errors in its findings.
        now: the current time, aware.

    Raises:
        StalePreviewError: the file is no longer stored.
        UneditableError: the file cannot be edited without a guess at what it means.
    """
    if not is_file_stored(job, now):
        raise StalePreviewError(_("The uploaded file is no longer stored. Upload it again."))
    return mark_workbook(read_stored_file(job), [_mark(error) for error in job.findings["errors"]])


def _mark(error: Mapping[str, Any]) -> Mark:
    """The mark of an error, given as `Findings.as_json` stores it."""
    text = error["message"]
    if error["candidates"]:
        text += " " + _("Did you mean:") + " " + ", ".join(error["candidates"])
    column = column_index_from_string(error["column"]) if error["column"] else 0
    return Mark(sheet=error["sheet"], row=error["row"], column=column, text=text)
