"""Names of files that are too long for where they go: shortened in their middle, never in their ending."""

import re
from collections.abc import Callable

MAX_NAME_BYTES = 240  # of UTF-8: file systems allow 255, and a browser adds to the name of a second copy
# A letter with the marks on it, and the vowel before or behind it: what is not cut in two.
CLUSTER = re.compile("[เ-ไ]?.[\u0300-\u036f\u0e31\u0e33-\u0e3a\u0e45\u0e47-\u0e4e\u200d\ufe0f]*", re.DOTALL)
GAP = "…"


def download_name(name: str) -> str:
    """A name of a file as any file system takes it."""
    return shorten(name, most=MAX_NAME_BYTES, size=lambda text: len(text.encode(errors="replace")))


def shorten(name: str, *, most: int, size: Callable[[str], int] = len) -> str:
    """A name of at most `most` (by `size`): its beginning, "…", and the last third with its ending."""
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
