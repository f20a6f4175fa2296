"""Form with the filters of the audit."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from operations.audit.read import AuditFilter
from operations.audit.sources import offered_sources
from pmqa_tracker import thai
from pmqa_tracker.forms import BuddhistDateField

SHOWN_DAYS = 30  # without a filter


class AuditForm(forms.Form):
    """Filters of the audit; a page that is opened without them shows the last days."""

    person = forms.CharField(label=_("Person"), required=False, max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    about = forms.CharField(label=_("About"), required=False, max_length=200)
    since = BuddhistDateField(label=_("From day"), required=False)
    until = BuddhistDateField(label=_("To day"), required=False)

    def __init__(self, query: Any, *, user: Any, today: date) -> None:
        is_filtered = any(name in query for name in self.base_fields)
        super().__init__(query if is_filtered else {"since": thai.type_date(today - timedelta(days=SHOWN_DAYS))})
        self.fields["kind"].choices = [("", _("All kinds")), *offered_sources(user)]
        self.fields["about"].help_text = _("Such as 2562-2563 or 1.2.1-A-3")

    @property
    def chosen(self) -> AuditFilter:
        """The filters that are filled in correctly."""
        self.full_clean()
        return AuditFilter(**{name: value for name, value in self.cleaned_data.items() if value})

    def describe(self) -> list[str]:
        """Return the filters in words, for the workbook."""
        return [f"{field.label}: {field.value()}" for field in self if field.value() and field.name not in self.errors]
