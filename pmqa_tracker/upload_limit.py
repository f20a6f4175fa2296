"""Upload handlers that limit the size and the name of a posted file."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.http import multipartparser

from pmqa_tracker.long_names import shorten

MEGABYTE = 1024 * 1024
LONGEST_NAME = 255  # characters; Django cuts the ending off a longer name
# Django ignores a file whose headers, with its name, exceed 1,024 bytes; a Thai letter takes three bytes, or nine as
# "%E0%B8%81".
multipartparser.MAX_TOTAL_HEADER_SIZE = 8 * 1024


class SmallUploadHandler(MemoryFileUploadHandler):
    """Keep a small file in memory, as Django's handler does; shorten a long name in its middle, not at its end."""

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, shorten(file_name, most=LONGEST_NAME), *args, **kwargs)


class CappedUploadHandler(TemporaryFileUploadHandler):
    """Store a file up to one byte beyond `settings.PMQA_EVIDENCE_MB`, and only count the rest.

    The uploaded file has the size that was sent, so a form can refuse it with its name; its content is cut.
    """

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        """Store the file under a fixed name, because its own extension may be too long for the file system."""
        super().new_file(field_name, "file", *args, **kwargs)
        self.file_name = self.file.name = shorten(file_name, most=LONGEST_NAME)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Store the part of the chunk within the limit; `start` is the position of the chunk in the file."""
        room = settings.PMQA_EVIDENCE_MB * MEGABYTE + 1 - start
        if room > 0:
            self.file.write(raw_data[:room])
