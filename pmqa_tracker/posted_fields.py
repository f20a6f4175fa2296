"""Fields of a posted form that is too large for Django to parse."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from urllib.parse import unquote_plus

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

from pmqa_tracker.upload_limit import MEGABYTE, Recorder

MOST_FIELDS = 20_000  # twice what a form may have
CHUNK = 65_536
PART = re.compile(
    rb"\r\ncontent-disposition:[^\r\n]*?\bname=\"(?P<name>[^\"\r\n]*)\"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n", re.I
)
FILE_NAME = re.compile(rb"filename=\"([^\"\r\n]*)\"", re.I)


def recover_fields(request: HttpRequest) -> None:
    """Set `request.POST` and `request.FILES` from the beginning of a body that exceeds a limit.

    It reads at most twice `DATA_UPLOAD_MAX_MEMORY_SIZE` and keeps only the names of files. The rest of the body is
    read and dropped, because a browser shows no answer before it has sent everything.
    """
    most = 2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = _beginning(request, most)
    is_multipart = request.content_type == "multipart/form-data"
    fields = _parts(body, request.content_params.get("boundary", "")) if is_multipart else _pairs(body)
    request._post, request._files = QueryDict(mutable=True), MultiValueDict()
    for name, value, is_file in islice(fields, MOST_FIELDS):
        if is_file:
            request._files.appendlist(name, SimpleUploadedFile(value, b""))
        else:
            request._post.appendlist(name, value)


def _beginning(request: HttpRequest, most: int) -> bytes:
    """Return the first bytes of the body, and read the rest up to the size of the largest form the site takes."""
    if hasattr(request, "_body"):
        return request._body[:most]
    stream = request._stream
    stream = stream if isinstance(stream, Recorder) else Recorder(stream)
    left = 10 * settings.PMQA_EVIDENCE_MB * MEGABYTE
    with suppress(OSError):  # the browser is gone
        while left > 0 and (part := stream.read(CHUNK)):
            left -= len(part)
    return bytes(stream.start)


def _pairs(body: bytes) -> Iterator[tuple[str, str, bool]]:
    """Yield (name, value, False) of each field of a body such as "a=1&b=2"."""
    for pair in re.finditer(rb"[^&]+", body):
        name, _sign, value = pair[0].decode(errors="replace").partition("=")
        yield unquote_plus(name), unquote_plus(value), False


def _parts(body: bytes, boundary: str) -> Iterator[tuple[str, str, bool]]:
    """Yield (name, value, is_file) of each part of a multipart body; the value of a file is its name."""
    separator, start = b"\r\n--" + boundary.encode(), 0
    body = b"\r\n" + body
    while (start := body.find(separator, start)) >= 0:
        start += len(separator)
        end = body.find(separator, start)
        head = PART.match(body, start, len(body) if end < 0 else end)
        if not head:
            continue
        name, file = head["name"].decode(errors="replace"), FILE_NAME.search(head[0])
        if file is None:
            yield name, body[head.end() : len(body) if end < 0 else end].decode(errors="replace"), False
        elif file[1]:
            yield name, file[1].decode(errors="replace"), True
