"""What a posted file may take of the disk: no more than the largest that is kept, and a short name."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.http import multipartparser

from pmqa_tracker.long_names import shorten

MEGABYTE = 1024 * 1024
LONGEST_NAME = 255  # characters; Django cuts the end off a longer one
# Django passes over a file whose name does not fit into 1,024 bytes of headers; a Thai letter takes three, or nine as
# "%E0%B8%81".
multipartparser.MAX_TOTAL_HEADER_SIZE = 8 * 1024


class SmallUploadHandler(MemoryFileUploadHandler):
    """Keeps a small file in memory, as Django's does; a long name loses its middle, not its ending."""

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, shorten(file_name, most=LONGEST_NAME), *args, **kwargs)


class CappedUploadHandler(TemporaryFileUploadHandler):
    """Stores a file up to one byte beyond `settings.PMQA_EVIDENCE_MB` and only counts the rest.

    The uploaded file has the size that was sent, so that a form can refuse it by its name; its content is cut.
    """

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        """Store the file under a name of our own: what follows the last dot of its own may be too long for a disk."""
        super().new_file(field_name, "file", *args, **kwargs)
        self.file_name = self.file.name = shorten(file_name, most=LONGEST_NAME)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Store what there is room for; `start` is how much of the file came before."""
        room = settings.PMQA_EVIDENCE_MB * MEGABYTE + 1 - start
        if room > 0:
            self.file.write(raw_data[:room])
