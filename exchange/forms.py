"""Upload form of a workbook."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assignments.models import Unit
from plan.models import Plan
from pmqa_tracker.typed_text import LabelledText, file_names
from pmqa_tracker.upload_limit import MEGABYTE
from spreadsheets.read import LIMITS


class WorkbookUploadForm(forms.Form):
    """A workbook, and the unit it belongs to if the file does not name one."""

    file = forms.FileField(
        label=_("Workbook (.xlsx)"),
        error_messages={
            "required": _("Choose the file first."),
            "empty": _("The file is empty (0 bytes). Save it again in Excel, then upload it."),
        },
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )
    unit = forms.ModelChoiceField(
        label=_("Unit of the sheet"),
        queryset=Unit.objects.none(),
        to_field_name="abbreviation",
        required=False,
        empty_label=_("As in the file"),
        help_text=_(
            "Choose a unit if its rows were copied into another file. Then only the progress of its actions changes."
        ),
    )

    def __init__(self, *args: Any, plan: Plan | None, **kwargs: Any) -> None:
        """Set up for a data sheet of the plan; without one, for the workbook of a new plan."""
        super().__init__(*args, **kwargs)
        if plan is None:
            del self.fields["unit"]
            self.cleaned_data = {}
        else:
            self.fields["unit"].queryset = plan.organization.units.divisions().active().in_order()

    def clean_file(self) -> Any:
        """Refuse a file that is too large before reading it."""
        file = self.cleaned_data["file"]
        limit = min(LIMITS.megabytes, settings.PMQA_EVIDENCE_MB)
        if file.size > limit * MEGABYTE:
            raise ValidationError(
                _(
                    "“%(name)s” has %(size).1f MB; a workbook may have %(most)s MB. "
                    "Remove pictures and other sheets from it."
                ),
                params={"name": file.name, "size": file.size / MEGABYTE, "most": limit},
            )
        return file

    def data_of_file(self) -> bytes:
        """The bytes of the file."""
        file = self.cleaned_data["file"]
        file.seek(0)
        return file.read()


def typed_upload(request: HttpRequest) -> LabelledText:
    """(label, text) of a posted upload: the chosen unit and the file name."""
    label = WorkbookUploadForm.base_fields["unit"].label
    return [*((str(label), unit) for unit in request.POST.getlist("unit") if unit), *file_names(request)]


def typed_sides(request: HttpRequest) -> LabelledText:
    """(label, text) of the conflicts for which the user chose the file's values."""
    rows = [name.removeprefix("side-") for name, side in request.POST.items() if side == "file"]
    return [(gettext("Rows for which the file's values were chosen"), ", ".join(rows))] if rows else []
