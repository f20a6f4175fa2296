"""Reports write nothing: every write is refused while each page and workbook is fetched.

Only background tasks are written, which belong to the frame, and one row for each download, of the audit.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from assignments.models import User
from pmqa_tracker import urls
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PLAN = "/plans/2562-2563"
DAYS = "as_of=2020-02-10&since=2019-12-31"
READ_BY_GET = {
    "home": ["/"],
    "plan_list": ["/plans/", "/plans/?q=แผน&sort=-overdue"],
    "dashboard": ["dashboard/", f"dashboard/?{DAYS}&unit=กพร.&category=1&sort=done", "dashboard/?live=1&by=period"],
    "maturity_map": ["criteria/", "criteria/?pass=1.2.1-A&unlock=10&target=400&as_of=2020-02-10"],
    "criterion_detail": ["criteria/1.2.1/"],
    "timeline": ["timeline/", "timeline/?status=BLOCKED&as_of=2020-02-10"],
    "maturity_map_xlsx": ["criteria.xlsx"],
    "timeline_xlsx": ["timeline.xlsx"],
    "unit_list_xlsx": ["units.xlsx?sort=-total"],
    "unit_list": ["units/", f"units/?{DAYS}"],
    "unit_detail": ["units/กพร./", "units/ทุกหน่วยงาน/"],
    "report_list": ["reports/"],
    "plan_form": ["reports/plan-form.xlsx", "reports/plan-form.xlsx?status=no"],
    "progress_report": [f"reports/progress.xlsx?{DAYS}"],
    "unit_report": ["units/กพร./progress.xlsx"],
    "meeting_pack": ["reports/meeting/", f"reports/meeting/?{DAYS}"],
    "meeting_word": ["reports/meeting.docx"],
}
RECORD = 'INSERT INTO "audit_event" '
BACKGROUND = {"prepare", "prepared", "prepared_file"}  # test_background refuses writes for these


class WriteRefusedError(Exception):
    """A statement would have changed the database."""


@contextmanager
def writes_refused() -> Iterator[None]:
    """Refuse every statement that inserts, updates or deletes, also in a subquery; but for the record of a download."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if (
            re.match(
                r"\s*(INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|WITH\b.*\b(INSERT|UPDATE|DELETE)\b)", sql, re.I | re.S
            )
            and '"pmqa_tracker_backgroundtask"' not in sql
            and not sql.startswith(RECORD)
        ):
            raise WriteRefusedError(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def test_a_write_is_refused(manager: User) -> None:
    with writes_refused():
        assert User.objects.get() == manager
        with pytest.raises(WriteRefusedError), transaction.atomic():
            UserFactory()
        with pytest.raises(WriteRefusedError), transaction.atomic():
            User.objects.update(first_name="x")
        with pytest.raises(WriteRefusedError), transaction.atomic():
            manager.delete()


def test_every_report_url_is_in_this_test() -> None:
    (reports,) = (each for each in urls.urlpatterns if "reports.urls" in repr(getattr(each, "urlconf_module", "")))
    assert {pattern.name for pattern in reports.url_patterns} == READ_BY_GET.keys() | BACKGROUND
    assert not list(apps.get_app_config("reports").get_models())


@pytest.mark.parametrize("name", READ_BY_GET)
def test_a_page_or_workbook_writes_nothing(demo: None, client: Any, coordinator: User, name: str) -> None:
    client.force_login(coordinator)
    with writes_refused():
        for address in READ_BY_GET[name]:
            response = client.get(address if address.startswith("/") else f"{PLAN}/{address}", follow=True)
            assert response.status_code == 200
            assert b"".join(response) != b""
