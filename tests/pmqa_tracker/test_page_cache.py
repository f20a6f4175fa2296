"""The cache of pages: what its server may do. `tests/reports/test_cached_pages.py` has the pages."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import environ
from django.core.cache import cache, caches
from django.utils.module_loading import import_string

from pmqa_tracker import environment, page_cache


def test_a_cache_server_can_run_no_code_and_no_library_depends_on_it(monkeypatch):
    monkeypatch.setenv("CACHE_URL", "redis://127.0.0.1:1/1")
    options = environment.cache(environ.Env(), "CACHE_URL")["OPTIONS"]
    pickled = pickle.dumps("page")
    assert import_string(options["serializer"])().loads(pickled) == pickled
    cache.set("allauth.mfa.totp.used", "y")
    assert caches["pages"].get("allauth.mfa.totp.used") is None


def test_page_is_computed_for_the_newest_revision_that_waits_and_serves_all():
    """Nobody waits for more than two computations, however many write meanwhile."""
    kept, computed, has_begun, may_end = [-1], [], Event(), Event()

    def ask(revision):
        with page_cache.alone("page", revision):
            if kept[0] < revision:
                has_begun.set()
                assert may_end.wait(20)
                computed.append(revision)
                kept[0] = revision

    def waiting():
        queue = page_cache._queues.get("page")
        return len(queue.waiting) if queue else 0

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, 1)]
        assert has_begun.wait(20)
        answers += [pool.submit(ask, revision) for revision in (1, 2, 3, 5, 4, 5)]
        while waiting() < 6:
            assert not answers[0].done()
        may_end.set()
        for answer in answers:
            answer.result(20)
    assert computed == [1, 5]
    assert "page" not in page_cache._queues
