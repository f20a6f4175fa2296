"""Form fields for evidence: several files, and links with one per line."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from plan.evidence import kinds
from pmqa_tracker.forms import LinesField

MAX_PIECES = 10  # files in one update, and links
TITLE_LENGTH = 300
LINK_LENGTH = 1000


class FilesInput(forms.ClearableFileInput):
    """A file input for several files of the accepted kinds."""

    allow_multiple_selected = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": kinds.ACCEPTED_EXTENSIONS, **(attrs or {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """Return all files posted under the name."""
        return files.getlist(name) if hasattr(files, "getlist") else []


class FilesField(forms.Field):
    """The uploaded files, unchecked; the form checks each, so that one bad file does not discard the others."""

    widget = FilesInput


class LinksField(LinesField):
    """Links, one per line, each with an optional title before it: "รายงานการประชุม https://…"."""

    def clean(self, value: Any) -> list[tuple[str, str]]:
        """Return (title, link) per line; the title defaults to the link.

        Raises:
            ValidationError: a line has no link; the message quotes each such line.
        """
        found, wrong = [], []
        for line in super().clean(value).splitlines():
            if not line.strip():
                continue
            *title, last = line.split()
            try:
                link = forms.URLField(max_length=LINK_LENGTH, assume_scheme="https").clean(last)
            except ValidationError:
                message = _("“%(line)s” holds no link; end the line with an address that begins with https://")
                wrong.append(ValidationError(message, params={"line": line.strip()[:120]}))
            else:
                found.append((" ".join(title)[:TITLE_LENGTH] or link.split("://", 1)[-1][:TITLE_LENGTH], link))
        if wrong:
            raise ValidationError(wrong)
        return found
