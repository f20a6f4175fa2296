"""Check images as evidence: complete, limited in size, and without other content after their end."""

import re
import struct
import zipfile
from io import BytesIO

from django.utils.translation import gettext_lazy as _
from PIL import Image, PngImagePlugin

from plan.evidence.refusals import DAMAGED, HIDDEN_CONTENT, MARKUP, RefusedFileError
from pmqa_tracker.upload_limit import MEGABYTE

MAX_PIXELS = 100_000_000
MAX_NOTES = 16  # metadata segments of up to 64 KB; Pillow reads them all
MAX_PARTS = 50_000  # chunks or segments; an ordinary file of 25 MB has some thousands
END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # the marker that ends the compressed data of a JPEG

# Pillow warns above this limit, and raises above twice the limit.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
PngImagePlugin.MAX_TEXT_MEMORY = 8 * MEGABYTE


def check_image(content: bytes, kind: str) -> None:
    """Check that the content is one image of this kind ("png", "jpg" or "webp").

    Raises:
        RefusedFileError: it is damaged, has too many pixels, or has other content after its end.
    """
    try:
        end = FIND_END[kind](content)
    except (struct.error, IndexError, ValueError) as error:
        raise RefusedFileError(DAMAGED) from error
    if MARKUP.search(content, end) or zipfile.is_zipfile(BytesIO(content)):
        raise RefusedFileError(HIDDEN_CONTENT)
    try:
        with Image.open(BytesIO(content), formats=["JPEG" if kind == "jpg" else kind.upper()]) as image:
            pixels = image.width * image.height
            if pixels <= MAX_PIXELS:
                image.verify()
    except Image.DecompressionBombError:
        pixels = MAX_PIXELS + 1
    except Exception as error:  # a decoder raises anything on a broken image
        raise RefusedFileError(DAMAGED) from error
    if pixels > MAX_PIXELS:
        raise RefusedFileError(
            _("“%(name)s” is an image of more than %(limit)d million pixels. Save it smaller and choose the new file."),
            limit=MAX_PIXELS // 1_000_000,
        )


def _png_end(content: bytes) -> int:
    """Return the position where a PNG ends, by its chunks. Raises ValueError, IndexError or struct.error if damaged."""
    at = 8
    for _chunk in range(MAX_PARTS):
        length, kind = struct.unpack_from(">L4s", content, at)
        at += 12 + length
        if kind == b"IEND" and at <= len(content):
            return at
    raise ValueError("too many chunks")


def _jpg_end(content: bytes) -> int:
    """Return the position where a JPEG ends, by its segments. Raises as `_png_end`."""
    at, notes = 2, 0
    for _segment in range(MAX_PARTS):
        while content[at] == content[at + 1] == 0xFF:  # markers may be padded
            at += 1
        if content[at] != 0xFF:
            raise ValueError("no marker")
        marker = content[at + 1]
        at += 2
        if marker == 0xD9:
            return at
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a segment
            continue
        notes += content.startswith((b"Exif\0", b"Photoshop "), at + 2)
        if notes > MAX_NOTES:
            raise ValueError("too many notes")
        (length,) = struct.unpack_from(">H", content, at)
        at += length
        if marker == 0xDA:
            found = END_OF_SCAN.search(content, at)
            if not found:
                raise ValueError("no end")
            at = found.start()
    raise ValueError("too many segments")


def _webp_end(content: bytes) -> int:
    """Return the position where a WebP ends, by the length in its header. Raises as `_png_end`."""
    (length,) = struct.unpack_from("<L", content, 4)
    if 8 + length > len(content):
        raise ValueError("cut")
    return 8 + length


FIND_END = {"png": _png_end, "jpg": _jpg_end, "webp": _webp_end}
