"""Check an uploaded workbook before it is opened: its size, its real type, and its unpacked size.

The check reads the directory of the zip file and streams the parts; it never builds a part in memory.
"""

import codecs
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.upload_limit import MEGABYTE
from spreadsheets.parts import OLE_START, Parts
from spreadsheets.safe_zip import UnsafeZipError, ZipLimits, ZipProblem, open_zip

PIECE_BYTES = 64 * 1024
ZIP_START = b"PK\x03\x04"
ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
FORBIDDEN = re.compile(rb"<!DOCTYPE|<!ENTITY", re.IGNORECASE)
TAGS = {
    kind: re.compile(rb"<(?:[^\s<>/:]+:)?(?:%s)[\s>/]" % names)
    for kind, names in {
        "rows": b"row", "cells": b"c", "merges": b"mergeCell", "strings": b"si", "styles": b"xf",
        "rules": b"cfRule|dataValidation|conditionalFormatting|hyperlink|col", "names": b"definedName",
        "sheets": b"sheet",
    }.items()
}  # fmt: skip
COUNTED = {
    "workbook": ("names", "sheets"), "sheet": ("rows", "cells", "merges", "rules"), "strings": ("strings",),
    "styles": ("styles",),
}  # fmt: skip
UTF_16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
OLD_EXCEL = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")  # Excel before 1997
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
OVERLAP = 32  # bytes kept of the previous piece, because a tag may span two pieces

LOCKED = _("The workbook needs a password to open. Remove the password, save the workbook, then upload it.")
OLD_KIND = _("This is a workbook in the old format (.xls). Open it in Excel and save it as Excel Workbook (.xlsx).")
NO_WORKBOOK = _("This is not an Excel workbook (.xlsx). Upload the file exported by this site, filled in with Excel.")
BOMB = _("The workbook unpacks to far more than it should and was not opened. Copy the table into a new workbook.")
DAMAGED = _("The file is damaged and cannot be read. Open it in Excel, save it again as .xlsx, then upload it.")


class WorkbookRefusedError(ValueError):
    """A workbook is refused; the message says what is wrong and what to do."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(str(sentence))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a workbook and of the process that reads it.

    Attributes:
        megabytes: size of the file.
        unpacked_megabytes: total size of its unpacked parts.
        ratio: unpacked bytes per packed byte of a part, if it unpacks to more than a quarter of a megabyte.
        parts, sheets, columns, cells, merges, rules, strings, styles, names: number of each.
        rows: number of rows of one sheet; a data sheet has its rows once more in a hidden sheet.
        seconds, memory_megabytes: for the process that reads the workbook.
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
        """The limits for `open_zip`."""
        return ZipLimits(
            entries=self.parts,
            unpacked=self.unpacked_megabytes * MEGABYTE,
            ratio=self.ratio,
            ratio_from=MEGABYTE // 4,
            is_ratio_per_entry=True,
        )


LIMITS = Limits()


def check_workbook(data: bytes, name: str, limits: Limits) -> None:
    """Check an uploaded file before it is opened.

    Raises:
        WorkbookRefusedError: the file is no workbook, is unsafe, or exceeds the limits.
    """
    if not data:
        raise WorkbookRefusedError(_("The file is empty. Save it again in Excel, then upload it."))
    if len(data) > limits.megabytes * MEGABYTE:
        raise WorkbookRefusedError(
            _("The file is larger than %(most)s MB. Remove pictures and sheets that are not needed.")
            % {"most": limits.megabytes}
        )
    if not data.startswith(ZIP_START):
        raise WorkbookRefusedError(_describe(data))
    try:
        with open_zip(BytesIO(data), limits.of_zip) as archive:
            parts = Parts(archive)
            _check_kind(parts, name)
            _check_content(parts, limits)
    except WorkbookRefusedError:
        raise
    except UnsafeZipError as error:
        sentence = {ZipProblem.TOO_LARGE: BOMB, ZipProblem.ENCRYPTED: LOCKED}.get(error.problem, DAMAGED)
        raise WorkbookRefusedError(sentence) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, KeyError):
        raise damaged_workbook() from None


def damaged_workbook() -> WorkbookRefusedError:
    """Return the error for a damaged file."""
    return WorkbookRefusedError(DAMAGED)


def _describe(data: bytes) -> Promise:
    """Return the message for a file that is not a zip file: what it is, and what to do."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if data.startswith(OLE_START):
        return LOCKED if ENCRYPTED_PART in data else OLD_KIND
    if start.startswith(b"%pdf"):
        return _("This is a PDF, not a workbook. Upload the Excel file (.xlsx) it was made from.")
    if start.startswith((b"<html", b"<!doctype html", b"<?xml", b"<table", b"<meta", b"mime-version:")):
        return _(
            "This is a web page or XML saved as a workbook. Open it in Excel and save it as Excel Workbook (.xlsx)."
        )
    if data.startswith(OLD_EXCEL):
        return OLD_KIND
    if data.startswith(BYTE_ORDER_MARKS) or not CONTROL.search(data[:4096]):  # text in any code page
        return _("This is a text file, such as CSV. Open it in Excel and save it as Excel Workbook (.xlsx).")
    return NO_WORKBOOK


def _check_kind(parts: Parts, name: str) -> None:
    """Refuse a zip file that is no workbook, or one with macros."""
    if b"opendocument" in parts.start_of("mimetype"):
        raise WorkbookRefusedError(
            _("This is an OpenDocument file (.ods). Save it as Excel Workbook (.xlsx), then upload it.")
        )
    main = parts.main_part
    if main and (main.casefold().endswith(".bin") or "sheet.binary" in parts.type_of(main)):
        raise WorkbookRefusedError(
            _("This is a binary workbook (.xlsb). Save it as Excel Workbook (.xlsx), then upload it.")
        )
    if main is None or not parts.worksheets:
        raise WorkbookRefusedError(NO_WORKBOOK)
    if parts.has_macros() or Path(name).suffix.lower() in (".xlsm", ".xltm"):
        raise WorkbookRefusedError(_("The workbook holds macros. Save it as Excel Workbook (.xlsx) without macros."))


def _check_content(parts: Parts, limits: Limits) -> None:
    """Unpack each required part piece by piece, and count the rows, cells and other elements in it."""
    counts = dict.fromkeys(TAGS, 0)
    for kind, name in parts.required_parts():
        before, counts["rows"] = b"", 0
        for piece in _pieces(parts, name):
            text = before + piece
            if FORBIDDEN.search(text):
                raise WorkbookRefusedError(
                    _(
                        "The workbook contains parts that Excel does not write, and was not opened. "
                        "Copy the table into a new workbook."
                    )
                )
            for each in COUNTED[kind]:  # only tags that end in this piece
                counts[each] += sum(1 for match in TAGS[each].finditer(text) if match.end() > len(before))
            before = text[-OVERLAP:]
        over = next((kind for kind, count in counts.items() if count > getattr(limits, kind)), "")
        if over:
            raise WorkbookRefusedError(_too_many(over, limits))


def _pieces(parts: Parts, name: str) -> Iterator[bytes]:
    """Yield a part piece by piece; convert UTF-16 to UTF-8."""
    with parts.open(parts.entry(name)) as part:
        piece = part.read(PIECE_BYTES)
        encoding = UTF_16.get(piece[:2])
        decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        while piece:
            yield decoder.decode(piece).encode("utf-8", "replace") if decoder else piece
            piece = part.read(PIECE_BYTES)


def _too_many(kind: str, limits: Limits) -> str | Promise:
    """Return the message for a workbook with too many elements of a kind."""
    if kind == "sheets":
        return _("The workbook has more than %(most)s sheets. Leave only those of the form.") % {"most": limits.sheets}
    if kind in ("rows", "cells"):
        return _("The workbook has more than %(rows)s rows or %(cells)s cells. Split it, or delete the empty rows.") % {
            "rows": limits.rows, "cells": limits.cells,
        }  # fmt: skip
    return _("The workbook holds far more formatting than a table needs. Copy the table into a new workbook.")
