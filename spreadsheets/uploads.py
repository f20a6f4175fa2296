"""Storage of an uploaded table between its preview and its confirmation."""

import re
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from import_export.forms import ConfirmImportForm
from import_export.tmp_storages import BaseStorage

from pmqa_tracker.tasks.models import UPLOADS, prepared_storage

UPLOAD_NAME = re.compile(r"[0-9a-f]{32}")


class UploadStorage(BaseStorage):
    """Store uploads in the storage `prepared` under random names; after `PMQA_KEPT_HOURS` they are deleted."""

    @property
    def path(self) -> str:
        """The name of the upload in the storage."""
        return f"{UPLOADS}/{self.name}"

    def save(self, data: bytes) -> None:
        """Store an upload."""
        self.name = uuid4().hex
        prepared_storage().save(self.path, ContentFile(data))

    def read(self) -> bytes:
        """Return the content of the upload.

        Raises:
            OSError: it is no longer stored.
        """
        with prepared_storage().open(self.path) as file:
            return file.read()

    @property
    def is_stored(self) -> bool:
        """Whether the upload is still there."""
        return bool(self.name) and prepared_storage().exists(self.path)

    def remove(self) -> None:
        """Delete the upload."""
        if self.name:
            prepared_storage().delete(self.path)


class ConfirmForm(ConfirmImportForm):
    """Confirmation of a preview; it accepts only the name of a stored upload, and no other file."""

    format = forms.ChoiceField(choices=[("0", "0"), ("1", "1")], widget=forms.HiddenInput)
    resource = forms.ChoiceField(choices=[("0", "0")], required=False, widget=forms.HiddenInput)

    def clean_import_file_name(self) -> str:
        """Refuse any name that is not a stored upload."""
        name = self.cleaned_data["import_file_name"]
        if not (UPLOAD_NAME.fullmatch(name) and UploadStorage(name=name).is_stored):
            raise ValidationError("gone")
        return name
