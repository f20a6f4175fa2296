"""What staff fill in: the update of an action."""

from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from assignments.access import Access
from plan.models import ActionItem, ProgressUpdate, Status
from plan.progress import Attachment, Report

WORDS = ("result", "problem", "next_step", "reason")


class UpdateForm(forms.ModelForm):
    """One update of one action, as far as its author may write it.

    A supporting unit's staff get no status and no progress. `version` and `op_id` are what was on the page when it
    was opened: the first tells a stale form, the second makes two copies of one submission one update.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    op_id = forms.UUIDField(widget=forms.HiddenInput)
    evidence_title = forms.CharField(label=_("Name of the evidence"), max_length=300, required=False)
    evidence_link = forms.URLField(
        label=_("Link to the evidence"), max_length=1000, required=False, assume_scheme="https"
    )

    class Meta:
        model = ProgressUpdate
        fields = ("status_to", "progress_to", *WORDS)
        widgets = {name: forms.Textarea(attrs={"rows": 2}) for name in WORDS} | {
            "status_to": forms.RadioSelect,
            "progress_to": forms.NumberInput(attrs={"min": 0, "max": 100, "step": 1, "inputmode": "numeric"}),
        }
        labels = {
            "status_to": _("Status now"),
            "progress_to": _("Progress (%)"),
            "result": _("What was done"),
            "problem": _("Problem"),
            "next_step": _("Next step"),
            "reason": _("Reason for going back or cancelling"),
        }

    def __init__(self, *args: Any, action: ActionItem, access: Access, **kwargs: Any) -> None:
        self.action = action
        self.moves_status = access.may_change_status(action)
        kwargs["initial"] = {
            "version": action.version,
            "op_id": uuid4(),
            "status_to": action.status,
            "progress_to": action.progress,
        }
        kwargs["instance"] = ProgressUpdate(
            status_from=action.status,
            progress_from=action.progress,
            status_to=action.status,
            progress_to=action.progress,
        )
        super().__init__(*args, **kwargs)
        if self.moves_status:
            self.fields["status_to"].choices = self._choices(access)
        else:
            for name in ("status_to", "progress_to", "problem", "reason"):
                del self.fields[name]

    def _choices(self, access: Access) -> list[tuple[str, str]]:
        """The statuses this person may choose: cancelling, and taking up again, is the coordinator's."""
        if access.is_coordinator:
            return list(Status.choices)
        if self.action.status == Status.CANCELLED:
            return [(Status.CANCELLED.value, Status.CANCELLED.label)]
        return [choice for choice in Status.choices if choice[0] != Status.CANCELLED]

    def clean(self) -> dict[str, Any]:
        """Refuse an update that tells nothing, and evidence with a name but no link."""
        data = super().clean()
        if data.get("evidence_title") and not data.get("evidence_link") and "evidence_link" not in self.errors:
            self.add_error("evidence_link", _("Give the link of the evidence you named."))
        if not self.moves_status and self.data.get("status_to", self.action.status) != self.action.status:
            raise ValidationError(
                _("Only a lead unit changes the status; a supporting unit adds results and evidence.")
            )
        self.instance.has_evidence = bool(data.get("evidence_link"))
        moved = data.get("status_to", self.action.status) != self.action.status or (
            data.get("progress_to", self.action.progress) != self.action.progress
        )
        told = any(data.get(name) for name in WORDS) or data.get("evidence_link") or self.errors
        if not moved and not told:
            raise ValidationError(_("Nothing was told yet: change the status or the progress, or write what was done."))
        return data

    def typed_words(self) -> list[tuple[str, str]]:
        """Label and text of whatever was written, for a page that cannot take it but must not lose it."""
        labels = self._meta.labels | {"evidence_link": _("Link to the evidence")}
        return [(labels[name], self.data[name]) for name in (*WORDS, "evidence_link") if self.data.get(name)]

    def report(self) -> Report:
        """What a valid form tells."""
        data = self.cleaned_data
        link = data["evidence_link"]
        attachments = (Attachment(title=data["evidence_title"] or link[:300], link=link),) if link else ()
        return Report(
            status=data.get("status_to"),
            progress=data.get("progress_to"),
            attachments=attachments,
            **{name: data.get(name, "") for name in WORDS},
        )
