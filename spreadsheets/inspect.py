"""What is asked of an uploaded workbook before anything opens it: its size, what it really is, what it unpacks to.

Only the directory of the zip and a bounded stream of its parts are looked at; no tree of any part is built here.
"""

import codecs
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from django.utils.translation import gettext as _

from spreadsheets.parts import OLE, Parts
from spreadsheets.safe_zip import UnsafeZipError, ZipLimits, ZipProblem, open_zip

MEGABYTE = 1024 * 1024
CHUNK = 64 * 1024
PACKED = b"PK\x03\x04"
ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
FORBIDDEN = re.compile(rb"<!DOCTYPE|<!ENTITY", re.IGNORECASE)
TAGS = {
    "rows": re.compile(rb"<(?:[^\s<>/:]+:)?row[\s>/]"),
    "cells": re.compile(rb"<(?:[^\s<>/:]+:)?c[\s>/]"),
    "merges": re.compile(rb"<(?:[^\s<>/:]+:)?mergeCell[\s>/]"),
    "rules": re.compile(rb"<(?:[^\s<>/:]+:)?(?:cfRule|dataValidation|conditionalFormatting|hyperlink|col)[\s>/]"),
    "strings": re.compile(rb"<(?:[^\s<>/:]+:)?si[\s>/]"),
    "styles": re.compile(rb"<(?:[^\s<>/:]+:)?xf[\s>/]"),
    "names": re.compile(rb"<(?:[^\s<>/:]+:)?definedName[\s>/]"),
    "sheets": re.compile(rb"<(?:[^\s<>/:]+:)?sheet\s"),
}
COUNTED = {
    "workbook": ("names", "sheets"), "sheet": ("rows", "cells", "merges", "rules"), "strings": ("strings",),
    "styles": ("styles",),
}  # fmt: skip
TWO_BYTES = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
OLD_STARTS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")  # Excel before 1997
TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
TAIL = 32  # bytes of a chunk looked at again with the next: a tag may lie across


class WorkbookRefusedError(ValueError):
    """A workbook that is not taken; the message is one sentence: what is wrong and what to do."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a workbook may be.

    Attributes:
        megabytes: of the file; `unpacked_megabytes` of all its parts.
        ratio: how many times larger than packed a part may be, from a quarter of a megabyte on.
        parts, sheets, rows, columns, cells, merges, rules, strings, styles, names: how many there may be.
        seconds, memory_megabytes: what reading it may take.
    """

    megabytes: int = 10
    unpacked_megabytes: int = 80
    ratio: int = 150
    parts: int = 500
    sheets: int = 60
    rows: int = 10_000
    columns: int = 120
    cells: int = 400_000
    merges: int = 20_000
    rules: int = 20_000
    strings: int = 400_000
    styles: int = 20_000
    names: int = 2_000
    seconds: int = 60
    memory_megabytes: int = 768

    @property
    def of_zip(self) -> ZipLimits:
        """The limits of the zip file that a workbook is."""
        return ZipLimits(
            entries=self.parts,
            unpacked=self.unpacked_megabytes * MEGABYTE,
            ratio=self.ratio,
            ratio_from=MEGABYTE // 4,
            is_ratio_per_entry=True,
        )


LIMITS = Limits()


def check(data: bytes, name: str, limits: Limits) -> None:
    """Look at a file before it is opened.

    Raises:
        WorkbookRefusedError: it is no workbook, or too much of one.
    """
    if not data:
        raise WorkbookRefusedError(_("The file is empty. Save it again in Excel, then upload it."))
    if len(data) > limits.megabytes * MEGABYTE:
        raise WorkbookRefusedError(
            _("The file is larger than %(most)s MB. Remove pictures and sheets that are not needed.")
            % {"most": limits.megabytes}
        )
    if not data.startswith(PACKED):
        raise WorkbookRefusedError(_what_it_is(data))
    try:
        with open_zip(BytesIO(data), limits.of_zip) as archive:
            parts = Parts(archive)
            _check_kind(parts, name)
            _check_content(parts, limits)
    except WorkbookRefusedError:
        raise
    except UnsafeZipError as error:
        raise _refusal_of(error.problem) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, KeyError):
        raise damaged() from None


def damaged() -> WorkbookRefusedError:
    """For a file that is broken."""
    return WorkbookRefusedError(
        _("The file is damaged and cannot be read. Open it in Excel, save it again as .xlsx, then upload it.")
    )


def _what_it_is(data: bytes) -> str:
    """What a file is that is no .xlsx, and what to do."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if data.startswith(OLE):
        if ENCRYPTED_PART in data:
            return str(_locked())
        return _("This is a workbook of the old kind (.xls). Open it in Excel and save it as Excel Workbook (.xlsx).")
    if start.startswith(b"%pdf"):
        return _("This is a PDF, not a workbook. Upload the Excel file (.xlsx) it was made from.")
    if start.startswith((b"<html", b"<!doctype html", b"<?xml", b"<table", b"<meta", b"mime-version:")):
        return _(
            "This is a web page or XML saved as a workbook. Open it in Excel and save it as Excel Workbook (.xlsx)."
        )
    if data.startswith(OLD_STARTS):
        return _("This is a workbook of the old kind (.xls). Open it in Excel and save it as Excel Workbook (.xlsx).")
    is_text = data.startswith(TEXT_MARKS) or not CONTROL.search(data[:4096])  # in whatever code page
    if is_text:
        return _("This is a text file, such as CSV. Open it in Excel and save it as Excel Workbook (.xlsx).")
    return _("This is no Excel workbook (.xlsx). Upload the file exported by this site, filled in with Excel.")


def _refusal_of(problem: ZipProblem) -> WorkbookRefusedError:
    """The refusal of a workbook that is unsafe to unpack."""
    if problem in (ZipProblem.TOO_LARGE, ZipProblem.OVERLAP):
        return WorkbookRefusedError(
            _("The workbook unpacks to far more than it should and was not opened. Copy the table into a new workbook.")
        )
    return _locked() if problem == ZipProblem.ENCRYPTED else damaged()


def _locked() -> WorkbookRefusedError:
    return WorkbookRefusedError(
        _("The workbook is protected by a password to open it. Remove the password, save it, then upload it.")
    )


def _check_kind(parts: Parts, name: str) -> None:
    """Refuse what is a zip but no workbook without macros."""
    if b"opendocument" in parts.begins("mimetype"):
        raise WorkbookRefusedError(
            _("This is an OpenDocument file (.ods). Save it as Excel Workbook (.xlsx), then upload it.")
        )
    book = parts.workbook
    if book and (book.casefold().endswith(".bin") or "sheet.binary" in parts.type_of(book)):
        raise WorkbookRefusedError(
            _("This is a binary workbook (.xlsb). Save it as Excel Workbook (.xlsx), then upload it.")
        )
    if book is None or not parts.worksheets:
        raise WorkbookRefusedError(
            _("This is no Excel workbook (.xlsx). Upload the file exported by this site, filled in with Excel.")
        )
    if parts.has_macros() or Path(name).suffix.lower() in (".xlsm", ".xltm"):
        raise WorkbookRefusedError(_("The workbook holds macros. Save it as Excel Workbook (.xlsx) without macros."))


def _check_content(parts: Parts, limits: Limits) -> None:
    """Unpack each part that will be read in pieces, never all of it, and count what would have to be built of it."""
    counts = dict.fromkeys(TAGS, 0)
    for kind, name in parts.needed():
        tail = b""
        for chunk in _pieces(parts, name):
            text = tail + chunk
            if FORBIDDEN.search(text):
                raise WorkbookRefusedError(
                    _(
                        "The workbook holds parts that Excel does not write, and was not opened. "
                        "Copy the table into a new one."
                    )
                )
            for each in COUNTED[kind]:
                # Tags that begin in the new bytes of a piece or lie across its beginning.
                counts[each] += sum(1 for match in TAGS[each].finditer(text) if match.end() > len(tail))
            tail = text[-TAIL:]
        over = next((kind for kind, count in counts.items() if count > getattr(limits, kind)), "")
        if over:
            raise WorkbookRefusedError(_too_many(over, limits))


def _pieces(parts: Parts, name: str) -> Iterator[bytes]:
    """A part in pieces; what is written with two bytes a letter as the other parts are."""
    with parts.archive.open(parts.entry(name)) as part:
        chunk = part.read(CHUNK)
        encoding = TWO_BYTES.get(chunk[:2])
        decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        while chunk:
            yield decoder.decode(chunk).encode("utf-8", "replace") if decoder else chunk
            chunk = part.read(CHUNK)


def _too_many(kind: str, limits: Limits) -> str:
    if kind == "sheets":
        return _("The workbook has more than %(most)s sheets. Leave only those of the form.") % {"most": limits.sheets}
    if kind in ("rows", "cells"):
        return _("The workbook has more than %(rows)s rows or %(cells)s cells. Split it, or delete the empty rows.") % {
            "rows": limits.rows, "cells": limits.cells,
        }  # fmt: skip
    return _("The workbook holds far more formatting than a table needs. Copy the table into a new workbook.")
