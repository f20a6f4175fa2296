"""Every URL of the site and its parameters, found by the resolver, the pages and the source."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import Resolver404, resolve
from lxml import html

from tests.rooms import ROOMS
from tests.test_house import ROOT
from tests.test_scope import PARTS, path_of, routes

READ_IN_SOURCE = re.compile(r"\.(GET|POST)(?:\.get|\.getlist|\[)\(?\"(\w+)\"")
BUTTONS = ("submit", "button", "reset", "image")
BY_NAME = ("__getitem__", "__contains__", "getlist")  # methods of QueryDict that ask for one parameter
EVERYTHING = "*"
ALL_OF_THEM = ("__iter__", "items", "lists", "values", "keys", "urlencode", "copy", "dict")


class Way(NamedTuple):
    """A request that sends parameters, with an accepted value of each."""

    method: str
    path: str
    accepted: dict[str, str]


@dataclass
class Target:
    """A URL with the parameters that it takes.

    Attributes:
        route: as the resolver has it.
        path: names records that exist.
        query: names of its parameters.
        forms: of each form that is posted to it, name → accepted value of each field.
        files: names of its fields for files.
    """

    route: str
    path: str
    query: set[str] = field(default_factory=set)
    forms: list[dict[str, str]] = field(default_factory=list)
    files: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        """Last part of its route: "change" for the change page of any model in the admin."""
        return self.route.rstrip("/").rpartition("/")[2]

    def ways(self) -> list["Way"]:
        """Return the ways to send parameters to it: in the query, and in each of its forms."""
        query = Way("GET", self.path, dict.fromkeys(sorted(self.query), ""))
        return [query, *(Way("POST", self.path, form) for form in self.forms)]

    def paths_with(self, value: str) -> Iterator[tuple[str, str]]:
        """Yield (name, path) with each part of the path replaced by a quoted value."""
        parts = [match[1] or match[2] or "number" for match in PARTS.finditer(self.route)]
        good = re.fullmatch(re.escape(PARTS.sub("\0", "/" + self.route)).replace("\0", "(.*?)"), self.path)
        for number, name in enumerate(parts if good else ()):
            given = iter([*good.groups()[:number], value, *good.groups()[number + 1 :]])
            yield name, "/" + PARTS.sub(lambda _part, given=given: next(given), self.route)


def find_targets(client: Client, owner: Any, chosen: set[str] | None = None) -> list[Target]:
    """Open every URL (or the chosen routes) as the client, and return what can be sent to it."""
    targets = {route: Target(route, path_of(route, owner)) for route in routes() if chosen is None or route in chosen}
    written = names_in_source()
    for target in targets.values():
        target.query |= written["GET"]
        response = client.get(target.path)
        if response.get("Content-Type", "").startswith("text/html") and response.content.strip():
            _read_page(target, response, targets)
    for target in targets.values():
        target.forms = target.forms or [dict.fromkeys(sorted(written["POST"]), "1")]
    return list(targets.values())


@contextmanager
def noted_reads() -> Iterator[set[str]]:
    """Collect the names of the parameters that code asks for; `EVERYTHING` if it goes through all that were sent."""
    found: set[str] = set()

    def noting(method: str) -> Any:
        asked = getattr(QueryDict, method)

        def inner(data: QueryDict, *arguments: Any, **options: Any) -> Any:
            if not data._mutable:  # it is while Django fills it
                found.add(arguments[0] if method in BY_NAME else EVERYTHING)
            return asked(data, *arguments, **options)

        return inner

    with ExitStack() as stack:
        for method in (*BY_NAME, *ALL_OF_THEM):
            stack.enter_context(mock.patch.object(QueryDict, method, noting(method)))
        yield found


def names_in_source() -> dict[str, set[str]]:
    """Return the names that the code reads from the query and from posted forms."""
    found: dict[str, set[str]] = {"GET": set(), "POST": set()}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for method, name in READ_IN_SOURCE.findall(path.read_text()):
                found[method].add(name)
    return found


def _read_page(target: Target, response: HttpResponse, targets: dict[str, Target]) -> None:
    """Add the parameters of the links and forms of a page to the URLs that they lead to."""
    page = html.fromstring(response.content)
    for link in page.xpath("//@href | //@hx-get"):
        if there := _target_of(target, link, targets):
            there.query |= {name for name, _value in parse_qsl(urlsplit(link).query)}
    for form in page.forms:
        there = _target_of(target, form.get("hx-post") or form.get("hx-get") or form.action or "", targets)
        if there is None:
            continue
        fields = dict(form.form_values())
        empty = {each.name: "" for each in form.inputs if each.name and each.get("type") not in BUTTONS}
        there.files |= {each.name for each in form.inputs if each.name and each.get("type") == "file"}
        if form.method == "GET":
            there.query |= empty.keys()
        elif (known := empty | fields) and not any(known.keys() == form.keys() for form in there.forms):
            there.forms.append(known)


def _target_of(target: Target, link: str, targets: dict[str, Target]) -> Target | None:
    """Return the target that a link of a page leads to."""
    address = urlsplit(urljoin(target.path, link))
    try:
        return targets.get(resolve(address.path).route.removeprefix("^").removesuffix("$").removesuffix("\\Z"))
    except Resolver404:
        return None
