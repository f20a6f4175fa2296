"""Forms to send a submission and to review it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from plan.models import ActionItem, Plan
from pmqa_tracker.forms import LinesField, WriteOnceForm
from pmqa_tracker.typed_text import LabelledText
from submissions.page import SubmissionRow

SEND, ACCEPT, RETURN = "send", "accept", "return"
REASON = "reason_"


class SubmissionStepForm(WriteOnceForm):
    """Base of the forms for a step of a submission: a note."""

    note = LinesField(required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: Any = None, *, version: int, user: Any = None, **kwargs: Any) -> None:
        """Set up; `user` is the user who posted `data`."""
        self.stored_version, self.user = version, user
        super().__init__(data, initial=self.initial_hidden, **kwargs)

    def typed_text(self) -> LabelledText:
        """Return (label, text) of the typed text, for a page that refuses the form and shows the text."""
        return step_form_text(self.data, self.user)

    def orphaned_reasons(self) -> LabelledText:
        """Return the typed text that no field shows: reasons for actions that are no longer in the submission."""
        return step_form_text({name: self.data[name] for name in self.data if name not in self.fields}, self.user)


def step_form_text(posted: Mapping[str, Any], user: Any) -> LabelledText:
    """Return (label, text) of a step that a user posted: note, reason of each action, and confirmation if ticked."""
    pks = {name: name.removeprefix(REASON) for name in posted if name.startswith(REASON)}
    pks = {name: int(pk) for name, pk in pks.items() if pk.isascii() and pk.isdecimal() and len(pk) < 19}
    actions = ActionItem.objects.filter(plan__in=Plan.objects.visible_to(user), pk__in=pks.values())
    refs = dict(actions.values_list("pk", "ref")) if pks else {}
    labels = {name: _("What is to be corrected in %(ref)s") % {"ref": refs.get(pk, "")} for name, pk in pks.items()}
    labels |= {"note": _("Note"), "confirm": _("Send it although actions were not updated")}
    texts = {name: posted.get(name, "") for name in posted if name in labels}
    if texts.get("confirm"):
        texts["confirm"] = _("yes")
    return [(str(labels[name]), str(text)) for name, text in texts.items() if text.strip()]


def typed_step(request: HttpRequest) -> LabelledText:
    """Return `step_form_text` of a posted step."""
    return step_form_text(request.POST, request.user)


class SendForm(SubmissionStepForm):
    """Form to send a submission. If actions need an update, the sender confirms to send it without."""

    def __init__(self, *args: Any, waiting: Sequence[SubmissionRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].label = _("Note to the coordinator (may be left empty)")
        if waiting:
            self.fields["confirm"] = forms.BooleanField(
                widget=forms.CheckboxInput(attrs={"autocomplete": "off"}),
                label=ngettext(
                    "Send it although %(count)s action was not updated",
                    "Send it although %(count)s actions were not updated",
                    len(waiting),
                )
                % {"count": len(waiting)},
                error_messages={
                    "required": _("Update the actions listed above, or tick here to send the report as it is.")
                },
            )


class ReviewForm(SubmissionStepForm):
    """Form to accept a submission or to return it, with a reason field for each action."""

    def __init__(self, *args: Any, rows: Sequence[SubmissionRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].label = _("Note to the unit (may be left empty)")
        self.fields_at: dict[int, str] = {}
        for row in rows:
            self.fields[f"{REASON}{row.action.pk}"] = LinesField(
                label=_("What is to be corrected in %(ref)s") % {"ref": row.action.ref},
                required=False,
                widget=forms.Textarea(attrs={"rows": 2, "form": "review"}),
            )
            self.fields_at[row.action.pk] = f"{REASON}{row.action.pk}"

    def at(self, action_pk: int) -> Any:
        """Return the reason field of an action, or "" if it has none."""
        return self[self.fields_at[action_pk]] if action_pk in self.fields_at else ""

    def clean(self) -> dict[str, Any]:
        """Refuse to accept with reasons, and to return without reasons."""
        data = super().clean()
        if self.data.get("do") not in (ACCEPT, RETURN):
            self.add_error(None, _("Press one of the two buttons: accept or return."))
        if self.data.get("do") == ACCEPT and self.reasons():
            self.add_error(
                None, _("You wrote what is to be corrected: return the report, or empty those fields to accept it.")
            )
        if self.data.get("do") == RETURN and not self.reasons() and not self.errors:
            self.add_error(None, _("To return the report, write what is to be corrected at one or more actions."))
        return data

    def reasons(self) -> dict[int, str]:
        """Return action pk → reason of each returned action."""
        return {pk: reason for pk, name in self.fields_at.items() if (reason := self.cleaned_data.get(name, ""))}
