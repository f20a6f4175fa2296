"""Tables out to Excel or CSV and back in, by django-import-export: nothing is half written, nobody is overwritten.

A row is named by what people call it (a code, an abbreviation), never by a number of the database. Every exported row
carries its `version`; a changed row whose version is not the stored one is refused, and with it the whole file.
"""

import re
from pathlib import Path
from typing import Any

import tablib
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import BooleanField, IntegerField, Model, QuerySet, TextField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from import_export import fields, resources
from import_export.admin import ExportMixin, ImportExportMixin
from import_export.forms import ExportForm, ImportForm
from import_export.results import RowResult

from pmqa_tracker import clock, thai
from pmqa_tracker.history import current_user, is_changed_only_by
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.values import parse_code
from pmqa_tracker.write_once import StaleVersionError
from spreadsheets.formats import MAX_TABLE_BYTES, Csv, Excel, NumberText
from spreadsheets.inspect import LIMITS, WorkbookRefusedError, check_workbook
from spreadsheets.text import clean_text
from spreadsheets.uploads import ConfirmForm, UploadStorage
from spreadsheets.widgets import READERS, NamedLoader

STYLE = re.compile(r'\sstyle="[^"]*"')
FORMATS = (Excel, Csv)
ENDINGS = {".xlsx": "0", ".csv": "1"}  # the places of the formats


class TableExportForm(ExportForm):
    """Which file to export; a workbook unless told otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["format"] = ENDINGS[".xlsx"]


class TableUploadForm(ImportForm):
    """The file to import, looked at before it is opened. What it is, its name says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].widget.attrs["accept"] = ",".join(ENDINGS)

    def clean_import_file(self) -> Any:
        """Refuse what is too big, and what is not what its name says.

        Raises:
            ValidationError: naming what is wrong and what to do.
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
            raise ValidationError(_("Upload a table as .xlsx or .csv, such as the export makes."))
        file.seek(0)
        return file

    def clean(self) -> dict[str, Any]:
        """Take the format from the name of the file."""
        data = super().clean()
        if "import_file" in data:
            data["format"] = ENDINGS[Path(data["import_file"].name).suffix.lower()]
        return data


class ExportAdmin(ExportMixin):
    """Export on an admin's list."""

    formats = FORMATS
    export_form_class = TableExportForm
    show_change_form_export = False

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        return f"{self.opts.model_name}-{clock.today():%Y-%m-%d}.{file_format.get_extension()}"


class ExchangeAdmin(ExportAdmin, ImportExportMixin):
    """Import and export on an admin's list."""

    import_form_class = TableUploadForm
    confirm_form_class = ConfirmForm
    tmp_storage_class = UploadStorage

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_import_data_kwargs(**kwargs) | {"rollback_on_validation_errors": True}

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Import what was looked at; where its upload is no longer there, say so."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if self.create_confirm_form(request).is_valid():
            return super().process_import(request, **kwargs)
        messages.error(
            request,
            _("Nothing was imported now: this upload was imported already, or is too old. Upload the file again."),
        )
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_import")

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """After the confirmation: done, or refused as a whole because something changed since the preview."""
        if result.has_errors() or result.has_validation_errors():
            messages.error(
                request,
                _("Nothing was imported: something changed since the preview. Upload the file again to see what."),
            )
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_import")
        return super().process_result(result, request)

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        """Say in words why a file cannot be read."""
        reason = str(e) if isinstance(e, ValueError) and not isinstance(e, UnicodeError) else ""
        if isinstance(e, WorkbookRefusedError):
            text = reason
        elif reason:
            text = _("The file cannot be read as a table: %(reason)s.") % {"reason": reason}
        else:
            text = _("The file cannot be read as a table. Export a new one and fill it in.")
        form.add_error("import_file", text)


class PlainDiff(resources.Diff):
    """The differences of a row without the colours that the library writes into each tag: the CSP refuses them."""

    def as_html(self) -> list[str]:
        return [mark_safe(STYLE.sub("", html)) for html in super().as_html()]  # noqa: S308  the library has escaped it


class TableResource(resources.ModelResource):
    """A model as a table; see the module."""

    version = fields.Field(attribute="version", column_name="version", readonly=True)
    WIDGETS_MAP = {kind: READERS.get(widget, widget) for kind, widget in resources.ModelResource.WIDGETS_MAP.items()}
    related: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.met: set[int | None] = set()  # records an earlier row was about

    def get_diff_class(self) -> type[resources.Diff]:
        return PlainDiff

    def filter_export(self, queryset: QuerySet[Model], **kwargs: Any) -> QuerySet[Model]:
        return super().filter_export(queryset, **kwargs).select_related(*self.related)

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        """Refuse a table with columns nobody knows (a misspelt heading would lose its words), or without a key.

        Raises:
            ValueError: naming them.
        """
        known = {field.column_name for field in self.fields.values()}
        dataset.headers = [thai.match_spelling(header, known) for header in dataset.headers]
        unknown = [header for header in dataset.headers if header not in known]
        missing = [name for name in self.key_columns() if name not in dataset.headers]
        twice = sorted({header for header in dataset.headers if dataset.headers.count(header) > 1})
        if unknown or missing or twice:
            del dataset[:]  # no row is looked at
        if missing:
            raise ValueError(
                _("Missing columns: %(names)s. They say which record a row is about.") % {"names": ", ".join(missing)}
            )
        if twice:
            raise ValueError(_("Columns that are there twice: %(names)s.") % {"names": ", ".join(twice)})
        if unknown:
            raise ValueError(
                _("Unknown columns: %(names)s. The columns are: %(known)s.")
                % {"names": ", ".join(unknown), "known": ", ".join(sorted(known))}
            )

    def key_columns(self) -> list[str]:
        """The columns that say which record a row is about."""
        return [self.fields[name].column_name for name in self.get_import_id_fields()]

    def before_import_row(self, row: dict[str, str], **kwargs: Any) -> None:
        """Refuse a code that a spreadsheet has made a number or a day of: 7.1 may have been 7.10.

        Raises:
            ValidationError: naming the columns and both readings.
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
        """Whether the cells of a column name something, unlike words, numbers and truths."""
        attribute = next((each.attribute for each in self.fields.values() if each.column_name == column), None)
        kinds = {each.name: each for each in self._meta.model._meta.concrete_fields}
        return not isinstance(kinds.get(attribute), (TextField, IntegerField, BooleanField))

    def import_row(self, row: dict[str, str], instance_loader: Any, **kwargs: Any) -> RowResult:
        """Import a row; an empty one between others is passed over.

        Whatever is wrong with a row makes it an invalid one, so that all of them are listed in the file's order.
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
        """Take a cell, unless it holds the very text the record was exported with.

        What a cell cannot hold (a CR, a control character) stays in the record; it is no change that it went missing.
        Nor is another spelling of the name that says which record the row is about.
        """
        stored = None if is_m2m else field.get_value(instance)
        told = row.get(field.column_name)
        if isinstance(stored, str) and told is not None:
            is_name = bool(instance.pk) and field.column_name in self.key_columns()
            if clean_text(stored) == told or (is_name and thai.search_key(stored) == thai.search_key(told)):
                return
        super().import_field(field, instance, row, is_m2m, **kwargs)

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        """Save in a savepoint of its own, so that what the database refuses can be told.

        Raises:
            ValidationError: somebody else saved the same record at this moment.
        """
        try:
            with transaction.atomic():
                super().do_instance_save(instance, is_create)
        except (StaleVersionError, IntegrityError) as error:
            raise ValidationError(_("Somebody else is changing the same record at this moment.")) from error

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        self.met.add(instance.pk)

    def after_init_instance(self, instance: Any, new: bool, row: Any = None, **kwargs: Any) -> None:
        """Refuse a second row about the same record."""
        if not new and instance.pk in self.met:
            raise ValidationError(_("An earlier row is about the same record."))
        self.met.add(instance.pk)

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Refuse a change made on an older copy.

        Raises:
            ValidationError: the row's version is missing or is not the stored one.
        """
        if instance.pk:
            read = thai.search_key(str(row.get("version") or ""))
            if not read:
                raise ValidationError(_("The row has no version: export the table again and change it there."))
            if read != str(instance.version):
                told = {"record": instance, "read": read, "now": instance.version}
                is_own = read.isdecimal() and is_changed_only_by(current_user(), instance, int(read[:9]))
                text = _("Somebody else changed “%(record)s” since the export (version %(read)s in the file, %(now)s "
                         "now). Export again and enter your change there.")  # fmt: skip
                if is_own:
                    text = _("You changed “%(record)s” yourself since the export (version %(read)s in the file, "
                             "%(now)s now). Export again and enter your change there.")  # fmt: skip
                raise ValidationError(text % told)
        elif row.get("version"):
            raise ValidationError(
                _("There is no such record any more, or its name was changed. Empty the version to add a new one.")
            )
        instance._change_reason = _("Import of %(file)s") % {"file": kwargs.get("file_name") or ""}


class TableMeta:
    """What the tables share: all or nothing, unchanged rows left alone, the model's own rules asked."""

    use_transactions = True
    skip_unchanged = True
    report_skipped = True
    clean_model_instances = True
    store_instance = True
    instance_loader_class = NamedLoader
