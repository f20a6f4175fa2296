"""Parts of pages in Django's cache: read, keep, and fill in what belongs to one user.

Kept is HTML under a key that names everything it depends on, so nothing is removed by hand: what is no longer asked for
falls out when the cache is full. The cache is an aid. If its server does not answer, the page is computed, the log says
so, and the server is left alone for a while.
"""

import hashlib
import json
import logging
import threading
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn
from weakref import WeakValueDictionary

import django
from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest

from pmqa_tracker.compression import deflate

logger = logging.getLogger("pmqa.cache")

PAGES = "pages"  # the name of the cache in the settings
KEPT_SECONDS = 24 * 3600  # a key carries a day, so nobody asks for it longer
MOST_BYTES = 128 * 1024  # of a cache entry, which has the text and its compressed form; a longer page is not cached
PAUSE_SECONDS = 30  # without questions after a failure, so that pages do not wait for a dead server each time
WAIT_SECONDS = 20  # for the thread that computes the same page

# Stands in kept HTML for the hidden fields of a form: the CSRF token and the owner. Text never looks like this, because
# templates escape `<`.
OWN_FIELDS = "<own-fields></own-fields>"
# What the kept part that is being rendered has read and must not, because `{% if %}` swallows errors; None outside one.
_refused: ContextVar[list["NotInPartError"] | None] = ContextVar("refused", default=None)


class PlainBytes:
    """Stores bytes as they are. Django pickles what it stores, so whoever writes to its server could run code here."""

    def dumps(self, data: bytes) -> bytes:
        """Return what is stored."""
        return data

    def loads(self, data: bytes) -> bytes:
        """Return what was stored."""
        return data


class NotInPartError(Exception):
    """A part of a page that is kept for several users reads something that belongs to one of them."""


def refuse(what: str) -> NoReturn:
    """Raise NotInPartError, here and at the end of the part."""
    error = NotInPartError(f"A kept part of a page reads “{what}” of a user")
    refused = _refused.get()
    if refused is not None:
        refused.append(error)
    raise error


class Hidden:
    """Stands in a kept part for what belongs to one user; every use raises NotInPartError."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("resolve_expression", "do_not_call_in_templates", "__class__"):
            return object.__getattribute__(self, name)
        refuse(name)

    def __str__(self, *args: Any) -> str:
        refuse("name")

    __bool__ = __eq__ = __iter__ = __len__ = __getitem__ = __str__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class KeptRequest:
    """Stands in a kept part for the request: it shows the address, which is in the key, and not whose request it is."""

    SHOWN = ("GET", "path", "get_full_path", "htmx", "resolver_match")

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name) if name in self.SHOWN else refuse(name)


@dataclass(kw_only=True)
class Parts:
    """The parts of a page by name, as they are kept.

    Attributes:
        html: the parts so far; the tag `part` adds those that are missing.
        context: variables that a part sees in place of those of the request.
        deflated: the texts of one part, compressed; in letters, as JSON keeps no bytes.
    """

    html: dict[str, str] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    deflated: Sequence[str] = ()

    def deflate(self, name: str) -> list[str]:
        """Compress the texts of a part, which are between the fields of its user."""
        return [b64encode(deflate(text)).decode() for text in self.html.get(name, "").split(OWN_FIELDS)]

    def texts(self, name: str) -> list[tuple[str, bytes]]:
        """Return the texts of the part, each compressed; none if that has not been done."""
        texts = self.html.get(name, "").split(OWN_FIELDS)
        return [(text, b64decode(each)) for text, each in zip(texts, self.deflated, strict=False)]


def is_kept() -> bool:
    """Return whether the template that is being rendered will be kept for other users."""
    return _refused.get() is not None


@contextmanager
def keeping() -> Iterator[None]:
    """Render a block for other users too: its forms leave room for the fields of the user who gets the page.

    Raises:
        NotInPartError: the block has read something of a user, even if its template went on.
    """
    refused: list[NotInPartError] = []
    token = _refused.set(refused)
    try:
        yield
    finally:
        _refused.reset(token)
    if refused:
        raise refused[0]


def fill(html: str, own_fields: Callable[[], str]) -> str:
    """Return kept HTML with the hidden fields of this user in its forms."""
    return html.replace(OWN_FIELDS, own_fields()) if OWN_FIELDS in html else html


def make_key(*parts: Any) -> str:
    """Return a key for HTML that depends on nothing but these parts and this release of the site.

    A part is a value with the same `repr` in every process: no set, and no object without one of its own.
    """
    return f"page:{hashlib.sha256(repr((version(), *parts)).encode()).hexdigest()}"


def read(key: str) -> Any:
    """Return what is kept under a key; None if nothing is, or if the cache does not answer."""
    data = _ask(lambda: caches[PAGES].get(key))
    try:
        return json.loads(zlib.decompress(data)) if data else None
    except (TypeError, ValueError, zlib.error):
        logger.warning("What the cache holds is not a page; it is computed.", exc_info=True)
        return None


def keep(key: str, value: Any) -> None:
    """Keep a value of JSON under a key, if it is not too long and the cache answers."""
    data = zlib.compress(json.dumps(value, ensure_ascii=False).encode(), 3)
    if len(data) <= MOST_BYTES:
        _ask(lambda: caches[PAGES].set(key, data, KEPT_SECONDS))


_quiet_until = 0.0


def _ask(question: Callable[[], Any]) -> Any:
    """Ask the cache; None if it fails. Every kind of cache has errors of its own."""
    global _quiet_until
    if monotonic() < _quiet_until:
        return None
    try:
        return question()
    except Exception:  # a library raises what it likes, and no page may break by it
        _quiet_until = monotonic() + PAUSE_SECONDS
        logger.warning("The cache does not answer; pages are computed meanwhile.", exc_info=True)
        return None


class _Queue:
    """The threads of this process that want the same page."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.is_computing = False
        self.computed = -1  # the newest revision so far
        self.waiting: list[int] = []  # the revision that each needs


_queues: WeakValueDictionary[str, _Queue] = WeakValueDictionary()
_queues_lock = threading.Lock()


@contextmanager
def alone(key: str, revision: int = 0) -> Iterator[None]:
    """Let one thread of this process compute a page while the others that want it wait.

    The one that needs the newest revision is next, and its page is new enough for all that wait. After `WAIT_SECONDS`
    they compute it too.
    """
    with _queues_lock:
        queue = _queues.setdefault(key, _Queue())

    def is_next() -> bool:
        return not queue.is_computing and revision == max(queue.waiting)

    with queue.changed:
        queue.waiting.append(revision)
        queue.changed.wait_for(lambda: queue.computed >= revision or is_next(), WAIT_SECONDS)
        is_turn = queue.computed < revision and is_next()
        queue.waiting.remove(revision)
        queue.is_computing |= is_turn
    try:
        yield
        if is_turn:
            queue.computed = max(queue.computed, revision)
    finally:
        with queue.changed:
            queue.is_computing &= not is_turn
            queue.changed.notify_all()


@cache
def version() -> str:
    """Return a digest of the installation: code, templates, translations, names of static files and settings.

    It is the same in all processes and on all machines of an installation, and differs from that of other ones, which
    may use the same cache server.
    """
    kinds = (str, bool, int, float, date, tuple, type(None))
    names = sorted(name for name in dir(settings) if name.startswith(("PMQA_", "LANGUAGE", "TIME_ZONE", "STATIC_URL")))
    chosen = {name: value for name in names if isinstance(value := getattr(settings, name), kinds)}
    return hashlib.sha256(repr((settings.SECRET_KEY, chosen, _digest_of_files())).encode()).hexdigest()


@cache
def _digest_of_files() -> str:
    base = Path(settings.BASE_DIR)
    folders = [Path(config.path) for config in apps.get_app_configs() if Path(config.path).parent == base]
    digest = hashlib.sha256(django.__version__.encode())
    for folder in sorted([*folders, base / "templates", base / "locale"]):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".html", ".mo"):
                digest.update(f"{path.relative_to(base)}".encode() + path.read_bytes())
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    digest.update(manifest.read_bytes() if manifest.is_file() else b"")
    return digest.hexdigest()


@receiver(setting_changed)
def _forget_version(**kwargs: Any) -> None:
    """Tests change settings; a server never does."""
    version.cache_clear()
