"""Check plain text as evidence: Unicode or Thai Windows (cp874), without scripts or web pages."""

import codecs
import re
import string
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from plan.evidence.refusals import RefusedFileError

PIECE_BYTES = 256 * 1024
OVERLAP = 32  # characters kept from the piece before, longer than any searched text
CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
BLANK_CHARACTERS = string.whitespace + "\u00a0\u200b\u2060\u3000\ufeff"
CODE = re.compile(r"<(?:html|script|svg|iframe|body|object|embed|!doctype|\?php)|\+adw")  # +adw is the < of UTF-7
CODE_AT_START = re.compile(r"<[a-z!?/%]|#!|%!|@echo|\[internetshortcut")
OTHER_FORMATS = ("%pdf", "{\\rtf", "mime-version:")  # other formats whose files look like text

# Thai Windows (cp874): letters are A1–DA and DF–FB; a mark follows a consonant or another mark.
NOT_THAI = bytes([*range(0x80, 0xA1), *range(0xDB, 0xDF), *range(0xFC, 0x100)])
CONSONANTS = bytes(range(0xA1, 0xCF))
CP874_MARKS = bytes([0xD1, *range(0xD4, 0xDB), *range(0xE7, 0xEF)])
LETTER_TYPES = bytes(
    ord("m") if each in CP874_MARKS else ord("c") if each in CONSONANTS else ord("-") for each in range(256)
)
ASCII = bytes(range(128))
MAX_ODD_SHARE = 0.1  # of the bytes that are not ASCII


def is_text(file: BinaryIO) -> bool:
    """Return whether the content of a file is text; moves the position in the file.

    Raises:
        RefusedFileError: it is a web page or a script.
    """
    file.seek(0)
    if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _decodes(file, "utf-16")
    return _decodes(file, "utf-8-sig") or (_decodes(file, "cp874") and _is_thai(file))


def _decodes(file: BinaryIO, encoding: str) -> bool:
    """Return whether the file decodes in this encoding, without control characters.

    Raises:
        RefusedFileError: as `is_text`.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    before, is_blank = "", True
    file.seek(0)
    while True:
        piece = file.read(PIECE_BYTES)
        try:
            text = before + decoder.decode(piece, final=not piece)
        except UnicodeError:
            return False
        lower = text.lower()
        start = lower.lstrip(BLANK_CHARACTERS) if is_blank else ""
        if CONTROL_CHARACTERS.search(text) or start.startswith(OTHER_FORMATS):
            return False
        if CODE_AT_START.match(start) or CODE.search(lower):
            raise RefusedFileError(
                _("“%(name)s” holds code, such as a web page or a script. Save it as a PDF and choose that file.")
            )
        if not piece:
            return True
        is_blank = is_blank and not start
        before = text[-OVERLAP:]


def _is_thai(file: BinaryIO) -> bool:
    """Return whether nearly all bytes outside ASCII are Thai letters in cp874, with marks only where allowed."""
    not_ascii = odd = 0
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        not_ascii += len(piece.translate(None, ASCII))
        odd += len(piece) - len(piece.translate(None, NOT_THAI)) + piece.translate(LETTER_TYPES).count(b"-m")
    return odd <= not_ascii * MAX_ODD_SHARE
