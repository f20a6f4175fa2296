"""Export and import of admin tables as Excel or CSV, by django-import-export, with a version check.

A row is identified by a name that users know (a code, an abbreviation), never by a primary key. Every exported row
carries its `version`. If the version of a changed row differs from the stored one, the whole file is refused.
"""

import re
from pathlib import Path
from typing import Any

import tablib
from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import BooleanField, IntegerField, Model, QuerySet, TextField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from import_export import fields, resources
from import_export.admin import ExportMixin, ImportExportMixin
from import_export.forms import ExportForm, ImportForm
from import_export.results import Result, RowResult

from pmqa_tracker import clock, thai
from pmqa_tracker.history import current_user, is_changed_only_by
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.values import parse_code
from pmqa_tracker.transactions import write_transaction
from pmqa_tracker.write_once import StaleVersionError
from spreadsheets.formats import MAX_TABLE_BYTES, Csv, Excel, NumberText
from spreadsheets.inspect import LIMITS, WorkbookRefusedError, check_workbook
from spreadsheets.marked_tables import MarksErrors
from spreadsheets.text import clean_text
from spreadsheets.uploads import ConfirmForm, UploadStorage
from spreadsheets.widgets import READERS, NamedLoader, own_of_current_user

STYLE = re.compile(r'\sstyle="[^"]*"')
FORMATS = (Excel, Csv)
ENDINGS = {".xlsx": "0", ".csv": "1"}  # extension → index in FORMATS


class TableExportForm(ExportForm):
    """Choice of the file format to export; a workbook by default."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["format"] = ENDINGS[".xlsx"]


class TableUploadForm(ImportForm):
    """The file to import, checked before it is opened. Its extension decides the format."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].widget.attrs["accept"] = ",".join(ENDINGS)

    def clean_import_file(self) -> Any:
        """Refuse a file that is too large or does not match its extension.

        Raises:
            ValidationError: it says what is wrong and what to do.
        """
        file = self.cleaned_data["import_file"]
        if file.size > MAX_TABLE_BYTES:
            raise ValidationError(_("The file is larger than 5 MB; leave only the table in it."))
        ending = Path(file.name).suffix.lower()
        if ending != ".csv":
            try:
                check_workbook(file.read(), file.name, LIMITS)
            except WorkbookRefusedError as error:
                raise ValidationError(str(error)) from error
        if ending not in ENDINGS:
            raise ValidationError(_("Upload the table as .xlsx or .csv, as the export writes it."))
        file.seek(0)
        return file

    def clean(self) -> dict[str, Any]:
        """Set the format by the extension of the file."""
        data = super().clean()
        if "import_file" in data:
            data["format"] = ENDINGS[Path(data["import_file"].name).suffix.lower()]
        return data


class ExportAdmin(ExportMixin):
    """An admin with export on its list."""

    formats = FORMATS
    export_form_class = TableExportForm
    show_change_form_export = False

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """Show or answer the form of an export; an unknown filter in the URL leads back to the list, which says so."""
        try:
            return super().export_action(request)
        except IncorrectLookupParameters:
            return redirect(
                f"{reverse(f'admin:{self.opts.app_label}_{self.opts.model_name}_changelist')}?{ERROR_FLAG}=1"
            )

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        return f"{self.opts.model_name}-{clock.today():%Y-%m-%d}.{file_format.get_extension()}"


class ExchangeAdmin(MarksErrors, ExportAdmin, ImportExportMixin):
    """An admin with import and export on its list."""

    import_form_class = TableUploadForm
    confirm_form_class = ConfirmForm
    tmp_storage_class = UploadStorage

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_import_data_kwargs(**kwargs) | {"rollback_on_validation_errors": True}

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Import the previewed file; show an error if the upload no longer exists."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if self.create_confirm_form(request).is_valid():
            return super().process_import(request, **kwargs)
        messages.error(
            request,
            _("Nothing was imported: this upload was already imported, or it is too old. Upload the file again."),
        )
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_import")

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """Answer after the confirmation: imported, or refused because something changed since the preview."""
        if result.has_errors() or result.has_validation_errors():
            messages.error(
                request,
                _("Nothing was imported: the data changed since the preview. Upload the file again to see how."),
            )
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_import")
        return super().process_result(result, request)

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        """Add an error that says why the file cannot be read."""
        reason = str(e) if isinstance(e, ValueError) and not isinstance(e, UnicodeError) else ""
        if isinstance(e, WorkbookRefusedError):
            text = reason
        elif reason:
            text = _("The file cannot be read as a table: %(reason)s.") % {"reason": reason}
        else:
            text = _("The file cannot be read as a table. Export a new one and fill it in.")
        form.add_error("import_file", text)


class PlainDiff(resources.Diff):
    """The differences of a row without the inline styles of the library, which the CSP forbids."""

    def as_html(self) -> list[str]:
        return [mark_safe(STYLE.sub("", html)) for html in super().as_html()]  # noqa: S308  the library has escaped it


class TableResource(resources.ModelResource):
    """A model as a table with a version check; see the module's docstring."""

    version = fields.Field(attribute="version", column_name="version", readonly=True)
    WIDGETS_MAP = {kind: READERS.get(widget, widget) for kind, widget in resources.ModelResource.WIDGETS_MAP.items()}
    related: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seen: set[int | None] = set()  # pks of the records of earlier rows

    def get_diff_class(self) -> type[resources.Diff]:
        return PlainDiff

    def get_queryset(self) -> QuerySet[Model]:
        """Return the user's own records, among which the record of a row is found."""
        return own_of_current_user(super().get_queryset())

    def filter_export(self, queryset: QuerySet[Model], **kwargs: Any) -> QuerySet[Model]:
        return super().filter_export(queryset, **kwargs).select_related(*self.related)

    def import_data(self, dataset: tablib.Dataset, dry_run: bool = False, **kwargs: Any) -> Result:
        """Import a table in one transaction, which is rolled back after a dry run or an error."""
        with write_transaction():
            result = super().import_data(dataset, dry_run=dry_run, **kwargs)
            if dry_run or result.has_errors() or result.has_validation_errors():
                transaction.set_rollback(True)
            return result

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        """Refuse a table with unknown, repeated or missing columns; the texts below a misspelt heading would be lost.

        Raises:
            ValueError: it names the columns.
        """
        known = {field.column_name for field in self.fields.values()}
        dataset.headers = [thai.match_spelling(header, known) for header in dataset.headers]
        unknown = [header for header in dataset.headers if header not in known]
        missing = [name for name in self.key_columns() if name not in dataset.headers]
        twice = sorted({header for header in dataset.headers if dataset.headers.count(header) > 1})
        if unknown or missing or twice:
            del dataset[:]  # so that no row is imported
        if missing:
            raise ValueError(
                _("Missing columns: %(names)s. They identify the record of a row.") % {"names": ", ".join(missing)}
            )
        if twice:
            raise ValueError(_("Repeated columns: %(names)s.") % {"names": ", ".join(twice)})
        if unknown:
            raise ValueError(
                _("Unknown columns: %(names)s. The columns are: %(known)s.")
                % {"names": ", ".join(unknown), "known": ", ".join(sorted(known))}
            )

    def key_columns(self) -> list[str]:
        """Return the columns that identify the record of a row."""
        return [self.fields[name].column_name for name in self.get_import_id_fields()]

    def before_import_row(self, row: dict[str, str], **kwargs: Any) -> None:
        """Refuse a code that a spreadsheet has turned into a number or a day: 7.1 may have been 7.10.

        Raises:
            ValidationError: it names the columns and the possible codes.
        """
        errors = {}
        for name in [name for name, text in row.items() if isinstance(text, NumberText)]:
            if self.holds_code(name):
                try:
                    parse_code(ReadCell(row[name].value))
                except UnreadableError as error:
                    errors[name] = error.message
            row[name] = str(row[name])
        if errors:
            raise ValidationError(errors)

    def holds_code(self, column: str) -> bool:
        """Return whether a column holds codes or names, not long texts, numbers or booleans."""
        attribute = next((each.attribute for each in self.fields.values() if each.column_name == column), None)
        kinds = {each.name: each for each in self._meta.model._meta.concrete_fields}
        return not isinstance(kinds.get(attribute), (TextField, IntegerField, BooleanField))

    def import_row(self, row: dict[str, str], instance_loader: Any, **kwargs: Any) -> RowResult:
        """Import a row; skip an empty one.

        A row with a ValueError counts as invalid, so that all wrong rows are listed in the order of the file.
        """
        if any(row.values()):
            result = super().import_row(row, instance_loader, **kwargs)
            if result.errors and all(isinstance(each.error, ValueError) for each in result.errors):
                result.import_type = RowResult.IMPORT_TYPE_INVALID
                result.validation_error = ValidationError([str(each.error) for each in result.errors])
                result.errors = []
            return result
        result = RowResult()
        result.import_type = RowResult.IMPORT_TYPE_SKIP
        return result

    def import_field(self, field: fields.Field, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        """Import a cell, unless it is equal to the exported text.

        Characters that a cell cannot hold (CR, control characters) stay in the record; their loss is no change. Another
        spelling of the name that identifies the record is no change either.
        """
        stored = None if is_m2m else field.get_value(instance)
        cell = row.get(field.column_name)
        if isinstance(stored, str) and cell is not None:
            is_name = bool(instance.pk) and field.column_name in self.key_columns()
            if clean_text(stored) == cell or (is_name and thai.search_key(stored) == thai.search_key(cell)):
                return
        super().import_field(field, instance, row, is_m2m, **kwargs)

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        """Save in a savepoint, so that an error of the database can be reported for the row.

        Raises:
            ValidationError: another user saved the same record at this moment.
        """
        try:
            with write_transaction():
                super().do_instance_save(instance, is_create)
        except (StaleVersionError, IntegrityError) as error:
            raise ValidationError(_("Somebody else is changing the same record at this moment.")) from error

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        self.seen.add(instance.pk)

    def after_init_instance(self, instance: Any, new: bool, row: Any = None, **kwargs: Any) -> None:
        """Refuse a second row for the same record."""
        if not new and instance.pk in self.seen:
            raise ValidationError(_("An earlier row is for the same record."))
        self.seen.add(instance.pk)

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Refuse a change to an outdated version.

        Raises:
            ValidationError: the version of the row is missing or differs from the stored one.
        """
        if instance.pk:
            read = thai.search_key(str(row.get("version") or ""))
            if not read:
                raise ValidationError(_("The row has no version. Export the table again and enter your change there."))
            if read != str(instance.version):
                params = {"record": instance, "read": read, "now": instance.version}
                is_own = read.isdecimal() and is_changed_only_by(current_user(), instance, int(read[:9]))
                text = _("Somebody else changed “%(record)s” since the export (version %(read)s in the file, %(now)s "
                         "now). Export again and enter your change there.")  # fmt: skip
                if is_own:
                    text = _("You changed “%(record)s” yourself since the export (version %(read)s in the file, "
                             "%(now)s now). Export again and enter your change there.")  # fmt: skip
                raise ValidationError(text % params)
        elif row.get("version"):
            raise ValidationError(
                _("This record no longer exists, or its name was changed. To add a new one, leave the version empty.")
            )
        instance._change_reason = _("Import of %(file)s") % {"file": kwargs.get("file_name") or ""}


class TableMeta:
    """Common options: import all rows or none, skip unchanged rows, and validate the model."""

    use_transactions = True
    skip_unchanged = True
    report_skipped = True
    clean_model_instances = True
    store_instance = True
    instance_loader_class = NamedLoader
