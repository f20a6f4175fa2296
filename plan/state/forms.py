"""Form to open, close or reopen a plan."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from plan.models import Plan
from plan.state.steps import PlanMove
from pmqa_tracker.forms import LinesField, WriteOnceForm
from pmqa_tracker.typed_text import LabelledText


class PlanStepForm(WriteOnceForm):
    """A note for the history of the plan; reopening needs one."""

    note = LinesField(label=_("Note"), max_length=2_000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: Any = None, *, plan: Plan, move: PlanMove) -> None:
        self.stored_version = plan.version
        super().__init__(data, initial=self.initial_hidden)
        self.fields["note"].required = move.needs_note
        self.fields["note"].help_text = _("Everybody who sees the plan reads it in its history.")
        if move.needs_note:
            self.fields["note"].label = _("Why it is reopened")


def typed_note(request: HttpRequest) -> LabelledText:
    """Return (label, text) of the posted note, for a page that refuses the form."""
    note = request.POST.get("note", "").strip()
    return [(gettext("Note"), note)] if note else []
