"""Fields of forms that people here fill in."""

from datetime import date
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from pmqa_tracker import thai


class BuddhistDateField(forms.DateField):
    """A day shown and typed in the Buddhist era: 15/5/2563. A year of the Christian era is understood too."""

    widget = forms.TextInput

    def prepare_value(self, value: Any) -> Any:
        """The day as it is typed; what was typed and is no day stays as it was."""
        return thai.type_date(value) if isinstance(value, date) else value

    def to_python(self, value: Any) -> date | None:
        """The day.

        Raises:
            ValidationError: what was typed is not a day.
        """
        if value in self.empty_values or isinstance(value, date):
            return value or None
        try:
            return thai.parse_date(value)
        except ValueError:
            raise ValidationError(
                _("“%(value)s” is not a day; write it like 15/5/2563, 15/5/63 or 15 พ.ค. 2563."),
                params={"value": value},
            ) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True


class WriteOnceForm(forms.Form):
    """A form whose submission is written once; see `pmqa_tracker.write_once`.

    `version` is that of the record when the page was opened, `op_id` names this submission.

    Attributes:
        stored_version: of the record now, set before the form is cleaned.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    op_id = forms.UUIDField(widget=forms.HiddenInput)
    stored_version: int

    @property
    def initial_hidden(self) -> dict[str, Any]:
        """The initial values of the two hidden fields."""
        return {"version": self.stored_version, "op_id": uuid4()}

    @property
    def is_intact(self) -> bool:
        """Whether both hidden fields of the bound form arrived as they were sent out."""
        return not WriteOnceForm.base_fields.keys() & self.errors.keys()

    @property
    def is_stale(self) -> bool:
        """Whether the record has changed since the page of the bound form was opened."""
        return "version" in self.errors or self.cleaned_data["version"] != self.stored_version


def with_new_op_id(posted: QueryDict, version: int) -> QueryDict:
    """Return what was typed, to be sent again: for the version there is now, as a submission of its own."""
    data = posted.copy()
    data["version"], data["op_id"] = str(version), str(uuid4())
    return data


class LinesField(forms.CharField):
    """A text of several lines, kept with LF line ends.

    A browser sends CRLF for what it was shown as LF: without this, a form nobody touched would be a change.
    """

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return super().to_python(with_lf(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(with_lf(initial).strip(), data)


def with_lf(text: Any) -> str:
    """A text, or nothing, with LF line ends."""
    return "" if text is None else str(text).replace("\r\n", "\n").replace("\r", "\n")
