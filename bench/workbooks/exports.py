"""Compare the export of 20,000 actions with django-import-export, in time and memory: `make bench-workbooks`.

Both read the same rows with the same relations and write the same columns, in alternating rounds of one run. The memory
is the peak of a separate process that answers one download.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from copy import copy
from datetime import date, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter
from uuid import uuid4

from django.db import connection
from django.utils import timezone
from django.utils.translation import override
from import_export import fields, resources
from import_export.formats.base_formats import XLSX
from openpyxl import Workbook
from openpyxl.styles import NamedStyle

from assignments.models import Assignment
from plan.actions.table import action_table
from plan.as_of import AsOf, on_day
from plan.models import ActionItem, Due, Health, Plan, ProgressUpdate, Status
from plan.models.action import ActionItemQuerySet
from plan.templatetags.plan_tags import schedule
from pmqa_tracker import clock, thai
from reports.progress.read import read_report
from reports.progress.workbook import write_report
from spreadsheets.downloads import finished_workbook, workbook_file
from spreadsheets.list_export import write_list
from spreadsheets.styles import count_lines
from tests.factories import UserFactory

ROWS = 20_000
ROUNDS = 3
MIN_SPEEDUP = 12
MAX_MEMORY = 150  # MB
MAX_REPORT = 2  # times openpyxl


class ActionResource(resources.ModelResource):
    """The columns of the list for django-import-export, which reads each object field by field."""

    criterion = fields.Field("criterion", column_name="criterion")
    category = fields.Field("criterion__category", column_name="category")
    level = fields.Field(column_name="level")
    lead = fields.Field(column_name="lead")
    support = fields.Field(column_name="support")
    schedule = fields.Field(column_name="schedule")
    status = fields.Field(column_name="status")
    overdue = fields.Field(column_name="overdue")
    progress = fields.Field("progress_on", column_name="progress")
    expected = fields.Field("expected_on", column_name="expected")
    health = fields.Field(column_name="health")
    updated = fields.Field(column_name="updated")

    class Meta:
        model = ActionItem
        chunk_size = ROWS  # by default it reads 100 rows at a time by offset, which takes ten times as long
        fields = export_order = (
            "ref", "criterion", "category", "level", "text", "lead", "support", "schedule", "status", "overdue",
            "progress", "expected", "health", "updated",
        )  # fmt: skip

    def dehydrate_level(self, action: ActionItem) -> str:
        return ", ".join(each.get_level_display() for each in action.requirements.all())

    def dehydrate_lead(self, action: ActionItem) -> str:
        return ", ".join(each.unit.abbreviation for each in action.lead)

    def dehydrate_support(self, action: ActionItem) -> str:
        return ", ".join(each.unit.abbreviation for each in action.support)

    def dehydrate_schedule(self, action: ActionItem) -> str:
        return schedule(action)

    def dehydrate_status(self, action: ActionItem) -> str:
        return str(Status(action.status_on).label)

    def dehydrate_overdue(self, action: ActionItem) -> str:
        return str(Due.OVERDUE.label) if action.due == Due.OVERDUE else ""

    def dehydrate_health(self, action: ActionItem) -> str:
        return str(Health(action.health).label)

    def dehydrate_updated(self, action: ActionItem) -> datetime | None:
        return action.updated_at and timezone.localtime(action.updated_at).replace(tzinfo=None)


def grow(plan: Plan, rows: int) -> None:
    """Copy the actions of the plan until it has `rows`, with their units, levels and two updates each."""
    chance, person = Random(5), UserFactory()  # noqa: S311 - the same plan in every run
    models = list(plan.actions.with_details())
    copies, sources = [], []
    for number in range(rows - len(models)):
        source = models[number % len(models)]
        copies.append(
            ActionItem(
                plan=plan,
                criterion=source.criterion,
                ref=f"{source.ref}.{number}",
                text=source.text,
                search_text=source.search_text,
                position=source.position,
                first_period=source.first_period,
                last_period=source.last_period,
            )
        )
        sources.append(source)
    made = ActionItem.objects.bulk_create(copies, batch_size=2_000)
    link = ActionItem.requirements.through
    link.objects.bulk_create(
        (
            link(actionitem=action, requirement=requirement)
            for action, source in zip(made, sources, strict=True)
            for requirement in source.requirements.all()
        ),
        batch_size=2_000,
    )
    Assignment.objects.bulk_create(
        (
            Assignment(action=action, unit=each.unit, role=each.role, position=each.position)
            for action, source in zip(made, sources, strict=True)
            for each in source.assignments.all()
        ),
        batch_size=2_000,
    )
    begins_at = thai.start_of(date(2019, 9, 1))
    ProgressUpdate.objects.bulk_create(
        (
            ProgressUpdate(
                action=action,
                op_id=uuid4(),
                version=version,
                author=person,
                at=begins_at + timedelta(days=chance.randrange(80), hours=2_000 * version),
                status_from=Status.NOT_STARTED if version == 2 else Status.IN_PROGRESS,
                status_to=Status.IN_PROGRESS,
                progress_from=0,
                progress_to=chance.randrange(100),
                result="จัดทำร่างแนวทางแล้ว",
            )
            for action in made
            for version in (2, 3)
        ),
        batch_size=2_000,
    )


def rows_of(plan: Plan) -> tuple[ActionItemQuerySet, AsOf]:
    """Return all actions on a day in the middle of the plan, as the list page queries them."""
    as_of = on_day(plan, date(2020, 5, 15), plan.periods.all())
    return plan.actions.as_of(as_of).in_order(), as_of


def ours(plan: Plan) -> int:
    """Write the list with our code; return its size in bytes."""
    actions, as_of = rows_of(plan)
    return len(write_list(action_table(plan, actions, as_of, notes=["ณ วันที่ 15 พ.ค. 2563"])).getvalue())


def theirs(plan: Plan) -> int:
    """Write the list with django-import-export; return its size in bytes."""
    actions, _as_of = rows_of(plan)
    return len(XLSX().export_data(ActionResource().export(actions.with_details())))


def seconds(write: Callable[[Plan], int], plan: Plan) -> float:
    """Return the time to write one workbook."""
    start = perf_counter()
    write(plan)
    return perf_counter() - start


def write_cells(book: Workbook) -> int:
    """Write the cells of a workbook into a new one with openpyxl alone: values, looks, widths and heights."""
    copied, names = Workbook(), {}
    for source in book:
        sheet = copied.create_sheet(source.title)
        for row in source.iter_rows():
            for cell in row:
                if not cell.has_style:
                    continue
                look = tuple(cell._style)
                if look not in names:
                    names[look] = NamedStyle(
                        f"look {len(names)}", font=copy(cell.font), fill=copy(cell.fill), border=copy(cell.border),
                        alignment=copy(cell.alignment), number_format=cell.number_format,
                    )  # fmt: skip
                    copied.add_named_style(names[look])
                written = sheet.cell(cell.row, cell.column, cell.value)
                written.style = names[look].name
        for number, dimension in source.row_dimensions.items():
            sheet.row_dimensions[number].height = dimension.height
        for letter, dimension in source.column_dimensions.items():
            sheet.column_dimensions[letter].width = dimension.width
    return len(workbook_file(copied).getvalue())


def compare_report(plan: Plan) -> float:
    """Return the time to write the progress report, over the time that openpyxl alone takes for the same cells.

    Both write what is already read, and neither knows the height of a text yet.
    """
    as_of = on_day(plan, date(2020, 5, 15), plan.periods.all())
    since = on_day(plan, date(2020, 4, 10), plan.periods.all())
    with override("th"):
        data = read_report(plan, as_of, since, [])
        book = write_report(data, made_by="", made_at=clock.now())
        ratios = []
        for _round in range(ROUNDS):
            count_lines.cache_clear()
            ours = timed(lambda: finished_workbook(write_report(data, made_by="", made_at=clock.now())))
            ratios.append(ours / timed(lambda: write_cells(book)))
    return median(ratios)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def memory(plan: Plan) -> float:
    """Return the peak memory, in MB, of a process that answers one download of the list."""
    name = connection.settings_dict["NAME"]
    test_url = os.environ.get("TEST_DATABASE_URL", "")
    url = f"{test_url.rsplit('/', 1)[0]}/{name}" if test_url else f"sqlite:///{name}"
    process = subprocess.run(
        [sys.executable, "-m", "bench.workbooks.child", f"/plans/{plan.slug}/actions.xlsx"],
        env=os.environ | {"TEST_DATABASE_URL": url}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(process.stdout)


def main() -> None:
    """Print both times, their ratio, and the memory of our export; the database has one plan."""
    plan = Plan.objects.get()
    ratio = compare_report(plan)
    sys.stdout.write(
        f"\nThe progress report of {plan.actions.count():,} actions, median of {ROUNDS} rounds: {ratio:.1f} times as"
        f" long as openpyxl writing the same cells (at most {MAX_REPORT})\n"
    )
    grow(plan, ROWS)
    ours(plan)  # warm up
    pairs = [(seconds(theirs, plan), seconds(ours, plan)) for _round in range(ROUNDS)]
    ratio = median(their / our for their, our in pairs)
    our, their = median(our for _their, our in pairs), median(their for their, _our in pairs)
    sys.stdout.write(
        f"\nThe list of {ROWS:,} actions as a workbook, median of {ROUNDS} rounds\n"
        f"django-import-export {their:.2f} s, the current view {our:.2f} s: {ratio:.1f} times faster"
        f" (at least {MIN_SPEEDUP})\n"
        f"a process that writes it takes {memory(plan):.0f} MB (less than {MAX_MEMORY})\n"
    )
