"""Compare the preview of a data sheet with reading its cells, for more and more changed rows: `make bench-workbooks`.

`python -m bench.workbooks.data_sheet` measures only this. The ratio is comparable between machines; seconds are not.
"""

import os
import sys
from collections.abc import Callable
from io import BytesIO
from statistics import median
from time import perf_counter
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext, setup_databases, teardown_databases  # noqa: E402
from django.utils.translation import override  # noqa: E402
from openpyxl import load_workbook  # noqa: E402

from assignments.access import Access  # noqa: E402
from assignments.models import User  # noqa: E402
from exchange.data_sheet.columns import ACTION_COLUMNS  # noqa: E402
from exchange.data_sheet.export import SHEET  # noqa: E402
from exchange.models import ImportJobState  # noqa: E402
from exchange.undo import undo_import  # noqa: E402
from plan.models import Plan  # noqa: E402
from pmqa_tracker import clock  # noqa: E402
from spreadsheets.read import read_workbook  # noqa: E402
from tests.exchange.workbooks import confirm, exported, preview  # noqa: E402

ACTIONS, ROUNDS = 5_000, 3
MAX_PREVIEW = 3  # times reading the cells
HEADER_ROW = 3


def changed(book: Any, rows: range) -> bytes:
    """The data sheet with a report in each of these rows, and another text in every second one."""
    sheet = book[SHEET]
    columns = {cell.value: cell.column for cell in sheet[HEADER_ROW]}
    places = {name: columns[column.heading] for name, column in ACTION_COLUMNS.items()}
    for row in rows:
        values = {"status": "อยู่ระหว่างดำเนินการ", "progress": 77, "result": f"ครั้งที่ {row}", "reason": "ทบทวน"}
        if row % 2:
            values["text"] = f"{sheet.cell(row, places['text']).value} ฉบับปรับปรุง"
        for name, value in values.items():
            sheet.cell(row, places[name]).value = value
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def timed(work: Callable[..., Any], *args: Any, **options: Any) -> tuple[float, Any]:
    """The seconds that a call takes, and its result."""
    start = perf_counter()
    result = work(*args, **options)
    return perf_counter() - start, result


def main() -> None:
    options = ("--organizations=1", "--plans=1", "--seed=77", f"--actions={ACTIONS}", "--max-updates=2", "--force")
    call_command("generate", *options, verbosity=0)
    plan = Plan.objects.latest("pk")
    person = User.objects.filter(organization=plan.organization, groups__name="coordinator").earliest("pk")
    with override("th"):
        book = load_workbook(BytesIO(exported(plan)))
        first = HEADER_ROW + 1
        for count in (ACTIONS // 4, ACTIONS // 2, ACTIONS):
            data = changed(book, range(first, HEADER_ROW + 1 + count))
            first = HEADER_ROW + 1 + count
            reading, showing = [], []
            for _round in range(ROUNDS):
                reading.append(timed(read_workbook, data, "a.xlsx")[0])
                seconds, job = timed(preview, data, plan, person)
                showing.append(seconds)
                assert job.state == ImportJobState.PREVIEW, job.findings["errors"][:3]
            ratio = median(showing) / median(reading)
            sys.stdout.write(
                f"Preview of {count} changed rows: {median(showing):.1f} s, {ratio:.1f} times reading the cells "
                f"(limit {MAX_PREVIEW})\n"
            )
        with CaptureQueriesContext(connection) as statements:
            seconds, job = timed(confirm, job, person)
        sys.stdout.write(f"Import of {len(job.changes)} rows: {seconds:.1f} s, {len(statements)} statements\n")
        seconds, _undone = timed(undo_import, job=job, access=Access.of(person), at=clock.now())
        sys.stdout.write(f"Undo: {seconds:.1f} s\n")


if __name__ == "__main__":
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        main()
    finally:
        teardown_databases(databases, verbosity=0)
