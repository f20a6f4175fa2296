"""`python -m bench [--quick]`: measure on SQLite and PostgreSQL, keep the figures, compare them with the last run."""

import argparse
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.measure import measure_first_visit, measure_pages
from bench.servers import serve
from bench.world import FOLDER, make_world

SIZES = (141, 100_000, 1_000_000)  # actions in the database; the measured plan has 141 of them
DATABASES = ("SQLite", "PostgreSQL")
ROUNDS, QUICK_ROUNDS = 25, 9


def main() -> None:
    """Measure each world, and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="SQLite with the demonstration only, and few rounds")
    parser.add_argument("--sizes", type=int, nargs="+", help="actions in the database")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES, help="where to measure")
    parser.add_argument("--rounds", type=int, help="requests of each page")
    options = parser.parse_args()
    sizes = options.sizes or (SIZES[:1] if options.quick else SIZES)
    databases = {"SQLite": None}
    if not options.quick and (url := os.environ.get("TEST_DATABASE_URL")):
        databases["PostgreSQL"] = url
    databases = {name: url for name, url in databases.items() if name in options.databases}
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    kind = "quick" if options.quick else "full"
    last, results = read_last(kind), {}
    for database, url in databases.items():
        for actions in sizes:
            name = f"{database}, {actions:,} actions"
            results[name] = measure(actions, url, rounds)
            show(name, results[name], last.get(name, {}))
    keep(kind, results)


def measure(actions: int, database_url: str | None, rounds: int) -> dict[str, Any]:
    """Return the figures of one world."""
    env = make_world(actions, database_url)
    command = [sys.executable, "-m", "bench.statements"]
    statements = json.loads(subprocess.run(command, env=env, check=True, capture_output=True).stdout)
    bare = env | {"DJANGO_SETTINGS_MODULE": "bench.floor.settings"}
    with serve("pmqa_tracker.wsgi:application", env) as site, serve("bench.floor.wsgi:application", bare) as floor:
        before = site.megabytes
        pages = measure_pages(site, floor, rounds)
        visit = measure_first_visit(site)
        memory = {"before": round(before), "after": round(site.megabytes), "floor": round(floor.megabytes)}
    for name, page in pages.items():
        page["statements"] = statements[name]
    return {"pages": pages, "visit": visit, "memory": memory}


def show(name: str, result: dict[str, Any], last: dict[str, Any]) -> None:
    """Print the figures of a world; in brackets the p50 ratio of the last run."""
    write(f"\n{name}: times over those of the floor")
    columns = f"{'p50':>7}{'last':>8}{'p95':>7}{'cold':>7}{'ms':>8}{'floor ms':>10}{'SQL':>5}{'kB':>7}{'sent kB':>9}"
    write(f"{'page':<20}{columns}")
    for page, each in result["pages"].items():
        before = last.get("pages", {}).get(page, {}).get("p50")
        write(
            f"{page:<20}{each['p50']:>7}{f'({before})' if before else '':>8}{each['p95']:>7}{each.get('cold', ''):>7}"
            f"{each['site_ms']:>8}{each['floor_ms']:>10}{each['statements']:>5}"
            f"{each.get('bytes', 0) / 1000:>7.0f}{each.get('sent', 0) / 1000:>9.1f}"
        )
    visit, memory = result["visit"], result["memory"]
    write(f"Overview on the wire: first visit {visit['first'] / 1000:.0f} kB, later {visit['later'] / 1000:.0f} kB")
    write(f"Memory of the workers: {memory['before']} MB, then {memory['after']} MB; of the floor {memory['floor']} MB")


def read_last(kind: str) -> dict[str, Any]:
    """Return the figures of the last run of a kind."""
    runs = sorted(FOLDER.glob(f"{kind}-*.json"))
    return json.loads(runs[-1].read_text()) if runs else {}


def keep(kind: str, results: dict[str, Any]) -> None:
    """Keep the figures of this run."""
    path = FOLDER / f"{kind}-{datetime.now():%Y%m%d-%H%M%S}.json"  # noqa: DTZ005 - the name of a file
    Path(path).write_text(json.dumps(results, indent=1))
    write(f"\nKept in {path}")


def write(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
