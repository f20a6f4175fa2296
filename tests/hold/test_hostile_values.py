"""No input makes a 500: hostile values in the path, the query, forms, headers and cookies of every URL.

The short run sends a few values to some pages; `make hold` sends all of them, with a seed that it prints.
"""

import random
import re
import socket
import sys
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from pmqa_tracker.views import OWNER_FIELD
from tests import sizes
from tests.hold.hostile_values import COUNT, encoded, hostile_values
from tests.hold.parameters import EVERYTHING, Target, Way, find_targets, noted_reads
from tests.organizations import MARKER, standard, world
from tests.test_scope import routes

SEED = sizes.SEED or 17
VALUES = hostile_values(SEED)
FEW = 8 if sizes.IS_FULL else 1  # values for a URL that looks at no parameter; in the short run for every URL
ALONE = 2 if sizes.IS_FULL else 0  # values for each parameter alone, and for each file
SHARE = 20  # values at least, for each of the URLs that share them
ROUTES = 15 if sizes.ON_POSTGRESQL else 30  # in the short run
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


def numbers(start: int, count: int) -> Iterator[int]:
    """Return as many numbers of values, others for each start."""
    return ((start * count + step) % COUNT for step in range(count))


def shared(keys: list[Hashable], least: int) -> Iterator[Iterator[int]]:
    """Return the numbers of the values for each key: equal keys share all values, and each gets at least some."""
    sizes_of, seen = Counter(keys), Counter()
    for key in keys:
        yield numbers(seen[key], max(least, -(-COUNT // sizes_of[key])))
        seen[key] += 1


def send_all(sender: Sender, way: Way, given: list[tuple[str, bytes]]) -> None:
    """Send these parameters."""
    data = encoded(given)
    if way.method == "GET":
        sender.send("", "GET", f"{way.path}?{data}")
    else:
        sender.send(data, "POST", way.path, data=data, content_type=FORM)


def hostile(names: list[str], number: int) -> list[tuple[str, bytes]]:
    """Return another hostile value for each of these parameters.

    A form of another user is refused before anything else in it is read, so most requests do not name its user.
    """
    named = enumerate(name for name in names if name != OWNER_FIELD or number % 10 == 0)
    return [(name, VALUES[(number + place) % COUNT]) for place, name in named]


def half_hostile(way: Way, names: list[str], number: int) -> list[tuple[str, bytes]]:
    """Return the same with accepted and damaged values in about half of the parameters: a refused one hides others."""
    chance = random.Random(number)  # noqa: S311
    given = []
    for name, value in hostile(names, number):
        accepted = way.accepted.get(name)
        given.append((name, value if accepted is None or chance.random() < 0.5 else damaged(accepted, chance).encode()))
    return given


def damaged(value: str, chance: random.Random) -> str:
    """Return an accepted value, most times as it is, otherwise with another number in it."""
    numbers = [*re.finditer(r"\d+", value)]
    if not numbers or chance.random() < 0.6:
        return value
    place = chance.choice(numbers)
    return value[: place.start()] + chance.choice(("9" * 25, "-1", "0", "", "१", "1.5", "1e9")) + value[place.end() :]


def names_read(sender: Sender, way: Way) -> set[str]:
    """Return the names of the parameters that a URL looks at, with accepted values and with others."""
    with noted_reads() as read:
        for value in (None, b"1", VALUES[-1]):
            given = {name: each for name, each in way.accepted.items() if name != OWNER_FIELD}
            send_all(sender, way, [(name, each.encode() if value is None else value) for name, each in given.items()])
    return read - {OWNER_FIELD, EVERYTHING}


def try_values(sender: Sender, targets: list[Target]) -> None:
    """Send every value to every parameter that a URL looks at, each request with another value in each parameter.

    A form also gets accepted values beside them, and some values in each parameter alone. URLs that differ in the model
    only, such as the deletions of the admin, share the values. A URL that looks at no parameter, because it redirects
    or takes no such method, gets a few.
    """
    ways = [(target, way) for target in targets for way in target.ways()]
    read = [names_read(sender, way) if sizes.IS_FULL else {*way.accepted} for _target, way in ways]
    every = [sorted(names | {*way.accepted} if way.method == "POST" or not names else names)
             for (_target, way), names in zip(ways, read, strict=True)]  # fmt: skip
    keys = [(way.method, target.kind, *names) for (target, way), names in zip(ways, every, strict=True)]
    for place, chosen in enumerate(shared(keys, SHARE)):
        way = ways[place][1]
        for number in chosen if read[place] and sizes.IS_FULL else numbers(place, FEW):
            send_all(sender, way, hostile(every[place], number))
            if way.method == "POST" and number % 4 == 1:
                send_all(sender, way, half_hostile(way, every[place], number))
        if read[place]:
            try_alone(sender, way, every[place])


def try_alone(sender: Sender, way: Way, names: list[str]) -> None:
    """Send some values in every parameter alone; of a form with accepted values in the others, which hide nothing."""
    for place, name in enumerate(names):
        for number in numbers(place * ALONE, ALONE):
            others = {*way.accepted} - {name, OWNER_FIELD} if way.method == "POST" else set()
            good = [(other, way.accepted[other].encode()) for other in sorted(others)]
            send_all(sender, way, [*good, (name, VALUES[number])])


def try_paths(sender: Sender, targets: list[Target]) -> None:
    """Send every value in every part of a path, alone, since a wrong one hides what comes after it."""
    parts = [(target, name) for target in targets for name, _path in target.paths_with("")]
    keys = [(target.kind, name) for target, name in parts]
    for place, ((target, part), chosen) in enumerate(zip(parts, shared(keys, SHARE), strict=True)):
        for number in chosen if sizes.IS_FULL else numbers(place, FEW):
            for name, path in target.paths_with(quote_from_bytes(VALUES[number], safe="")):
                if name == part:
                    sender.send("", "GET", path)
                    if number % 4 == 0:
                        sender.send("", "POST", path, data="", content_type=FORM)


def try_files(sender: Sender, target: Target) -> None:
    """Send some values as a file, with accepted values in the other fields."""
    for name in target.files:
        for number in numbers(0, ALONE):
            value = VALUES[number]
            file = SimpleUploadedFile(value.decode(errors="replace")[:200] or "a", value * 3)
            data = encode_multipart(BOUNDARY, (target.forms[0] if target.forms else {}) | {name: file})
            sender.send(f"file {value!r}", "POST", target.path, data=data, content_type=MULTIPART_CONTENT)


@pytest.mark.django_db
@pytest.mark.both_databases(only_full=True)
@pytest.mark.promise("No input makes a 500", "0 of 200 values × every parameter of every URL")
def test_no_parameter_of_any_url_makes_a_500(owner, settings, measured):
    settings.PMQA_TODAY = None
    everything = sorted({*routes()})
    random.Random(SEED).shuffle(everything)  # noqa: S311
    chosen = {*(everything if sizes.IS_FULL else everything[:ROUTES])}
    senders = [Sender(Client()), Sender(log_in(owner))]
    for sender in senders:
        targets = find_targets(sender.client, owner, chosen)
        try_values(sender, targets)
        try_paths(sender, targets)
        for target in targets:
            try_files(sender, target)
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
    values = VALUES if sizes.IS_FULL else random.Random(SEED).sample(VALUES, 8)  # noqa: S311
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
