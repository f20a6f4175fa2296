"""The error for a file that is refused as evidence, and its most common messages."""

import re
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MARKUP = re.compile(
    rb"<(?:html|script|svg|iframe|body|object|embed)[\s>/]|<!doctype|<\?php", re.IGNORECASE
)  # code that a browser or a server would run; searched outside the text of a file

EMPTY = _("“%(name)s” is empty. Choose another file.")
DAMAGED = _("“%(name)s” is damaged or incomplete. Open it, save it again and choose the new file.")
HIDDEN_CONTENT = _(
    "“%(name)s” has other content hidden in it. Save it again in its own program, or choose another file."
)
LOCKED = _("“%(name)s” is locked with a password. Save it without one and choose the new file.")


class RefusedFileError(ValueError):
    """A file is not accepted as evidence. As a string: what is wrong and what to do.

    `identify` adds the name of the file to the values.
    """

    def __init__(self, sentence: str | Promise, **values: Any) -> None:
        super().__init__(sentence)
        self.sentence, self.values = sentence, values

    def __str__(self) -> str:
        return str(self.sentence) % self.values
