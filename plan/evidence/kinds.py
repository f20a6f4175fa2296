"""Kinds of files that are accepted as evidence. The content identifies the kind; the extension must match it.

A signature library such as puremagic would not help: it looks at the first bytes only, so it cannot tell zip files,
Word, Excel and PowerPoint apart, and does not recognize text. Most of the work here is to refuse hidden content.
"""

import re
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from plan.evidence.containers import identify_container
from plan.evidence.images import check_image
from plan.evidence.names import clean_name, extension_of
from plan.evidence.refusals import DAMAGED, EMPTY, HIDDEN_CONTENT, MARKUP, RefusedFileError
from plan.evidence.texts import is_text
from pmqa_tracker.upload_limit import MEGABYTE
from spreadsheets.parts import OLE_START

__all__ = ["ACCEPTED_EXTENSIONS", "KINDS", "FileKind", "RefusedFileError", "clean_name", "identify"]

OPEN_XML = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
IMAGES = {
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
# Photos of an iPhone; its camera writes the brand of the file after the word "ftyp".
HEIC = re.compile(rb".{4}ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", re.DOTALL)
PDF = re.compile(rb"%PDF-[12]\.")
ZIP = (b"PK\3\4", b"PK\5\6")


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """An accepted kind of file. Extensions have no dot; the first is the usual one and the name of the kind."""

    label: Promise
    content_type: str
    extensions: tuple[str, ...]

    @property
    def name(self) -> str:
        """The usual extension, such as "pdf"."""
        return self.extensions[0]


KINDS: dict[str, FileKind] = {
    extensions[0]: FileKind(label=label, content_type=content_type, extensions=tuple(extensions))
    for label, content_type, *extensions in (
        (_("PDF document"), "application/pdf", "pdf"),
        (_("Word document"), f"{OPEN_XML}.wordprocessingml.document", "docx"),
        (_("Excel workbook"), f"{OPEN_XML}.spreadsheetml.sheet", "xlsx"),
        (_("PowerPoint presentation"), f"{OPEN_XML}.presentationml.presentation", "pptx"),
        (_("LibreOffice document"), f"{OPEN_DOCUMENT}.text", "odt"),
        (_("LibreOffice spreadsheet"), f"{OPEN_DOCUMENT}.spreadsheet", "ods"),
        (_("PNG image"), "image/png", "png"),
        (_("JPEG image"), "image/jpeg", "jpg", "jpeg", "jpe", "jfif"),
        (_("WebP image"), "image/webp", "webp"),
        (_("Text file"), "text/plain", "txt"),
        (_("CSV table"), "text/csv", "csv"),
        (_("ZIP archive"), "application/zip", "zip"),
    )
}
ACCEPTED_EXTENSIONS = ",".join(f".{extension}" for kind in KINDS.values() for extension in kind.extensions)


def identify(file: BinaryIO, name: str, *, size: int, limit: int) -> FileKind:
    """Return the kind of a file by its content; its name must match. Leaves the file at its start.

    Args:
        file: the content, or only its first `limit` bytes.
        name: as the user sent it.
        size: of the whole content, in bytes.
        limit: the largest size that is accepted.

    Raises:
        RefusedFileError: the file is not accepted; as a string, the reason and what to do.
    """
    name = clean_name(name)
    file.seek(0)
    try:
        if size > limit:
            raise RefusedFileError(
                _("“%(name)s” is larger than %(limit)s MB. Make it smaller, or give a link to it instead."),
                limit=f"{limit / MEGABYTE:.3g}",
            )
        kind = _identify_content(file, extension_of(name))
        if not _agrees(extension_of(name), kind):
            raise RefusedFileError(
                _(
                    "“%(name)s” is not what its name says: its content is a file of the kind “%(kind)s”."
                    " Give it a name that ends in .%(extension)s, or choose another file."
                ),
                kind=kind.label,
                extension=kind.name,
            )
    except RefusedFileError as refusal:
        refusal.values["name"] = name
        raise
    finally:
        file.seek(0)
    return kind


def _identify_content(file: BinaryIO, extension: str) -> FileKind:
    """Return the kind of a file by its content; the extension only tells CSV from other text.

    Raises:
        RefusedFileError: it is empty, of another kind, or contains what its kind must not.
    """
    start = file.read(1024)
    if not start:
        raise RefusedFileError(EMPTY)
    if start.startswith(OLE_START):
        raise RefusedFileError(
            _(
                "“%(name)s” is in an old Office format or locked with a password."
                " Save it as .docx, .xlsx or .pptx without a password and choose the new file."
            )
        )
    if image := next((kind for kind, pattern in IMAGES.items() if pattern.match(start)), None):
        file.seek(0)
        check_image(file.read(), image)
        return KINDS[image]
    if PDF.match(start):
        _check_pdf(file, start)
        return KINDS["pdf"]
    if HEIC.match(start):
        raise RefusedFileError(
            _(
                "“%(name)s” is a photo in the format HEIC, which many computers cannot open. Save it as JPEG; or on the"
                " iPhone choose Settings > Camera > Formats > Most Compatible and take it again."
            )
        )
    if start.startswith(ZIP):
        if kind := identify_container(file):
            return KINDS[kind]
    elif is_text(file):
        return KINDS["csv" if extension == ".csv" else "txt"]
    elif extension in (".txt", ".csv"):
        raise RefusedFileError(
            _("“%(name)s” cannot be read as text. Save it as UTF-8 text or as a PDF and choose the new file.")
        )
    raise RefusedFileError(
        _("“%(name)s” has content that is not accepted. Save it as one of these kinds: %(kinds)s."),
        kinds=", ".join(str(kind.label) for kind in KINDS.values()),
    )


def _check_pdf(file: BinaryIO, start: bytes) -> None:
    """Check that a PDF is complete, and not a web page or an archive at the same time.

    Raises:
        RefusedFileError: it is incomplete, or something else as well.
    """
    length = file.seek(0, 2)
    file.seek(max(0, length - 2048))
    tail = file.read()
    end = tail.rfind(b"%%EOF")
    if end < 0:
        raise RefusedFileError(DAMAGED)
    if MARKUP.search(start) or MARKUP.search(tail, end) or zipfile.is_zipfile(file):
        raise RefusedFileError(HIDDEN_CONTENT)


def _agrees(extension: str, kind: FileKind) -> bool:
    """Return whether an extension matches a kind. Images match each other (phones mix them up); "" all but "zip"."""
    if not extension:
        return kind != KINDS["zip"]
    named = next((each for each in KINDS.values() if extension[1:] in each.extensions), None)
    return named == kind or (named is not None and named.name in IMAGES and kind.name in IMAGES)
