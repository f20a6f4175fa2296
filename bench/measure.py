"""Measure the pages of the site and of the floor in turns, so that a busy machine slows both."""

import re
from dataclasses import dataclass, field
from itertools import count
from statistics import median, quantiles
from time import time
from typing import Any

from bench.pages import PAGES, UPDATE, Page
from bench.servers import Server
from bench.visitor import Answer, Visitor
from bench.world import PASSWORD

NUMBERS = count(int(time()))
WARM_UP = 4  # requests of each page, so that both workers have loaded its code and templates


@dataclass
class Times:
    """Seconds of the same request at the site and at the floor, in turns."""

    site: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        """Return milliseconds and ratios of the median (p50) and of the slow end (p95)."""
        site, floor = ((median(each), quantiles(each, n=20)[-1]) for each in (self.site, self.floor))
        return {
            "site_ms": round(site[0] * 1000, 1),
            "floor_ms": round(floor[0] * 1000, 1),
            "p50": round(site[0] / floor[0], 2),
            "p95": round(site[1] / floor[1], 2),
        }


def measure_pages(site: Server, floor: Server, rounds: int) -> dict[str, dict[str, Any]]:
    """Return page → ratios warm and after a write, and the bytes before and after compression."""
    visitors = {name: _log_in(name, site, floor) for name in {page.user for page in PAGES}}
    writer = visitors[UPDATE.user]
    found = {}
    for page in PAGES:
        at_site, at_floor = visitors[page.user]
        for _ in range(WARM_UP):
            answer = _checked(at_site.get(page.path))
            _checked(at_floor.get(page.floor))
        warm = Times()
        for _ in range(rounds):
            warm.site.append(at_site.get(page.path).seconds)
            warm.floor.append(at_floor.get(page.floor).seconds)
        found[page.name] = warm.summary() | {"bytes": len(answer.body), "sent": answer.sent}
        if not page.is_personal:
            found[page.name]["cold"] = _cold(page, at_site, at_floor, writer[0], max(rounds // 3, 3))
    updates = Times()
    for _ in range(rounds):
        updates.site.append(_update(writer[0], UPDATE.path).seconds)
        updates.floor.append(_update(writer[1], UPDATE.floor).seconds)
    return found | {"update": updates.summary()}


def measure_first_visit(site: Server) -> dict[str, int]:
    """Return the bytes on the wire of the overview for a new browser and for one that keeps its static files."""
    page = next(page for page in PAGES if page.name == "overview")
    visitor, _floor = _log_in(page.user, site, site)
    answer = _checked(visitor.get(page.path))
    files = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', answer.body.decode()))
    for path in sorted(files):
        if path.endswith(".css"):
            style = visitor.get(path).body.decode()
            base = path.rsplit("/", 1)[0]
            files |= {f"{base}/{name}" for name in re.findall(r'url\("?([^")]+\.woff2)', style)}
    return {"first": answer.sent + sum(visitor.get(path).sent for path in files), "later": answer.sent}


def typed() -> dict[str, object]:
    """Return what a user types into the form of an update, another text each time: a repeated form writes nothing."""
    number = next(NUMBERS)
    return {
        "status_to": "IN_PROGRESS", "progress_to": 20 + number % 70, "progress": 20 + number % 70,
        "result": f"ดำเนินการครั้งที่ {number}", "problem": "", "next_step": "", "reason": "ตามที่ตรวจสอบจริง",
    }  # fmt: skip


def _log_in(name: str, site: Server, floor: Server) -> tuple[Visitor, Visitor]:
    at_site = Visitor(site.port)
    at_site.log_in(name, PASSWORD)
    return at_site, Visitor(floor.port, at_site.cookies)


def _cold(page: Page, at_site: Visitor, at_floor: Visitor, writer: Visitor, rounds: int) -> float:
    times = Times()
    for _ in range(rounds):
        _update(writer, UPDATE.path)
        times.site.append(at_site.get(page.path).seconds)
        times.floor.append(at_floor.get(page.floor).seconds)
    return round(median(times.site) / median(times.floor), 2)


def _update(visitor: Visitor, path: str) -> Answer:
    fields = _checked(visitor.get(path)).hidden_fields
    return _checked(visitor.post(path, fields | typed()), 302)


def _checked(answer: Answer, status: int = 200) -> Answer:
    if answer.status != status:
        raise SystemExit(f"{answer.path} answered {answer.status} instead of {status}.")
    return answer
