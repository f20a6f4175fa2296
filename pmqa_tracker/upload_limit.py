"""Upload handlers that limit the size, the number and the names of posted files, and go on when the disk is full."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler, SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, multipartparser

from pmqa_tracker.long_names import shorten

MEGABYTE = 1024 * 1024
LONGEST_NAME = 255  # characters; Django cuts the ending off a longer name
MOST_STORED = 25  # files of one form; the update form takes ten and says so
# Django ignores a file whose headers, with its name, exceed 1,024 bytes; a Thai letter takes three bytes, or nine as
# "%E0%B8%81".
multipartparser.MAX_TOTAL_HEADER_SIZE = 8 * 1024


class Recorder:
    """A stream that keeps the first bytes read from it, at most twice `DATA_UPLOAD_MAX_MEMORY_SIZE`.

    Django's parser drops all text of a form that exceeds a limit; `pmqa_tracker.too_large` finds it here.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.start = stream, bytearray()

    def read(self, *size: int) -> bytes:
        """Read from the stream."""
        return self._keep(self.stream.read(*size))

    def readline(self, *size: int) -> bytes:
        """Read a line from the stream."""
        return self._keep(self.stream.readline(*size))

    def _keep(self, data: bytes) -> bytes:
        self.start += data[: max(0, 2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE - len(self.start))]
        return data

    def close(self) -> None:
        """Close the stream."""
        self.stream.close()


class SmallUploadHandler(MemoryFileUploadHandler):
    """Keep a small file in memory, as Django's handler does; shorten a long name in its middle, not at its end."""

    files = 0

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        """Put a recorder between the request and the parser, which reads by `request.read`."""
        super().handle_raw_input(*args, **kwargs)
        self.request._stream = Recorder(self.request._stream)

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        """Store at most `MOST_STORED` files; the form refuses so many with their names."""
        self.files += 1
        if self.files > MOST_STORED:
            raise SkipFile
        super().new_file(field_name, shorten(file_name, most=LONGEST_NAME), *args, **kwargs)


class CappedUploadHandler(TemporaryFileUploadHandler):
    """Store a file up to one byte beyond `settings.PMQA_EVIDENCE_MB`, and only count the rest.

    The uploaded file has the size that was sent, so a form can refuse it with its name; its content is cut. If the disk
    is full, the rest of the form is still read, for its typed text, and `FullDiskMiddleware` refuses it.
    """

    # `file` is missing until a file is stored, and once the disk is full: Django's parser closes the one that is there.

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        """Store the file under a fixed name, because its own extension may be too long for the file system."""
        self.__dict__.pop("file", None)
        try:
            super().new_file(field_name, "file", *args, **kwargs)
        except OSError:
            self._fail()
        self.file_name = shorten(file_name, most=LONGEST_NAME)
        if file := self._stored:
            file.name = self.file_name

    @property
    def _stored(self) -> Any:
        return getattr(self, "file", None)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Store the part of the chunk within the limit; `start` is the position of the chunk in the file."""
        room = settings.PMQA_EVIDENCE_MB * MEGABYTE + 1 - start
        try:
            if room > 0 and self._stored:
                self.file.write(raw_data[:room])
        except OSError:
            self._fail()

    def file_complete(self, file_size: int) -> UploadedFile:
        """Return the file; an empty one if the disk is full."""
        try:
            if self._stored:
                return super().file_complete(file_size)
        except OSError:
            self._fail()
        return InMemoryUploadedFile(BytesIO(), self.field_name, self.file_name, self.content_type, 0, self.charset)

    def _fail(self) -> None:
        self.request.is_disk_full = True
        if file := self.__dict__.pop("file", None):
            with suppress(OSError):
                file.close()


class FullDiskMiddleware:
    """Refuse a form whose files could not be stored, before its view runs; the typed text is in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        """Raise OSError if the disk was full."""
        if request.method == "POST" and request.POST is not None and getattr(request, "is_disk_full", False):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
