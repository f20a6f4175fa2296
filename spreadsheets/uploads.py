"""Storage of an uploaded table between its preview and its confirmation."""

import re
import time
from pathlib import Path
from uuid import uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from import_export.forms import ConfirmImportForm
from import_export.tmp_storages import BaseStorage

UPLOAD_NAME = re.compile(r"[0-9a-f]{32}")


class UploadStorage(BaseStorage):
    """Store uploads in the data folder under random names."""

    @staticmethod
    def folder() -> Path:
        """Return the folder of the uploads; create it if it is missing."""
        folder = settings.DATA_DIR / "uploads"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def save(self, data: bytes) -> None:
        """Store an upload; delete uploads older than `PMQA_KEPT_HOURS`."""
        for old in self.folder().iterdir():
            if UPLOAD_NAME.fullmatch(old.name) and old.stat().st_mtime < time.time() - settings.PMQA_KEPT_HOURS * 3600:
                old.unlink(missing_ok=True)
        self.name = uuid4().hex
        (self.folder() / self.name).write_bytes(data)

    def read(self) -> bytes:
        """Return the content of the upload."""
        return (self.folder() / self.name).read_bytes()

    @property
    def is_stored(self) -> bool:
        """Whether the upload is still there."""
        return bool(self.name) and (self.folder() / self.name).is_file()

    def remove(self) -> None:
        """Delete the upload."""
        (self.folder() / self.name).unlink(missing_ok=True)


class ConfirmForm(ConfirmImportForm):
    """Confirmation of a preview; it accepts only the name of a stored upload, and no other file."""

    format = forms.ChoiceField(choices=[("0", "0"), ("1", "1")], widget=forms.HiddenInput)
    resource = forms.ChoiceField(choices=[("0", "0")], required=False, widget=forms.HiddenInput)

    def clean_import_file_name(self) -> str:
        """Refuse any name that is not a stored upload."""
        name = self.cleaned_data["import_file_name"]
        if not (UPLOAD_NAME.fullmatch(name) and (UploadStorage.folder() / name).is_file()):
            raise ValidationError("gone")
        return name
