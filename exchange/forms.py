"""The form that brings a workbook in."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assignments.models import Unit
from pmqa_tracker.typed_text import LabelledText, file_names
from spreadsheets.read import LIMITS

MEGABYTE = 1024 * 1024


class WorkbookUploadForm(forms.Form):
    """A workbook, and whose it is where the file does not say so itself."""

    file = forms.FileField(
        label=_("Workbook (.xlsx)"),
        error_messages={
            "required": _("Choose the file first."),
            "empty": _("The file is empty (0 bytes). Save it again in Excel, then upload it."),
        },
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )
    unit = forms.ModelChoiceField(
        label=_("Whose sheet it is"),
        queryset=Unit.objects.divisions().active().in_order(),
        to_field_name="abbreviation",
        required=False,
        empty_label=_("As the file says"),
        help_text=_(
            "Choose a unit where its rows were copied into another file; "
            "then only its actions and their progress change."
        ),
    )

    def __init__(self, *args: Any, is_new_plan: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_new_plan:
            del self.fields["unit"]
            self.cleaned_data = {}

    def clean_file(self) -> Any:
        """Refuse what is too large before any of it is read."""
        file = self.cleaned_data["file"]
        most = min(LIMITS.megabytes, settings.PMQA_EVIDENCE_MB)
        if file.size > most * MEGABYTE:
            raise ValidationError(
                _(
                    "“%(name)s” has %(size).1f MB; a workbook may have %(most)s MB. "
                    "Remove pictures and other sheets from it."
                ),
                params={"name": file.name, "size": file.size / MEGABYTE, "most": most},
            )
        return file

    def data_of_file(self) -> bytes:
        """The bytes of the file."""
        file = self.cleaned_data["file"]
        file.seek(0)
        return file.read()


def typed_upload(request: HttpRequest) -> LabelledText:
    """(label, text) of a posted upload: the unit that was chosen and the name of the file."""
    label = WorkbookUploadForm.base_fields["unit"].label
    return [*((str(label), unit) for unit in request.POST.getlist("unit") if unit), *file_names(request)]


def typed_sides(request: HttpRequest) -> LabelledText:
    """(label, text) of the conflicts of a posted import for which the file's side was chosen."""
    rows = [name.removeprefix("side-") for name, side in request.POST.items() if side == "file"]
    return [(gettext("Rows for which the file's values were chosen"), ", ".join(rows))] if rows else []
