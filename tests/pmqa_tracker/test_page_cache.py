"""The cache of pages: what its server may do. `tests/reports/test_cached_pages.py` has the pages."""

import pickle

import environ
from django.core.cache import cache, caches
from django.utils.module_loading import import_string

from pmqa_tracker import environment


def test_a_cache_server_can_run_no_code_and_no_library_depends_on_it(monkeypatch):
    monkeypatch.setenv("CACHE_URL", "redis://127.0.0.1:1/1")
    options = environment.cache(environ.Env(), "CACHE_URL")["OPTIONS"]
    pickled = pickle.dumps("page")
    assert import_string(options["serializer"])().loads(pickled) == pickled
    cache.set("allauth.mfa.totp.used", "y")
    assert caches["pages"].get("allauth.mfa.totp.used") is None
