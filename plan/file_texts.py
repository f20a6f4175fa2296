"""Judges plain text: in Unicode or as Thai offices wrote before it, and nothing that a machine would run."""

import codecs
import re
import string
from typing import BinaryIO

from django.utils.translation import gettext as _

from plan.file_refusals import RefusedFileError

PIECE = 256 * 1024  # bytes
OVERLAP = 32  # characters of the piece before, longer than any word looked for
CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
BLANK = string.whitespace + "\u00a0\u200b\u2060\u3000\ufeff"
RUNS_ANYWHERE = ("<html", "<script", "<svg", "<iframe", "<body", "<object", "<embed", "<!doctype", "<?php", "+adw")
RUNS_AT_START = re.compile(r"<[a-z!?/%]|#!|%!|@echo|\[internetshortcut")  # +adw above is the < of UTF-7
OTHER_AT_START = ("%pdf", "{\\rtf", "mime-version:")  # other kinds that are written in letters too

# Thai Windows (cp874): letters are A1–DA and DF–FB; a mark above or below stands on a consonant or another mark.
NOT_THAI = bytes([*range(0x80, 0xA1), *range(0xDB, 0xDF), *range(0xFC, 0x100)])
CONSONANTS = bytes(range(0xA1, 0xCF))
MARKS = bytes([0xD1, *range(0xD4, 0xDB), *range(0xE7, 0xEF)])
ROLES = bytes(ord("m") if each in MARKS else ord("c") if each in CONSONANTS else ord("-") for each in range(256))
ASCII = bytes(range(128))
ODD_SHARE = 0.1  # of the bytes that are not ASCII


def judge_text(file: BinaryIO, name: str) -> bool:
    """Whether the content of a file is text; leaves the file anywhere.

    Raises:
        RefusedFileError: it is text, but a web page or a script.
    """
    file.seek(0)
    start = file.read(3)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _is_text(file, "utf-16", name)
    return _is_text(file, "utf-8-sig", name) or (_is_text(file, "cp874", name) and _is_thai(file))


def _is_text(file: BinaryIO, encoding: str, name: str) -> bool:
    """Whether the file decodes and holds no control characters, read piece by piece.

    Raises:
        RefusedFileError: as `judge_text`.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    before, is_blank = "", True
    file.seek(0)
    while True:
        piece = file.read(PIECE)
        try:
            text = before + decoder.decode(piece, final=not piece)
        except UnicodeError:
            return False
        lower = text.lower()
        start = lower.lstrip(BLANK) if is_blank else ""
        if CONTROL.search(text) or start.startswith(OTHER_AT_START):
            return False
        if RUNS_AT_START.match(start) or any(each in lower for each in RUNS_ANYWHERE):
            raise RefusedFileError(
                _("“%(name)s” holds code, such as a web page or a script. Save it as a PDF and choose that file."),
                name=name,
            )
        if not piece:
            return True
        is_blank = is_blank and not start
        before = text[-OVERLAP:]


def _is_thai(file: BinaryIO) -> bool:
    """Whether nearly all that is not ASCII are Thai letters of the Windows code page, standing where they may."""
    not_ascii = odd = 0
    file.seek(0)
    while piece := file.read(PIECE):
        not_ascii += len(piece.translate(None, ASCII))
        odd += len(piece) - len(piece.translate(None, NOT_THAI)) + piece.translate(ROLES).count(b"-m")
    return odd <= not_ascii * ODD_SHARE
