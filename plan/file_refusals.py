"""How a file is refused: by its name, in one sentence that says what to do."""

import re
from typing import Any

from django.utils.translation import gettext as _

MARKUP = re.compile(
    rb"<(?:html|script|svg|iframe|body|object|embed)[\s>/]|<!doctype|<\?php", re.IGNORECASE
)  # what a browser or a server would run, in the parts of a file that are no text


class RefusedFileError(ValueError):
    """A file that is not kept. As a string it is a translated sentence with the cleaned name of the file."""

    def __init__(self, sentence: str, *, name: str, **words: Any) -> None:
        super().__init__(sentence % {"name": name, **words})


def damaged(name: str) -> RefusedFileError:
    """The refusal of a file that does not keep to its own format."""
    return RefusedFileError(
        _("“%(name)s” is damaged or incomplete. Open it, save it again and choose the new file."), name=name
    )


def mixed(name: str) -> RefusedFileError:
    """The refusal of a file that is of two kinds at once, or has something hidden before or behind it."""
    return RefusedFileError(
        _("“%(name)s” has other content hidden in it. Save it again in its own program, or choose another file."),
        name=name,
    )
