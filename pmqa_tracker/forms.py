"""Form fields for Buddhist dates and multi-line texts, and the base form of a write that happens once."""

from datetime import date
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from pmqa_tracker import thai


class BuddhistDateField(forms.DateField):
    """A day in the Buddhist era: 15/5/2563. It also accepts a year of the Christian era."""

    widget = forms.TextInput

    def prepare_value(self, value: Any) -> Any:
        """Return the day as users type it; text that is no day stays unchanged."""
        return thai.type_date(value) if isinstance(value, date) else value

    def to_python(self, value: Any) -> date | None:
        """Parse the day.

        Raises:
            ValidationError: the text is not a day.
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
    """A form that is written only once, even if the browser posts it twice; see `pmqa_tracker.write_once`.

    The hidden field `version` is the version of the record when the page was opened; `op_id` identifies the form.

    Attributes:
        stored_version: current version of the record; set it before cleaning the form.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    op_id = forms.UUIDField(widget=forms.HiddenInput)
    stored_version: int

    @property
    def initial_hidden(self) -> dict[str, Any]:
        """Initial values of the two hidden fields."""
        return {"version": self.stored_version, "op_id": uuid4()}

    @property
    def is_intact(self) -> bool:
        """Whether both hidden fields of the bound form are valid."""
        return not WriteOnceForm.base_fields.keys() & self.errors.keys()

    @property
    def is_stale(self) -> bool:
        """Whether the record has changed since the page of the bound form was opened."""
        return "version" in self.errors or self.cleaned_data["version"] != self.stored_version


def with_new_op_id(posted: QueryDict, version: int) -> QueryDict:
    """Return posted data that can be posted again, with the current `version` and a new `op_id`."""
    data = posted.copy()
    data["version"], data["op_id"] = str(version), str(uuid4())
    return data


class LinesField(forms.CharField):
    """A text of several lines, stored with LF line ends.

    Browsers send CRLF; without this field, a form that nobody edited would count as changed.
    """

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return super().to_python(with_lf(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(with_lf(initial).strip(), data)


def with_lf(text: Any) -> str:
    """Return a text with LF line ends; "" for None."""
    return "" if text is None else str(text).replace("\r\n", "\n").replace("\r", "\n")
