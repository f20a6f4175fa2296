"""Form fields for numbers; they accept what the import accepts: ๕๐, "50 %", ร้อยละ ๕๐."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.values import LARGEST_WHOLE, parse_percent, parse_whole_number


class WholeNumberField(forms.IntegerField):
    """A whole number in a text input, because browsers refuse Thai digits in a number input."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> int | None:
        """Parse the number.

        Raises:
            ValidationError: the text is no such number; the message says what is allowed.
        """
        if value in self.empty_values or isinstance(value, int):
            return None if value in self.empty_values else value
        try:
            return self.read(str(value))
        except UnreadableError as error:
            raise ValidationError(error.message) from None

    def read(self, text: str) -> int | None:
        return parse_whole_number(ReadCell(text), least=self.min_value or 0, most=self.max_value or LARGEST_WHOLE)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "numeric", "autocomplete": "off"}


class PercentField(WholeNumberField):
    """A whole percentage from 0 to 100. Its label says so, therefore 1 means 1 %."""

    def read(self, text: str) -> int | None:
        return parse_percent(ReadCell(text, is_percent=True))
