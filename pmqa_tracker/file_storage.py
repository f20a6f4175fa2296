"""Storage of files on the local disk; `pmqa_tracker/shared_storage.py` is the one in an S3-compatible service.

Django's storage API has no copy, and its local storage does not sync. Both classes add `copy`, keep files private to
the site, never overwrite a file, and raise OSError for whatever fails.
"""

import os
from pathlib import Path

from django.core.files import File
from django.core.files.storage import FileSystemStorage

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


class LocalStorage(FileSystemStorage):
    """Files on the disk of this machine, readable by its account only; content is synced before `save` returns."""

    def _save(self, name: str, content: File) -> str:
        path = Path(self.path(name))
        self._make_folders(path)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return name

    def copy(self, source: str, target: str) -> None:
        """Give a stored file a second name, which a power loss does not undo; the content is shared."""
        path = Path(self.path(target))
        self._make_folders(path)
        os.link(self.path(source), path)
        for folder in self._folders_above(path):
            sync(folder)

    def _folders_above(self, path: Path) -> list[Path]:
        """Return the folders of a file up to the root of the storage, innermost first."""
        return [folder for folder in path.parents if folder.is_relative_to(self.location)]

    def _make_folders(self, path: Path) -> None:
        Path(self.location).mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        for folder in reversed(self._folders_above(path)):
            folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
