"""Compression of pages. Text that is cached for several users is compressed once, and joined with the rest."""

import secrets
import struct
import zlib
from collections.abc import Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.cache import patch_vary_headers

COMPRESSED_TYPES = ("text/", "application/json")
LEVEL = 6
# The start of gzip's format (RFC 1952): deflated, with a file name, without a time, of an unknown system.
GZIP_START = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"
WINDOW = 32 * 1024  # bytes before a place that it may refer to
SHORTEST_KEPT = 2_000  # bytes; a shorter text is compressed together with the rest of the page


class CompressionMiddleware(GZipMiddleware):
    """Django's compression, of text only: workbooks, pictures and PDFs are compressed already.

    Django adds random bytes to each answer, and a CSRF token looks different in each, so that the length of an answer
    tells nothing about it (the attack BREACH). A proxy in front must not compress pages in its own way. A kept text
    has no secret, and is compressed apart from those of the page.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress a page for browsers that accept it."""
        if not response.headers.get("Content-Type", "").startswith(COMPRESSED_TYPES):
            return response
        kept = getattr(response, "kept_texts", ())
        if kept and not response.has_header("Content-Encoding"):
            patch_vary_headers(response, ("Accept-Encoding",))
            if re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
                response.content = join(response.content, kept, b"a" * secrets.randbelow(self.max_random_bytes))
                response.headers["Content-Length"] = str(len(response.content))
                response.headers["Content-Encoding"] = "gzip"
            return response
        return super().process_response(request, response)


def deflate(text: str) -> bytes:
    """Return a text compressed so that it fits between others in a file of gzip; b"" if that is not worth it."""
    data = text.encode()
    if len(data) < SHORTEST_KEPT:
        return b""
    compressor = zlib.compressobj(LEVEL, wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


def join(content: bytes, kept: Sequence[tuple[str, bytes]], name: bytes) -> bytes:
    """Return a page as a file of gzip.

    Args:
        content: the page.
        kept: texts of the page in their order, each with its `deflate`.
        name: the file name in its head, which browsers ignore.
    """
    compressor = zlib.compressobj(LEVEL, wbits=-zlib.MAX_WBITS)
    found, done = [GZIP_START, name, b"\0"], 0
    for text, deflated in kept:
        data = text.encode()
        begin = content.find(data[:SHORTEST_KEPT], done) if deflated else -1
        if begin >= 0 and content.startswith(data, begin):
            # After a full flush, compressed data never refers to earlier data, so pieces can be joined here.
            found += [compressor.compress(content[done:begin]), compressor.flush(zlib.Z_FULL_FLUSH), deflated]
            done = begin + len(data)
            # What follows may refer to the kept text, which stands right before it in every answer.
            compressor = zlib.compressobj(LEVEL, wbits=-zlib.MAX_WBITS, zdict=data[-WINDOW:])
    found += [compressor.compress(content[done:]), compressor.flush()]
    return b"".join([*found, struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)])
