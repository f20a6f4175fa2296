"""Fixtures for all tests: the day, users of each role, the plan of the department, and the browser."""

import fcntl
import gc
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.sql.compiler import SQLCompiler
from django.test import Client, override_settings
from django.utils import translation
from playwright.sync_api import expect
from simple_history.manager import HistoryManager

from assignments.access import Access
from assignments.models import Unit, User
from plan import cached_page
from plan.models import ActionItem, Plan, ProgressUpdate, Status
from plan.updates.record import UpdateInput, record_update
from pmqa_tracker import clock
from pmqa_tracker.planner import analyze
from tests import append_only, ordering, revision_guard, sizes, snapshot
from tests.factories import PASSWORD, ActionItemFactory, PlanFactory, UnitFactory, UserFactory

DAY = date(2020, 5, 15)
DEMO_PASSWORD = "only-for-these-tests"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")  # the first is the cheapest
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
# Features of Chromium that no test needs. The popups of the address bar are pages that each new window loads, for a
# third of the cost of a journey. The option replaces that of Playwright, so its features follow.
UNUSED_FEATURES = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin", "OptimizationHints",
    "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
)  # fmt: skip
# The machine may be busy: neither a page nor a Hypothesis example has to be fast.
expect.set_options(timeout=30_000)
hypothesis.settings.register_profile("ours", deadline=None, database=None, derandomize=sizes.SEED == 0)
hypothesis.settings.load_profile("ours")
cached_page.RAISES = True
IS_REQUIRED = os.environ.get("CI", "").lower() in ("1", "true")


@pytest.fixture(autouse=True)
def _surroundings(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Run every test on 15 May 2563, in Thai, with an empty cache and its own folder for evidence."""
    settings.PMQA_TODAY = DAY
    settings.MEDIA_ROOT = tmp_path
    for each in caches.all():  # a record of another test may have had the same pk
        each.clear()
    with translation.override("th"):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Create the table of migrations too, which pages read; these databases are made without migrations."""
    with django_db_blocker.unblock():
        MigrationRecorder(connection).ensure_schema()


@pytest.fixture(autouse=True, scope="session")
def _every_order_is_thai() -> Iterator[None]:
    """Fail in any test on a query that orders text by the database's collation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLCompiler, "get_order_by", ordering.guarded(SQLCompiler.get_order_by))
        yield


@pytest.fixture(autouse=True, scope="session")
def _revision_is_guarded() -> Iterator[None]:
    """Let the guard see every statement of this run."""
    with pytest.MonkeyPatch.context() as patch:
        revision_guard.install(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def _flush_passes_the_triggers() -> Iterator[None]:
    """Let Django empty the tables that refuse it."""
    with pytest.MonkeyPatch.context() as patch:
        append_only.let_flush_pass(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def _managers_of_histories_are_kept() -> Iterator[None]:
    """Build the class of a history's manager once; the library does it anew for every record that is saved."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HistoryManager, "from_queryset", cache(HistoryManager.from_queryset))
        yield


@pytest.fixture(autouse=True)
def _every_write_raises_the_revision() -> Iterator[None]:
    """Fail in any test whose transactions change what a page of a plan shows and raise no revision."""
    yield
    found = list(revision_guard.guard.found)
    revision_guard.guard.found.clear()
    assert found == []


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder, shared by all workers, for the rows that commands made."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def load(kept: Path, *commands: str) -> None:
    """Run the commands on an empty database once for all workers; later calls restore the rows they made.

    A command may have options: "generate --seed=2".
    """
    file = kept / f"{commands[-1]}.rows"
    with (kept / f"{commands[-1]}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            for command in commands:
                call_command(*command.split(), verbosity=0)
            file.write_bytes(pickle.dumps(snapshot.take()))
            return
    snapshot.put_back(read_rows(file))
    analyze()  # autovacuum sees no rows of an open transaction


@cache
def read_rows(file: Path) -> snapshot.Rows:
    """Return the rows in a file that `load` wrote."""
    return pickle.loads(file.read_bytes())  # noqa: S301


@pytest.fixture(scope="module")
def rolled_back(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the fixtures of a module make records once for all its tests; they are rolled back after the last test."""
    with django_db_blocker.unblock(), override_settings(PMQA_TODAY=DAY), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def seeded(rolled_back: None, kept: Path) -> None:
    """The plan of the department from the fixtures, loaded once for a module.

    The changes of each test are rolled back. A module that uses it must not have tests that need an empty database.
    """
    load(kept, "seed")


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any, kept: Path) -> Iterator[None]:
    """The seeded plan with demo accounts and history."""
    asked = override_settings(PMQA_TODAY=DAY, PMQA_DEMO=True, PMQA_DEMO_PASSWORD=DEMO_PASSWORD)
    with django_db_blocker.unblock(), asked, transaction.atomic():
        load(kept, "seed", "demo")
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def generated(django_db_setup: None, django_db_blocker: Any, kept: Path) -> Iterator[None]:
    """A small generated world: a ministry, a department below it and one that is not, with three plans each."""
    with django_db_blocker.unblock(), override_settings(PMQA_TODAY=DAY, PMQA_DEMO=True), transaction.atomic():
        load(kept, "generate --actions=15")
        yield
        transaction.set_rollback(True)


@pytest.fixture
def coordinator(db: None) -> User:
    return UserFactory(roles=["coordinator"])


@pytest.fixture
def administrator(db: None, monkeypatch: pytest.MonkeyPatch) -> User:
    """The account that `manage.py createsuperuser` makes: without an organization."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, username="admin", email="admin@example.org", verbosity=0)
    return User.objects.get(username="admin")


@pytest.fixture
def manager(db: None) -> User:
    return UserFactory(roles=["management"])


@pytest.fixture
def unit(db: None) -> Unit:
    return UnitFactory(abbreviation="สพม.")


@pytest.fixture
def plan(db: None) -> Plan:
    return PlanFactory(slug="2563")


@pytest.fixture
def action(plan: Plan, unit: Unit) -> ActionItem:
    """The only action of the plan, led by `unit`."""
    return ActionItemFactory(plan=plan, ref="1.1-A-1", lead=[unit])


@pytest.fixture
def staff(unit: Unit, client: Client) -> User:
    """A member of the unit's staff, logged in."""
    person = UserFactory(roles=["staff"], units=[unit])
    client.force_login(person)
    return person


@pytest.fixture
def report_progress() -> Callable[..., ProgressUpdate]:
    """Record an update the way the site does: `report_progress(action, person, progress=40, at=moment)`."""

    def inner(
        action: ActionItem, author: User, *, at: Any = None, version: int | None = None, **fields: Any
    ) -> ProgressUpdate:
        action = ActionItem.objects.with_details().get(pk=action.pk)
        if fields.get("status") == Status.DONE:
            fields = {"progress": 100, "result": "แล้วเสร็จตามแผน", **fields}
        elif "progress" in fields:
            fields = {"status": Status.IN_PROGRESS, **fields}
        return record_update(
            action=action,
            version=version or action.version,
            op_id=fields.pop("op_id", None) or uuid4(),
            access=Access.of(author),
            at=at or clock.now(),
            data=UpdateInput(**fields),
        )

    return inner


# Distribution of tests to workers, and the browser.


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Pass the seed of this run to Hypothesis, before its plugin reads the option."""
    if sizes.SEED and config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = sizes.SEED


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the modules without a test for PostgreSQL in its run: each worker would import and collect them."""
    if collection_path.suffix != ".py" or config.option.markexpr != "both_databases":
        return None
    text = collection_path.read_text()
    if not sizes.IS_FULL:
        text = text.replace("both_databases(only_full=True)", "")
    return None if "both_databases" in text else True


def pytest_collection() -> None:
    """Collect no garbage while modules are imported: nearly all of what they make stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage seldom, and never look again at what the modules hold: this was a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Distribute the tests, long ones first: one worker runs a module, any worker runs a test marked `apart`.

    Browser tests are skipped if Chromium is missing; in CI they fail.
    """
    if sizes.ON_POSTGRESQL and not sizes.IS_FULL:
        leave_out_on_postgresql(config, items)
    for number, item in enumerate(items):
        group = f"apart-{number}" if item.get_closest_marker("apart") else f"{item.path.parent.name}-{item.path.stem}"
        item.add_marker(pytest.mark.xdist_group(group))
        if item.get_closest_marker("browser") and not (CHROMIUM or IS_REQUIRED):
            item.add_marker(pytest.mark.skip(reason="chromium is missing"))
    yield
    for item in items if config.getoption("loadgroup", False) else ():
        # xdist 3.8 adds the group where pytest 9.2 does not look: without this each test would be a group of its own.
        group = item.get_closest_marker("xdist_group").args[0]
        if "@" not in item.nodeid[item.nodeid.rfind("]") + 1 :]:
            item._id = item.id.parse(f"{item.nodeid}@{group}")
    items.sort(key=lambda item: (item.get_closest_marker("apart") is None, item.get_closest_marker("long") is None))


def leave_out_on_postgresql(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first and the last parameters of each test for PostgreSQL; a full run has them all on both databases.

    Parameters rarely differ in what they ask of a database: `both_databases(every=True)` names the tests in which they
    do. `both_databases(only_full=True)` names those that a run that is not full leaves to SQLite.
    """
    of_test: dict[str, list[pytest.Item]] = {}
    left_out = set()
    for item in items:
        mark = item.get_closest_marker("both_databases")
        if mark and mark.kwargs.get("only_full"):
            left_out.add(item)
        elif mark and not mark.kwargs.get("every"):
            of_test.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out |= {item for group in of_test.values() for item in group[1:-1]}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    assert CHROMIUM, "chromium is missing"
    return {
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--lang=en-US",
            f"--disable-features={','.join(UNUSED_FEATURES)}",
        ],
    }


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 900}, "timezone_id": "Asia/Bangkok"}
