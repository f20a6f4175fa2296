"""Names of files as people send them, made safe to show and to send back."""

import re
import unicodedata

from pmqa_tracker.long_names import shorten

LONGEST = 200  # characters; its download may need a shorter one, `pmqa_tracker.long_names.download_name`
ENDING = re.compile(r"\.(?=[^.]*[a-z])[a-z0-9]{1,12}$", re.IGNORECASE)
UNSEEN = ("Cc", "Cf", "Cs")  # control, zero-width and direction marks, halves of a character
NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]')
DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)


def clean_name(name: str) -> str:
    """A name to show and to store under: the last part of a path, nothing unseen in it, at most 200 characters.

    It is in NFC, loses its middle where it is too long, and is never empty.
    """
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(each for each in last if each.isspace() or unicodedata.category(each) not in UNSEEN)
    plain = NOT_ON_WINDOWS.sub("_", " ".join(unicodedata.normalize("NFC", seen).split())).strip(". ")
    if DEVICE.match(plain):
        plain = f"_{plain}"
    return shorten(plain, most=LONGEST) or "file"


def ending_of(name: str) -> str:
    """The ending of a cleaned name in lower case, ".pdf"; nothing where it has none, as in "no. 2.2563"."""
    found = ENDING.search(name)
    return found.group().lower() if found else ""
