"""Clean the names of uploaded files, for display and download."""

import re
import unicodedata

from pmqa_tracker.long_names import shorten

MAX_LENGTH = 200  # characters; a download may need fewer, see `pmqa_tracker.long_names.download_name`
EXTENSION = re.compile(r"\.(?=[^.]*[a-z])[a-z0-9]{1,12}$", re.IGNORECASE)
INVISIBLE = ("Cc", "Cf", "Cs")  # control characters, zero-width and direction marks, surrogates
NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]')
DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)


def clean_name(name: str) -> str:
    """Return a safe file name: the last part of the path, visible characters in NFC, at most 200 characters.

    A longer name is shortened in its middle. The result is never empty.
    """
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(letter for letter in last if letter.isspace() or unicodedata.category(letter) not in INVISIBLE)
    plain = NOT_ON_WINDOWS.sub("_", " ".join(unicodedata.normalize("NFC", visible).split())).strip(". ")
    if DEVICE.match(plain):
        plain = f"_{plain}"
    return shorten(plain, most=MAX_LENGTH) or "file"


def extension_of(name: str) -> str:
    """Return the extension of a clean name in lower case, such as ".pdf", or "" as for "no. 2.2563"."""
    found = EXTENSION.search(name)
    return found.group().lower() if found else ""
