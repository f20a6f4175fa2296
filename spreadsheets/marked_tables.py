"""The uploaded workbook of an admin import with its wrong cells marked, as a download for the user who uploaded it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _

from pmqa_tracker import thai
from spreadsheets.downloads import marked_response
from spreadsheets.edited import UneditableError
from spreadsheets.marked import Mark, mark_workbook
from spreadsheets.read import read_workbook
from spreadsheets.uploads import UploadStorage

SALT = "marked-table"


class MarksErrors:
    """An admin with an import whose refused workbook can be downloaded with marks."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.marked_view)
        name = "{}_{}_marked".format(*self.get_model_info())
        return [path("import/marked/<str:token>/", view, name=name), *super().get_urls()]

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Show the upload or the preview; for a workbook with wrong rows, store it with marks and offer it."""
        response = super().import_action(request, **kwargs)
        context = getattr(response, "context_data", None) or {}
        result = context.get("result")
        if result and result.invalid_rows and context["form"].cleaned_data["import_file"].name.endswith(".xlsx"):
            context["marked_url"] = self._store_marked(request, context["form"].cleaned_data["import_file"], result)
        return response

    def _store_marked(self, request: HttpRequest, file: Any, result: Any) -> str:
        """Replace the stored upload by a marked copy and return its URL; "" if it cannot be marked."""
        upload = UploadStorage(name=file.tmp_storage_name)
        try:
            made = mark_workbook(upload.read(), self._marks(request, upload.read(), result))
        except UneditableError:
            return ""
        upload.remove()
        upload.save(made)
        token = signing.dumps([upload.name, file.name, request.user.pk], salt=SALT)
        return reverse("admin:{}_{}_marked".format(*self.get_model_info()), args=[token])

    def _marks(self, request: HttpRequest, data: bytes, result: Any) -> list[Mark]:
        """The marks of the wrong rows: at the cells of the columns that have errors, otherwise at the first cell."""
        sheet = read_workbook(data, "table.xlsx").first
        places = {thai.search_key(str(cell.value)): column for column, cell in enumerate(sheet.rows[0], start=1)}
        [kind, *_others] = self.get_import_resource_classes(request)
        resource = kind(**self.get_import_resource_kwargs(request))
        names = {each.attribute: each.column_name for each in resource.fields.values()}
        return [
            Mark(
                sheet=sheet.name,
                row=row.number + 1,  # below the headings
                column=places.get(thai.search_key(names.get(name, name)), 0),
                text=" ".join(errors),
            )
            for row in result.invalid_rows
            for name, errors in row.error_dict.items()
        ]

    def marked_view(self, request: HttpRequest, token: str) -> HttpResponse:
        """The marked workbook of a refused import."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        try:
            name, file_name, user = signing.loads(token, salt=SALT, max_age=settings.PMQA_KEPT_HOURS * 3600)
            if user != request.user.pk:
                raise PermissionDenied
            data = UploadStorage(name=name).read()
        except (signing.BadSignature, OSError):
            messages.error(request, _("The uploaded file is no longer stored. Upload it again."))
            return redirect("admin:{}_{}_import".format(*self.get_model_info()))
        return marked_response(data, file_name)
