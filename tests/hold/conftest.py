"""Fixtures of the promises: a site that runs, and the figure that a test measures.

`site` is a started site; `make_site(NAME="value")` makes one with other settings, not yet started. Both are on the
database of the run (a file, or PostgreSQL for tests marked `both_databases`) and end with the test.

A test says what it holds with `@pytest.mark.promise(promise, figure)` and calls `measured("0 of 1,368")`.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import sizes
from tests.hold.databases import Prepared, server_url
from tests.hold.site import Site

MakeSite = Callable[..., Site]
RESULTS = os.environ.get("PMQA_HOLD_RESULTS")  # file that `make hold` prints; a line of JSON for each promise
MEASURED = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def prepared(kept: Path) -> Iterator[Prepared]:
    """The site from which every test gets a copy."""
    made = Prepared(kept / "hold", server_url())
    try:
        made.make()
        yield made
    finally:
        made.leave()


@pytest.fixture
def make_site(prepared: Prepared, tmp_path: Path) -> Iterator[MakeSite]:
    """Make a site with these variables in its environment; all that it starts is killed after the test."""
    with ExitStack() as stack:

        def make(*, workers: int | None = None, **changes: str) -> Site:
            folder = tmp_path / f"site-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            made = stack.enter_context(prepared.copy(folder, **changes))
            made.workers = workers or (None if sizes.IS_FULL else 1)
            return made

        yield make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A site that runs."""
    made = make_site(workers=2)
    made.start()
    return made


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note what the test measured, for the line of its promise."""

    def note(figure: str) -> None:
        request.node.stash[MEASURED] = figure

    return note


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[Any]:
    """Write the result of a promise to the file of `make hold`."""
    report = yield
    promise = item.get_closest_marker("promise")
    if RESULTS and promise and not report.skipped and (report.when == "call" or report.failed):
        name, figure = promise.args
        found = item.stash.get(MEASURED, "held" if report.passed else "")
        found = found if report.passed else f"BROKEN {found}".rstrip()
        found += f" ({round(call.duration)} s)"
        line = {"promise": name, "figure": figure, "on": "PostgreSQL" if server_url() else "SQLite", "found": found}
        with Path(RESULTS).open("a") as file:
            file.write(json.dumps(line) + "\n")
    return report
