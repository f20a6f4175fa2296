"""Load the site's templates without the spaces that only make them readable: an eighth of each page."""

import re

from django.conf import settings
from django.template import Origin
from django.template.loaders.filesystem import Loader as FilesystemLoader

BLOCKS = (
    "block", "elif", "else", "empty", "endblock", "endfor", "endif", "endonce", "endpartialdef", "endwith", "extends",
    "for", "if", "load", "once", "partialdef", "with",
)  # fmt: skip
TAG = rf"{{% (?:{'|'.join(BLOCKS)})\b(?:(?!%}}).)*%}}|{{#(?:(?!#}}).)*#}}"
LINE_OF_TAGS = re.compile(rf"^((?:(?:{TAG}) *)+)\n", re.MULTILINE)  # comments too: it prints nothing itself


class Loader(FilesystemLoader):
    """Django's loader; while debugging, templates stay as they are, so that errors name the right line.

    A line break stays where it separates words or elements, so a page looks the same.
    """

    def get_contents(self, origin: Origin) -> str:
        """Return the source of a template."""
        source = super().get_contents(origin)
        return source if settings.DEBUG or not origin.name.endswith(".html") else without_indentation(source)


def without_indentation(source: str) -> str:
    """Remove the spaces at the start of lines, and the end of lines that print nothing."""
    return LINE_OF_TAGS.sub(r"\1", re.sub(r"^[ \t]+|^\n", "", source, flags=re.MULTILINE))
