"""Fields of the form for evidence: links, a line each, and files, which are judged one by one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from plan.evidence import kinds
from pmqa_tracker.forms import LinesField

MOST = 10  # pieces of evidence with one update
TITLE_LENGTH = 300
LINK_LENGTH = 1000


class FilesInput(forms.ClearableFileInput):
    """The choice of several files, of the kinds that are accepted."""

    allow_multiple_selected = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": kinds.ACCEPT, **(attrs or {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """Every file that came under the name."""
        return files.getlist(name) if hasattr(files, "getlist") else []


class FilesField(forms.Field):
    """Uploads as they came; the form judges them, so that one bad file does not lose the good ones."""

    widget = FilesInput


class LinksField(LinesField):
    """Links, a line each, with their name before them if they have one: "รายงานการประชุม https://…"."""

    def clean(self, value: Any) -> list[tuple[str, str]]:
        """(name, link) of each line; the link is the name where none was given.

        Raises:
            ValidationError: a line holds no link; each such line is named.
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
