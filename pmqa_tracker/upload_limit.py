"""What a posted file may take of the disk: no more than the largest that is kept."""

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler

MEGABYTE = 1024 * 1024


class CappedUploadHandler(TemporaryFileUploadHandler):
    """Stores a file up to one byte beyond `settings.PMQA_EVIDENCE_MB` and only counts the rest.

    The uploaded file has the size that was sent, so that a form can refuse it by its name; its content is cut.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Store what there is room for; `start` is how much of the file came before."""
        room = settings.PMQA_EVIDENCE_MB * MEGABYTE + 1 - start
        if room > 0:
            self.file.write(raw_data[:room])
