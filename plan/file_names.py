"""Names of files as people send them, made safe to show and to send back."""

import re
import unicodedata

LONGEST = 150  # characters
LONGEST_BYTES = 240  # of UTF-8: file systems allow 255, and storage may add to the name
ENDING = re.compile(r"\.(?=[^.]*[a-z])[a-z0-9]{1,12}$", re.IGNORECASE)
UNSEEN = ("Cc", "Cf", "Cs")  # control, zero-width and direction marks, halves of a character
NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]')
DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)


def clean_name(name: str) -> str:
    """A name to show and to store under: the last part of a path, nothing unseen in it, at most 150 characters.

    It is in NFC, keeps its ending when it is cut, and is never empty.
    """
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(each for each in last if each.isspace() or unicodedata.category(each) not in UNSEEN)
    plain = NOT_ON_WINDOWS.sub("_", " ".join(unicodedata.normalize("NFC", seen).split())).strip(". ")
    if DEVICE.match(plain):
        plain = f"_{plain}"
    return _cut(plain).strip(". ") or "file"


def ending_of(name: str) -> str:
    """The ending of a cleaned name in lower case, ".pdf"; nothing where it has none, as in "no. 2.2563"."""
    found = ENDING.search(name)
    return found.group().lower() if found else ""


def _cut(name: str) -> str:
    """The name within its limits; the stem is cut, and not between a letter and the marks on it."""
    ending = ENDING.search(name)
    tail = ending.group() if ending else ""
    stem = name[: len(name) - len(tail)]
    end = min(len(stem), LONGEST - len(tail))
    end = len(stem[:end].encode()[: LONGEST_BYTES - len(tail)].decode(errors="ignore"))
    while 0 < end < len(stem) and (unicodedata.category(stem[end]).startswith("M") or stem[end] == "\u0e33"):
        end -= 1
    return stem[:end] + tail
