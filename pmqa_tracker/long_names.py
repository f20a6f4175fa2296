"""Shorten file names that are too long: in the middle, so that the ending stays."""

import re
from collections.abc import Callable

MAX_NAME_BYTES = 240  # in UTF-8; file systems allow 255, and a browser adds a number to a second copy
# A letter with its marks and the vowel before or behind it, which are not cut apart.
CLUSTER = re.compile("[เ-ไ]?.[\u0300-\u036f\u0e31\u0e33-\u0e3a\u0e45\u0e47-\u0e4e\u200d\ufe0f]*", re.DOTALL)
GAP = "…"


def download_name(name: str) -> str:
    """Return a file name that fits into any file system."""
    return shorten(name, most=MAX_NAME_BYTES, size=lambda text: len(text.encode(errors="replace")))


def shorten(name: str, *, most: int, size: Callable[[str], int] = len) -> str:
    """Return `name` with a size of at most `most`: its beginning, "…", and up to a third of `most` from its end."""
    if size(name) <= most:
        return name
    clusters, head, tail = CLUSTER.findall(name), "", ""
    for part in reversed(clusters):
        if size(part + tail) > most // 3:
            break
        tail = part + tail
    for part in clusters:
        if size(f"{head}{part}{GAP}{tail}") > most:
            break
        head += part
    return f"{head.rstrip()}{GAP}{tail.lstrip()}"
