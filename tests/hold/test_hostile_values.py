"""No input makes a 500: hostile values in the path, the query, forms, headers and cookies of every URL.

The short run sends a few values to each page; `make hold` sends all of them, with a seed that it prints.
"""

import random
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import cycle
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests import sizes
from tests.hold.hostile_values import encoded, hostile_values
from tests.hold.parameters import Target, find_targets
from tests.organizations import MARKER, standard, world
from tests.test_scope import routes

SEED = sizes.SEED or 17
VALUES = hostile_values(SEED)
UNKNOWN_CODING = 501  # gunicorn's answer to a Transfer-Encoding it does not know, as RFC 9112 wants it
FORM = "application/x-www-form-urlencoded"
HEADERS = (
    "Referer", "HX-Current-URL", "HX-Request", "HX-Target", "HX-Trigger", "HX-Boosted", "Accept", "Accept-Language",
    "Accept-Encoding", "X-Request-ID", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
    "Authorization", "Range",
    "If-None-Match", "If-Modified-Since", "Origin", "User-Agent", "X-CSRFToken", "Content-Type",
    "Content-Length", "Host",
    "Cookie", "Expect", "Transfer-Encoding", "Content-Encoding", "Connection",
)  # fmt: skip


@pytest.fixture(scope="module")
def owner(rolled_back):
    return world(standard(), "first", MARKER)


class Sender:
    """Sends requests of one user, takes back what they changed, and collects those that were answered with 5xx."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.client.raise_request_exception = False
        self.cookies = deepcopy(client.cookies)
        self.sent, self.failed = 0, []

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Roll back what the block changes, and log in again."""
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        self.client.cookies = deepcopy(self.cookies)

    def send(self, what: str, method: str, path: str, **options) -> None:
        """Send a request; remember it if it fails."""
        raised: list[str] = []

        def note(**_kwargs) -> None:
            raised.append(repr(sys.exc_info()[1])[:200])

        got_request_exception.connect(note, weak=False)
        try:
            with self.undone():
                status = self.client.generic(method, path, **options).status_code
        except Exception as error:
            status, raised = 599, [repr(error)[:200]]
        finally:
            got_request_exception.disconnect(note)
        self.sent += 1
        if status >= 500:
            self.failed.append(f"{method} {path[:200]} {what[:100]} → {status} {raised}")


def try_values(sender: Sender, target: Target, values: list[bytes], start: int) -> None:
    """Send each value to every parameter of a URL; each request has another value in each parameter."""
    names = sorted(target.query)
    for step, value in enumerate(values):
        others = values[(step + start) % len(values) :] + values[: (step + start) % len(values)]
        sender.send("", "GET", f"{target.path}?{encoded([*zip(names, cycle(others), strict=False)])}")
        for form in target.forms:
            data = encoded([*zip(form, cycle(others), strict=False)])
            sender.send(data, "POST", target.path, data=data, content_type=FORM)
        for _name, path in target.paths_with(quote_from_bytes(value, safe="")):
            sender.send("", "GET", path)
            sender.send("", "POST", path, data="", content_type=FORM)


def try_alone(sender: Sender, target: Target, values: list[bytes]) -> None:
    """Send each value to every parameter of a URL, with accepted values in the other fields of a form."""
    for value in values:
        for name in sorted(target.query):
            sender.send("", "GET", f"{target.path}?{encoded([(name, value)])}")
        for form in target.forms:
            for name in form:
                data = encoded([(other, good.encode()) for other, good in (form | {name: ""}).items() if other != name])
                data += "&" + encoded([(name, value)])
                sender.send(f"{name}={value!r}", "POST", target.path, data=data, content_type=FORM)
        for name in target.files:
            file = SimpleUploadedFile(value.decode(errors="replace")[:200] or "a", value * 3)
            data = encode_multipart(BOUNDARY, (target.forms[0] if target.forms else {}) | {name: file})
            sender.send(f"file {value!r}", "POST", target.path, data=data, content_type=MULTIPART_CONTENT)


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.promise("No input makes a 500", "0 of 200 values × every parameter of every URL")
def test_no_parameter_of_any_url_makes_a_500(owner, settings, measured):
    settings.PMQA_TODAY = None
    chance = random.Random(SEED)  # noqa: S311
    everything = sorted({*routes()})
    chosen = everything if sizes.IS_FULL else chance.sample(everything, 40 if not sizes.ON_POSTGRESQL else 20)
    senders = [Sender(Client()), Sender(log_in(owner))]
    for sender in senders:
        for start, target in enumerate(find_targets(sender.client, owner, {*chosen})):
            values = VALUES if sizes.IS_FULL else chance.sample(VALUES, 2)
            try_values(sender, target, values, start)
            try_alone(sender, target, chance.sample(VALUES, sizes.scaled(10)) if sizes.IS_FULL else [])
    failed = [each for sender in senders for each in sender.failed]
    measured(f"{len(failed)} of {sum(sender.sent for sender in senders):,} requests (seed {SEED})")
    assert not failed, "\n".join(failed[:100])


def log_in(owner: Any) -> Client:
    """Return a browser of a coordinator who is also an administrator, so that every page opens."""
    person = owner.people["coordinator"]
    person.is_superuser = person.is_staff = True
    person.save()
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.promise("No input makes a 500", "0 of 200 values × every parameter of every URL")
def test_no_header_or_cookie_makes_a_500(site, measured):
    cookies = site.cookies["coordinator"]
    paths = ["/", "/login/", "/plans/", "/healthz", "/readyz", "/static/app.js", "/nowhere/"]
    values = VALUES if sizes.IS_FULL else random.Random(SEED).sample(VALUES, 20)  # noqa: S311
    failed, sent = [], 0
    for number, value in enumerate(values):
        lines = [name.encode() + b": " + value for name in HEADERS]
        lines += [b"Cookie: " + name.encode() + b"=" + value for name in cookies]
        for place, line in enumerate(lines):
            path = paths[(number + place) % len(paths)].encode()
            status = ask(site.port, b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + line)
            sent += 1
            if status >= 500 and status != UNKNOWN_CODING:
                failed.append(f"{path!r} {line[:200]!r} → {status}")
        sent += 1
        status = ask(site.port, b"GET /" + value + b"?" + value + b" HTTP/1.1\r\nHost: 127.0.0.1")
        if status >= 500:
            failed.append(f"{value!r} → {status}")
    measured(f"{len(failed)} of {sent:,} requests (seed {SEED})")
    assert not failed, "\n".join(failed[:100])
    assert "Traceback" not in site.log


def ask(port: int, head: bytes) -> int:
    """Send the beginning of a request as it is, and return the status of the answer; 0 without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(head + b"\r\nConnection: close\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(64)
        except OSError:
            return 0
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0
