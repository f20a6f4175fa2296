"""Form fields for evidence: links, one per line, and files, which the form checks one by one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from plan.evidence import kinds
from pmqa_tracker.forms import LinesField

MAX_PIECES = 10  # pieces of evidence with one update
TITLE_LENGTH = 300
LINK_LENGTH = 1000


class FilesInput(forms.ClearableFileInput):
    """A file input for several files of the accepted kinds."""

    allow_multiple_selected = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": kinds.ACCEPTED_EXTENSIONS, **(attrs or {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """All files posted under the name."""
        return files.getlist(name) if hasattr(files, "getlist") else []


class FilesField(forms.Field):
    """Uploads as they are posted; the form checks each, so that a bad file does not lose the good ones."""

    widget = FilesInput


class LinksField(LinesField):
    """Links, one per line, each after its title if it has one: "รายงานการประชุม https://…"."""

    def clean(self, value: Any) -> list[tuple[str, str]]:
        """(title, link) of each line; a link without a title is its own.

        Raises:
            ValidationError: a line holds no link; the message quotes each such line.
        """
        found, wrong = [], []
        for line in super().clean(value).splitlines():
            if not line.strip():
                continue
            *words, last = line.split()
            try:
                link = forms.URLField(max_length=LINK_LENGTH, assume_scheme="https").clean(last)
            except ValidationError:
                message = _("“%(line)s” holds no link; end the line with an address that begins with https://")
                wrong.append(ValidationError(message, params={"line": line.strip()[:120]}))
            else:
                found.append((" ".join(words)[:TITLE_LENGTH] or link.split("://", 1)[-1][:TITLE_LENGTH], link))
        if wrong:
            raise ValidationError(wrong)
        return found
