"""Compression of pages."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED_TYPES = ("text/", "application/json")


class CompressionMiddleware(GZipMiddleware):
    """Django's compression, of text only: workbooks, pictures and PDFs are compressed already.

    Django adds random bytes to each answer, and a CSRF token looks different in each, so that the length of an answer
    tells nothing about it (the attack BREACH). A proxy in front must not compress pages in its own way.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress a page for browsers that accept it."""
        if response.headers.get("Content-Type", "").startswith(COMPRESSED_TYPES):
            return super().process_response(request, response)
        return response
