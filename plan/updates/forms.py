"""Forms to update an action and to withdraw evidence, and the typed text of a refused form."""

import json
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assignments.access import Access
from assignments.models import Unit
from plan.evidence import kinds, storage
from plan.evidence.fields import MAX_PIECES, FilesField, LinksField
from plan.evidence.storage import StagedFile
from plan.models import ActionItem, ProgressUpdate, Status
from plan.models.status import rules_of_statuses
from plan.updates.record import ONLY_LEADS, TEXT_FIELDS, Attachment, UpdateInput
from pmqa_tracker.forms import LinesField, WriteOnceForm, with_lf
from pmqa_tracker.parsing.fields import PercentField
from pmqa_tracker.scope import own_records
from pmqa_tracker.typed_text import LabelledText
from pmqa_tracker.upload_limit import MEGABYTE

LAST_TEXTS = ("result", "problem", "next_step")  # what a report often says again


class WithdrawalForm(forms.Form):
    """Form for the reason of a withdrawal of evidence."""

    reason = LinesField()


class UpdateForm(forms.ModelForm, WriteOnceForm):
    """Form for an update of an action, with the fields that its author may write.

    Staff of a supporting unit get no status and no progress. Accepted files are staged at once (`staged`), and their
    tokens keep them if the form is shown again.
    """

    unit = forms.TypedChoiceField(
        label=_("You report for"),
        coerce=int,
        empty_value=None,
        required=False,
        error_messages={
            "invalid_choice": _("You do not report for this unit on this action. Choose one of the units offered.")
        },
    )
    files = FilesField(label=_("Files as evidence"), required=False)
    links = LinksField(
        label=_("Links as evidence, one on each line"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "inputmode": "url"}),
        help_text=_("A name may stand before the link: Minutes of the meeting https://…"),
    )

    class Meta:
        model = ProgressUpdate
        fields = ("status_to", "progress_to", *TEXT_FIELDS)
        field_classes = dict.fromkeys(TEXT_FIELDS, LinesField) | {"progress_to": PercentField}
        widgets = {name: forms.Textarea(attrs={"rows": 2}) for name in TEXT_FIELDS} | {"status_to": forms.RadioSelect}
        labels = {
            "status_to": _("Status now"),
            "progress_to": _("Progress (%)"),
            "result": _("What was done"),
            "problem": _("Problem"),
            "next_step": _("Next step"),
            "reason": _("Reason for going back or cancelling"),
        }
        help_texts = {
            "progress_to": _("0 while not started, 100 when done."),
            "result": _("Needed to report it done, unless evidence is attached."),
            "problem": _("Needed to report it blocked."),
            "next_step": "",
            "reason": _("Needed when the status or the progress goes back, or the action is cancelled."),
        }

    def __init__(
        self,
        *args: Any,
        action: ActionItem,
        access: Access,
        unit: Unit | None = None,
        last: ProgressUpdate | None = None,
        **kwargs: Any,
    ) -> None:
        """Set up.

        Args:
            *args: the posted data and files.
            action: the action to update.
            access: the access of the user.
            unit: the unit selected at first, or else `Access.default_unit`.
            last: an update whose texts are filled in, to be edited.
            **kwargs: arguments of the form.
        """
        self.action, self.access = action, access
        self.stored_version = action.version
        self.default_unit = unit.pk if unit else access.default_unit(action)
        self.owner = f"{access.user.pk}/{action.pk}"
        self.moves_status = access.may_change_status(action)
        self.staged: list[StagedFile] = []
        kwargs.setdefault("auto_id", f"id_{action.pk}_%s")  # a page may have several forms
        kwargs["initial"] = {
            **self.initial_hidden,
            "unit": self.default_unit,
            "status_to": action.status,
            "progress_to": action.progress,
            **({name: getattr(last, name) for name in LAST_TEXTS} if last else {}),
        }
        kwargs["instance"] = ProgressUpdate(
            status_from=action.status,
            progress_from=action.progress,
            status_to=action.status,
            progress_to=action.progress,
        )
        super().__init__(*args, **kwargs)
        offered = [(unit.pk, str(unit)) for unit in access.reportable_units(action)]
        if self.default_unit is None:
            offered.insert(0, ("", gettext("All lead units")))
        self.fields["unit"].choices = offered
        self.asks_unit = len(offered) > 1
        if not self.asks_unit:
            self.fields["unit"].widget = forms.HiddenInput()
        self.fields["files"].help_text = gettext("At most %(size)s MB each: %(kinds)s. Photos too.") % {
            "size": settings.PMQA_EVIDENCE_MB,
            "kinds": ", ".join(kinds.KINDS),
        }
        if self.moves_status:
            self.fields["status_to"].choices = self._choices(access)
        else:
            for name in ("status_to", "progress_to", "problem", "reason"):
                del self.fields[name]
            self.fields["result"].help_text = ""

    def _choices(self, access: Access) -> list[tuple[str, str]]:
        """Return the statuses the user may choose; only a coordinator can cancel or reopen an action."""
        if access.is_coordinator:
            return list(Status.choices)
        if self.action.status == Status.CANCELLED:
            return [(Status.CANCELLED.value, Status.CANCELLED.label)]
        return [choice for choice in Status.choices if choice[0] != Status.CANCELLED]

    @property
    def may_cancel(self) -> bool:
        """Whether the author may cancel or reopen the action."""
        return self.moves_status and len(self.fields["status_to"].choices) == len(Status)

    @property
    def rules(self) -> str:
        """The rules of all statuses as JSON, for the script of the form."""
        return json.dumps(rules_of_statuses())

    @property
    def staged_files(self) -> list[tuple[str, StagedFile]]:
        """(token, file) of each accepted file that waits until the form is recorded."""
        return [(staged.token(self.owner), staged) for staged in self.staged]

    def clean_files(self) -> None:
        """Check each file: stage those that are accepted, and report the others as errors."""
        tokens = self.data.getlist("kept") if hasattr(self.data, "getlist") else []
        self.staged = [staged for token in tokens[:MAX_PIECES] if (staged := storage.find_staged(token, self.owner))]
        refused = []
        if len(self.staged) < len(tokens[:MAX_PIECES]):
            refused.append(gettext("A file chosen earlier is no longer stored; choose it again."))
        for upload in self.cleaned_data["files"]:
            if len(self.staged) >= MAX_PIECES:
                message = gettext("“%(name)s” is left out: an update takes at most %(most)s files.")
                refused.append(message % {"name": kinds.clean_name(upload.name), "most": MAX_PIECES})
                continue
            try:
                limit = settings.PMQA_EVIDENCE_MB * MEGABYTE
                kind = kinds.identify(upload, upload.name, size=upload.size, limit=limit)
            except kinds.RefusedFileError as error:
                refused.append(str(error))
                continue
            name = kinds.clean_name(upload.name)
            self.staged.append(storage.stage(upload, original_name=name, kind=kind.name))
        if refused:
            raise ValidationError(refused)

    def clean_links(self) -> list[tuple[str, str]]:
        """Refuse more links than an update may have."""
        links = self.cleaned_data["links"]
        if len(links) > MAX_PIECES:
            raise ValidationError(gettext("An update takes at most %(most)s links.") % {"most": MAX_PIECES})
        return links

    def clean(self) -> dict[str, Any]:
        """Refuse an update without content, and a change of status by a supporting unit."""
        data = super().clean()
        if "unit" in self.errors and not self.asks_unit:
            raise ValidationError(self.fields["unit"].error_messages["invalid_choice"])
        if not self.moves_status and self.data.get("status_to", self.action.status) != self.action.status:
            raise ValidationError(ONLY_LEADS)
        evidence = bool(data.get("links") or self.staged)
        self.instance.has_evidence = evidence
        moved = data.get("status_to", self.action.status) != self.action.status or (
            data.get("progress_to", self.action.progress) != self.action.progress
        )
        if moved and self.moves_status and not self.access.may_change_status_for(self.action, self._unit_pk()):
            self.add_error("unit", ONLY_LEADS)
        has_content = any(data.get(name) for name in TEXT_FIELDS) or evidence or self.errors
        if not moved and not has_content:
            raise ValidationError(
                gettext("There is nothing to record yet: change the status or the progress, or write what was done.")
            )
        return data

    def typed_text(self) -> LabelledText:
        """Return (label, text) of what the user typed and chose, for a page that refuses the form."""
        return update_form_text(self.data, self.files, self.access.user)

    def _unit_pk(self) -> int | None:
        """Return the pk of the unit the author reports for; None for all lead units."""
        return self.cleaned_data.get("unit") or self.default_unit

    def to_input(self) -> UpdateInput:
        """Return the contents of the form; if it is invalid, the values as typed."""
        data = self.cleaned_data
        unit = self._unit_pk()
        moves_status = self.moves_status and self.access.may_change_status_for(self.action, unit)
        texts = {
            name: data[name] if name in data else with_lf(self.data.get(name)).strip()
            for name in TEXT_FIELDS
            if name in self.fields
        }
        attachments = [Attachment(title=title, link=link) for title, link in data.get("links") or ()]
        attachments += [Attachment(title=staged.original_name, file=staged) for staged in self.staged]
        return UpdateInput(
            status=data.get("status_to", self.data.get("status_to")) if moves_status else None,
            progress=data.get("progress_to", self.data.get("progress_to")) if moves_status else None,
            unit=unit,
            attachments=attachments,
            **texts,
        )


def update_form_text(posted: Any, files: Any, user: Any) -> LabelledText:
    """Return (label, text) of an update that a user posted: choices, texts, links and file names."""
    fields = UpdateForm.base_fields
    labels = {"unit": fields["unit"].label} | UpdateForm._meta.labels | {"links": fields["links"].label}
    texts = {name: with_lf(posted.get(name)).strip() for name in labels}
    texts["unit"] = _unit_label(texts["unit"], user)
    texts["status_to"] = str(dict(Status.choices).get(texts["status_to"], texts["status_to"]))
    if texts["progress_to"].isdecimal():  # other texts already contain the sign, or are not numbers
        texts["progress_to"] += " %"
    tokens = posted.getlist("kept") if hasattr(posted, "getlist") else []
    uploads = files.getlist("files") if hasattr(files, "getlist") else []
    names = [*filter(None, map(storage.original_name_in, tokens)), *(file.name for file in uploads)]
    texts["files"], labels["files"] = "\n".join(names), gettext("Files, to be chosen again")
    return [(str(labels[name]), text) for name, text in texts.items() if text]


def _unit_label(pk: str, user: Any) -> str:
    """Return the name of the unit of the user's organization with a posted pk, or ""."""
    is_pk = pk.isascii() and pk.isdecimal() and len(pk) < 19
    return str(own_records(Unit.objects.filter(pk=pk), user).first() or "") if is_pk else ""


def typed_update(request: HttpRequest) -> LabelledText:
    """Return `update_form_text` of a posted update."""
    return update_form_text(request.POST, request.FILES, request.user)


def typed_withdrawal(request: HttpRequest) -> LabelledText:
    """Return (label, text) of a posted withdrawal of evidence."""
    return [(gettext("Why is it withdrawn?"), text) for text in request.POST.getlist("reason") if text.strip()]
