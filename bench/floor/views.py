"""Views of the floor: two or three statements of SQL and a table each."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.contrib.auth.decorators import login_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

SLUG = "2562-2563"
ACTIONS = """
    SELECT a.id, a.ref, a.text, a.status, a.progress, f.starts_on, l.ends_on
    FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id
    LEFT JOIN plan_period f ON f.id = a.first_period_id LEFT JOIN plan_period l ON l.id = a.last_period_id
    WHERE p.slug = %s
"""
UNITS = """
    SELECT s.action_id, u.abbreviation, s.role
    FROM assignments_assignment s JOIN assignments_unit u ON u.id = s.unit_id
    WHERE s.action_id IN ({}) ORDER BY s.role, s.position
"""


def select(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def with_units(actions: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Append the units of each action; one statement."""
    names: dict[int, list[str]] = {}
    if actions:
        marks = ", ".join(["%s"] * len(actions))
        for action, unit, _role in select(UNITS.format(marks), *(row[0] for row in actions)):
            names.setdefault(action, []).append(unit)
    return [(*row, ", ".join(names.get(row[0], ()))) for row in actions]


@login_required
def action_list(request: HttpRequest) -> HttpResponse:
    """Show 50 actions, searched and filtered."""
    where, values = "", [SLUG]
    if status := request.GET.get("status"):
        where, values = where + " AND a.status = %s", [*values, status]
    if text := request.GET.get("q"):
        where, values = where + " AND a.search_text LIKE %s", [*values, f"%{text}%"]
    rows = with_units(select(f"{ACTIONS} {where} ORDER BY a.criterion_id, a.position LIMIT 50", *values))
    return render(request, "table.html", {"title": "รายการ", "rows": rows})


@login_required
def my(request: HttpRequest) -> HttpResponse:
    """Show the actions of the user's units."""
    mine = """
        AND a.id IN (SELECT s.action_id FROM assignments_assignment s
        LEFT JOIN assignments_unit_members c ON c.from_unit_id = s.unit_id
        JOIN assignments_membership m ON m.unit_id = s.unit_id OR m.unit_id = c.to_unit_id WHERE m.user_id = %s)
    """
    rows = with_units(select(f"{ACTIONS} {mine} ORDER BY a.criterion_id, a.position", SLUG, request.user.pk))
    return render(request, "table.html", {"title": "งานของฉัน", "rows": rows})


@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """Count the actions of each unit by status, on a past day by the last update before it."""
    status, values = "a.status", [SLUG]
    if day := request.GET.get("as_of"):
        status = """
            COALESCE((SELECT u.status_to FROM plan_progressupdate u WHERE u.action_id = a.id AND u.at < %s
            ORDER BY u.version DESC LIMIT 1), 'NOT_STARTED')
        """
        values = [f"{day} 23:59:59+07", SLUG]
    rows = select(
        f"""
        SELECT abbreviation, state, count(*), avg(progress) FROM (
            SELECT n.abbreviation, {status} AS state, a.progress
            FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id
            JOIN assignments_assignment s ON s.action_id = a.id JOIN assignments_unit n ON n.id = s.unit_id
            WHERE p.slug = %s
        ) counted GROUP BY abbreviation, state ORDER BY abbreviation, state
        """,  # noqa: S608 - no part of it is typed
        *values,
    )
    return render(request, "table.html", {"title": "ภาพรวม", "rows": rows})


@login_required
def maturity(request: HttpRequest) -> HttpResponse:
    """Show the verdict of each requirement."""
    rows = select(
        """
        SELECT c.code, c.title, r.level, v.passed, v.reason FROM criteria_verdict v
        JOIN criteria_requirement r ON r.id = v.requirement_id JOIN criteria_criterion c ON c.id = r.criterion_id
        JOIN plan_plan p ON p.assessment_id = v.assessment_id WHERE p.slug = %s ORDER BY c.code, r.level
        """,
        SLUG,
    )
    return render(request, "table.html", {"title": "แผนที่ระดับ", "rows": rows})


@login_required
def timeline(request: HttpRequest) -> HttpResponse:
    """Show all actions with their first and last day."""
    rows = with_units(select(f"{ACTIONS} ORDER BY a.criterion_id, a.position", SLUG))
    return render(request, "table.html", {"title": "แผนภาพเวลา", "rows": rows})


@login_required
def action(request: HttpRequest, ref: str) -> HttpResponse:
    """Show an action with its updates and a form; record the progress that was typed."""
    found = with_units(select(f"{ACTIONS} AND a.ref = %s", SLUG, ref))[0]
    if request.method == "POST":
        record(found, int(request.POST["progress"]), request.POST["result"], request.user.pk)
        return HttpResponseRedirect(request.path)
    updates = select(
        """
        SELECT u.at, n.username, u.status_to, u.progress_to, u.result FROM plan_progressupdate u
        JOIN assignments_user n ON n.id = u.author_id WHERE u.action_id = %s ORDER BY u.version DESC
        """,
        found[0],
    )
    return render(request, "table.html", {"title": ref, "action": found, "rows": [found, *updates]})


def record(found: tuple[Any, ...], progress: int, result: str, user: int) -> None:
    """Record an update of an action as IN_PROGRESS."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE plan_actionitem SET status = 'IN_PROGRESS', progress = %s, version = version + 1 WHERE id = %s
            RETURNING version
            """,
            [progress, found[0]],
        )
        version = cursor.fetchone()[0]
        cursor.execute(
            """
            INSERT INTO plan_progressupdate (address, op_id, version, at, status_from, status_to, progress_from,
                progress_to, result, problem, next_step, reason, is_unchanged, source, file_name, action_id, author_id)
            VALUES ('', %s, %s, %s, %s, 'IN_PROGRESS', %s, %s, %s, '', '', 'ตามจริง', %s, 'WEB', '', %s, %s)
            """,
            [uuid4().hex, version, timezone.now(), found[3], found[4], progress, result, False, found[0], user],
        )


urlpatterns = [
    path("list/", action_list),
    path("my/", my),
    path("overview/", overview),
    path("map/", maturity),
    path("timeline/", timeline),
    path("action/<str:ref>/", action),
]
