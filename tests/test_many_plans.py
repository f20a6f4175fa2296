"""No page needs more queries because there are more plans, organizations or actions: every named URL of the site."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver, reverse

from assignments.models import Role, Unit, User
from plan.models import Evidence, Plan, Status
from tests import sizes
from tests.factories import UserFactory
from tests.pages import addresses as plan_addresses
from tests.query_plans import whole_reads

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
SMALL = {"organizations": 2, "plans": 4, "actions": 40}
LARGE = {"organizations": 4, "plans": 10, "actions": 50}
FULL = {"organizations": 20, "plans": 400, "actions": 250}  # 100,000 actions, as a ministry may have
DEPARTMENT = "generated-1-2"  # below the ministry, whose number is 1
COORDINATOR, MANAGER_ABOVE = f"{DEPARTMENT}-coordinator", "generated-1-1-manager"
# These answer 403, 404 or 410: the world has no imports, prepared workbooks, files, invitations, second factors or
# identity providers, nobody has just entered a password, the data of others are for administrators, and no chapter of
# the manual is called “0”.
UNKNOWN = {
    "evidence_file", "import_detail", "import_marked", "invitation", "new_plan_import", "new_plan_marked", "prepared",
    "prepared_file", "password_reset_link", "account_reauthenticate", "data_of_person", "second_factor_image",
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_download_recovery_codes", "mfa_generate_recovery_codes",
    "mfa_view_recovery_codes", "openid_connect_callback", "openid_connect_login", "help_chapter",
}  # fmt: skip

FILTERED = (
    "q=งาน&status=IN_PROGRESS&sort=-progress", "updated=no&sort=due", "unit=ก&role=LEAD&health=BEHIND",
    "scope=counted&sort=updated", "level=2&period=2&category=1", "as_of=2020-02-10&due=OVERDUE&age=30",
)  # fmt: skip
# Their queries depend on the kinds of changes among their rows (tests/operations/test_audit.py counts them).
BY_KIND = {"audit", "audit_xlsx"}


def named_patterns() -> Iterator[URLPattern]:
    """Yield the named URL patterns of the site; other tests cover those of the admin."""
    waiting = list(get_resolver().url_patterns)
    for pattern in waiting:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield pattern
        elif not pattern.namespace:
            waiting += pattern.url_patterns


def addresses(plan: Plan, unit: Unit) -> dict[str, str]:
    """Return the URL of every named pattern, with records of a plan and of a unit that leads an action in progress."""
    begun = plan.actions.filter(status=Status.IN_PROGRESS)
    action = unit.assignments.filter(role=Role.LEAD, action__in=begun).earliest("pk").action
    values = {
        "slug": plan.slug,
        "ref": action.ref,
        "code": action.criterion.code,
        "abbreviation": unit.abbreviation,
        "unit": unit.abbreviation,
        "period": plan.periods.earliest("number").number,
        "pk": Evidence.objects.filter(action__plan=plan).earliest("pk").pk,
        "key": UUID(int=1),
        "name": "close",
    }
    patterns = {pattern.name: pattern.pattern.converters for pattern in named_patterns()}
    return {name: reverse(name, kwargs={key: values.get(key, "0") for key in keys}) for name, keys in patterns.items()}


def statements(reader: User, address: str, seen: set[str]) -> tuple[int, int]:
    """Return the status and the number of queries of a page; add the queries to those seen."""
    client = Client(raise_request_exception=False)  # the assertion names the pages that fail
    client.force_login(reader)
    ContentType.objects.clear_cache()
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
        if response.streaming:
            b"".join(response.streaming_content)
    seen |= {query["sql"] for query in queries}
    return response.status_code, len(queries)


def also_opened(plan: Plan, pages: dict[str, str]) -> list[str]:
    """Return addresses with filters, sort orders and past days, whose statements are others."""
    lists = [f"{pages['action_list']}?{query}" for query in FILTERED]
    everything = f"{pages['audit']}?since={plan.starts_on}"
    return [*lists, *(url for url in plan_addresses(plan).values() if "?" in url), everything]


def statements_in_world(*, is_large: bool = False, **options: int) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (reader, name of the URL) → status and number of queries, for the running plan of the same department.

    The coordinator opens every page, and the manager of the ministry those that are not of one plan. No query reads the
    whole of a table that grows.
    """
    seen: set[str] = set()
    with transaction.atomic():
        call_command("generate", verbosity=0, **options)
        coordinator, above = (User.objects.get(username=name) for name in (COORDINATOR, MANAGER_ABOVE))
        plan = coordinator.organization.plans.get(state=Plan.State.RUNNING)
        pages = addresses(plan, coordinator.memberships.get().unit)
        visits = [(coordinator, name) for name in pages if name not in BY_KIND]
        visits += [(above, name) for name, address in pages.items() if plan.slug not in address]
        counts = {(reader.username, name): statements(reader, pages[name], seen) for reader, name in visits}
        admin = UserFactory(is_superuser=True)
        also = [(coordinator, address) for address in also_opened(plan, pages)]
        for reader, address in [*also, (admin, pages["audit"]), (admin, f"{pages['plan_list']}?sort=overdue")]:
            assert statements(reader, address, seen)[0] == 200
        assert whole_reads(seen, is_large=is_large) == {}
        transaction.set_rollback(True)
    return counts


@pytest.mark.apart
@pytest.mark.skipif(not sizes.IS_FULL, reason="for make test-long")
def test_pages_among_100_000_actions_use_indexes(settings):
    """With the numbers of rows known, the planner chooses as on a large site."""
    settings.PMQA_DEMO = True
    small, full = statements_in_world(**SMALL), statements_in_world(is_large=True, **FULL)
    assert {page: (small[page], full[page]) for page in small if small[page] != full[page]} == {}


@pytest.mark.both_databases(only_full=True)
@pytest.mark.apart
def test_number_of_queries_does_not_depend_on_the_size_of_the_world(settings):
    settings.PMQA_DEMO = True
    small = statements_in_world(**SMALL)
    if not sizes.ON_POSTGRESQL or sizes.IS_FULL:  # the number of queries is the same; there, each must be possible
        large = statements_in_world(**LARGE)
        assert {page: (small[page], large[page]) for page in small if small[page] != large[page]} == {}
    opened = {name: status for (reader, name), (status, _count) in small.items() if reader == COORDINATOR}
    assert {name for name, status in opened.items() if status not in (200, 302, 405)} == UNKNOWN
