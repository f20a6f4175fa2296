"""Every URL of the site and its parameters, found by the resolver, the pages and the source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve
from lxml import html

from tests.rooms import ROOMS
from tests.test_house import ROOT
from tests.test_scope import PARTS, path_of, routes

READ_IN_SOURCE = re.compile(r"\.(GET|POST)(?:\.get|\.getlist|\[)\(?\"(\w+)\"")
BUTTONS = ("submit", "button", "reset", "image")


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
