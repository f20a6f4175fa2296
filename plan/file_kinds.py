"""Which files may be attached, and what a file is: judged by its content, never by its name alone."""

import re
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from plan.file_containers import judge_container
from plan.file_images import judge_image
from plan.file_names import clean_name, ending_of
from plan.file_refusals import MARKUP, RefusedFileError, damaged, mixed
from plan.file_texts import judge_text
from pmqa_tracker.upload_limit import MEGABYTE

__all__ = ["ACCEPT", "KINDS", "FileKind", "RefusedFileError", "clean_name", "judge"]

OPEN_XML = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
IMAGES = ("png", "jpg", "webp")
TEXTS = ("txt", "csv")
PDF_START = re.compile(rb"%PDF-[12]\.")
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """A kind of file that is kept; the first of its extensions, which are without a dot, is the usual one."""

    name: str
    label: Promise
    extensions: tuple[str, ...]
    content_type: str


def _kind(label: Promise, content_type: str, *extensions: str) -> FileKind:
    return FileKind(name=extensions[0], label=label, extensions=extensions, content_type=content_type)


KINDS: dict[str, FileKind] = {
    kind.name: kind
    for kind in (
        _kind(gettext_lazy("PDF document"), "application/pdf", "pdf"),
        _kind(gettext_lazy("Word document"), f"{OPEN_XML}.wordprocessingml.document", "docx"),
        _kind(gettext_lazy("Excel workbook"), f"{OPEN_XML}.spreadsheetml.sheet", "xlsx"),
        _kind(gettext_lazy("PowerPoint presentation"), f"{OPEN_XML}.presentationml.presentation", "pptx"),
        _kind(gettext_lazy("LibreOffice document"), f"{OPEN_DOCUMENT}.text", "odt"),
        _kind(gettext_lazy("LibreOffice spreadsheet"), f"{OPEN_DOCUMENT}.spreadsheet", "ods"),
        _kind(gettext_lazy("PNG image"), "image/png", "png"),
        _kind(gettext_lazy("JPEG image"), "image/jpeg", "jpg", "jpeg", "jpe", "jfif"),
        _kind(gettext_lazy("WebP image"), "image/webp", "webp"),
        _kind(gettext_lazy("Text file"), "text/plain", "txt"),
        _kind(gettext_lazy("CSV table"), "text/csv", "csv"),
        _kind(gettext_lazy("ZIP archive"), "application/zip", "zip"),
    )
}
ACCEPT = ",".join(f".{extension}" for kind in KINDS.values() for extension in kind.extensions)


def judge(file: BinaryIO, name: str, *, size: int, limit: int) -> FileKind:
    """The kind of a file by its content, which its name may not belie; leaves the file at its start.

    `size` is how much was sent, in bytes, of which `file` may hold less where it is more than the `limit`.

    Raises:
        RefusedFileError: the file is not kept; as a string, the reason and what to do.
    """
    name = clean_name(name)
    file.seek(0)
    if size > limit:
        raise RefusedFileError(
            _("“%(name)s” is larger than %(limit)s MB. Make it smaller, or give a link to it instead."),
            name=name,
            limit=f"{limit / MEGABYTE:.3g}",
        )
    try:
        kind = _judge_content(file, name)
    finally:
        file.seek(0)
    if not _is_told_by(name, kind):
        raise RefusedFileError(
            _(
                "“%(name)s” is not what its name says: its content is a file of the kind “%(kind)s”."
                " Give it a name that ends in .%(extension)s, or choose another file."
            ),
            name=name,
            kind=kind.label,
            extension=kind.extensions[0],
        )
    return kind


def _judge_content(file: BinaryIO, name: str) -> FileKind:
    """The kind of a file by its content; the name only tells one kind of text from the other.

    Raises:
        RefusedFileError: it is empty, of no kind that is kept, or not what a file of its kind may be.
    """
    start = file.read(1024)
    if not start:
        raise RefusedFileError(_("“%(name)s” is empty. Choose another file."), name=name)
    if start.startswith(OLD_OFFICE):
        raise RefusedFileError(
            _(
                "“%(name)s” is in an old Office format or locked with a password."
                " Save it as .docx, .xlsx or .pptx without a password and choose the new file."
            ),
            name=name,
        )
    if image := _image_kind(start):
        file.seek(0)
        judge_image(file.read(), image, name)
        return KINDS[image]
    if PDF_START.match(start):
        _judge_pdf(file, start, name)
        return KINDS["pdf"]
    if start.startswith((b"PK\3\4", b"PK\5\6")):
        kind = judge_container(file, name)
        if kind:
            return KINDS[kind]
    elif judge_text(file, name):
        return KINDS["csv" if ending_of(name) == ".csv" else "txt"]
    elif ending_of(name) in (".txt", ".csv"):
        raise RefusedFileError(
            _("“%(name)s” cannot be read as text. Save it as UTF-8 text or as a PDF and choose the new file."),
            name=name,
        )
    raise RefusedFileError(
        _("“%(name)s” has content that is not kept. Save it as one of these kinds: %(kinds)s."),
        name=name,
        kinds=", ".join(str(kind.label) for kind in KINDS.values()),
    )


def _image_kind(start: bytes) -> str | None:
    """The kind of image that begins so."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if start.startswith(b"\xff\xd8\xff"):
        return "jpg"
    return "webp" if start.startswith(b"RIFF") and start[8:12] == b"WEBP" else None


def _judge_pdf(file: BinaryIO, start: bytes, name: str) -> None:
    """See that a PDF has its end, and is nothing else besides.

    Raises:
        RefusedFileError: it is cut, or a web page or an archive too.
    """
    length = file.seek(0, 2)
    file.seek(max(0, length - 2048))
    tail = file.read()
    end = tail.rfind(b"%%EOF")
    if end < 0:
        raise damaged(name)
    if MARKUP.search(start) or MARKUP.search(tail, end) or zipfile.is_zipfile(file):
        raise mixed(name)


def _is_told_by(name: str, kind: FileKind) -> bool:
    """Whether a cleaned name says what the content is, or nothing; one image for another is what phones do."""
    ending = ending_of(name).removeprefix(".")
    if not ending:
        return kind.name != "zip"  # an unknown container is only taken for an archive where it says so
    told = next((other for other in KINDS.values() if ending in other.extensions), None)
    return told == kind or (told is not None and told.name in IMAGES and kind.name in IMAGES)
