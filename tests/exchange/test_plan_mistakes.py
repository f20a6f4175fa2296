"""Mistakes in a whole-plan workbook: one pass names each at its cell, and nothing that only follows from one."""

import random
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.db import transaction

from assignments.access import Access
from exchange.models import ImportJob
from exchange.run import ImportRun
from exchange.whole_plan.export import build_plan_book
from exchange.whole_plan.planner import plan_changes
from exchange.whole_plan.tables import PLAN, PLAN_FIELDS, TABLES
from pmqa_tracker import clock
from pmqa_tracker.parsing.cell import EMPTY_CELL, ReadCell
from pmqa_tracker.tasks.models import ignore_progress
from spreadsheets.read import ReadWorkbook, read_workbook
from tests import sizes
from tests.exchange.workbooks import saved
from tests.factories import (
    ActionItemFactory,
    AssessmentFactory,
    CategoryFactory,
    CriterionFactory,
    FrameworkFactory,
    OrganizationFactory,
    PlanFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
    VerdictFactory,
)

pytestmark = pytest.mark.django_db
PERIODS, UNITS, CATEGORIES, CRITERIA, VERDICTS, ACTIONS = TABLES
FIRST = 4  # row of the first record on each sheet
COLUMNS = {(sheet, field.name): place for sheet in TABLES for place, field in enumerate(TABLES[sheet], start=1)}
COLUMNS |= {(PLAN, field.name): 2 for field in PLAN_FIELDS}
LINES = {field.name: row for row, field in enumerate(PLAN_FIELDS, start=FIRST)}
LONG = "ย" * 400


@pytest.fixture
def book():
    """The workbook of a plan with everything of its own, as another site exports it."""
    with transaction.atomic():
        data = saved(build_plan_book(make_plan()))
        transaction.set_rollback(True)
    return read_workbook(data, "แผน.xlsx")


def make_plan():
    """Two editions; three categories with a heading and two criteria each; four periods, five units, 24 actions."""
    organization = OrganizationFactory(name="กรมตัวอย่าง", short_name="กตย.")
    before = FrameworkFactory(slug="old-2560", fiscal_year=2560)
    framework = FrameworkFactory(slug="new-2565", fiscal_year=2565, previous=before)
    units = [
        UnitFactory(
            organization=organization, abbreviation=f"{letter * 3}.", name_th=f"กอง{letter * 5}", position=place
        )
        for place, letter in enumerate("กขคง")
    ]
    everybody = UnitFactory(
        organization=organization, abbreviation="ทุกหน่วยงาน", name_th="ทุกหน่วยงาน", is_collective=True, position=90
    )
    everybody.members.set(units[:3])
    days = [date(2020, 10, 1), date(2021, 1, 1), date(2021, 4, 1), date(2021, 7, 1), date(2021, 10, 1)]
    plan = PlanFactory(
        slug="2570", organization=organization, starts_on=days[0], ends_on=days[4] - timedelta(1),
        periods=[(first, following - timedelta(1)) for first, following in pairwise(days)],
        assessment=AssessmentFactory(organization=organization, framework=framework, name="การประเมินปี 2563"),
    )  # fmt: skip
    periods = list(plan.periods.order_by("number"))
    number = 0
    for place in range(1, 4):
        old = CategoryFactory(framework=before, number=place)
        category = CategoryFactory(framework=framework, number=place)
        top = CriterionFactory(category=category, code=f"{place}.1", position=1)
        for child in (1, 2):
            code = f"{place}.1.{child}"
            criterion = CriterionFactory(category=category, parent=top, code=code, position=child + 1, change="SAME")
            criterion.predecessors.set([CriterionFactory(category=old, code=code)])
            requirements = [RequirementFactory(criterion=criterion, level=level) for level in (1, 2, 3)]
            for requirement in requirements:
                VerdictFactory(assessment=plan.assessment, requirement=requirement)
            for each in range(4):
                number += 1
                first = number % 3
                ActionItemFactory(
                    plan=plan, criterion=criterion, requirements=[requirements[each % 3]], ref=f"R-{number}",
                    number=str(each + 1), text=f"จัดทำรายการที่ {number}", lead=[units[number % 4]],
                    support=[units[(number + 3) % 4]], first_period=periods[first], last_period=periods[first + 1],
                )  # fmt: skip
    return plan


@pytest.fixture
def person():
    """The administrator of a site that has the organization and the edition before, and nothing else of the plan."""
    OrganizationFactory(name="กรมตัวอย่าง", short_name="กตย.")
    before = FrameworkFactory(slug="old-2560", fiscal_year=2560)
    for place in range(1, 4):
        category = CategoryFactory(framework=before, number=place)
        for child in (1, 2):
            CriterionFactory(category=category, code=f"{place}.1.{child}")
    return UserFactory(is_superuser=True, organization=None)


def planted(book, cells):
    """The workbook with other values in some cells: (sheet, row, name) → value."""
    sheets = {sheet.name: replace(sheet, rows=[list(row) for row in sheet.rows]) for sheet in book.sheets}
    for (sheet, row, name), value in cells.items():
        rows, column = sheets[sheet].rows, COLUMNS[sheet, name]
        rows[row - 1] += [EMPTY_CELL] * (column - len(rows[row - 1]))
        rows[row - 1][column - 1] = ReadCell(value)
    return ReadWorkbook(sheets=list(sheets.values()))


def found_in(book, cells, person):
    """The places of the errors of the workbook with these cells, and the notes."""
    job = ImportJob(kind=ImportJob.Kind.NEW_PLAN, by=person, file_name="แผน.xlsx")
    run = ImportRun(
        job=job, book=planted(book, cells), access=Access.of(person), at=clock.now(), on_progress=ignore_progress
    )
    findings = plan_changes(run).findings
    return [(error.sheet, error.row, error.column) for error in findings.errors], findings.notes


# (sheet, row, name), the typed value, and the rows that use the wrong row; 0 where no cell can name it.
MISTAKES = [
    (PLAN, "slug", None, 0), (PLAN, "slug", "ก/1", 0), (PLAN, "title", None, 0), (PLAN, "title", LONG, 0),
    (PLAN, "organization", "ไม่มีกรมนี้", 0), (PLAN, "starts_on", "วันหนึ่ง", 0), (PLAN, "starts_on", "1/10/2570", 0),
    (PLAN, "ends_on", None, 0), (PLAN, "previous", "ไม่มี", 0), (PLAN, "assessment", None, 0),
    (PLAN, "kind", "ใครก็ได้", 0), (PLAN, "assessed_on", "เมื่อวาน", 0), (PLAN, "framework", None, 0),
    (PLAN, "framework", "ก 1", 0), (PLAN, "framework_name", None, 0), (PLAN, "edition", None, 0),
    (PLAN, "fiscal_year", "ปีหน้า", 0), (PLAN, "fiscal_year", 99, 0), (PLAN, "previous_framework", "old-2561", 6),
    (PLAN, "previous_framework", None, 6), (PLAN, "basic_points", "มาก", 0), (PLAN, "advance_points", -1, 0),
    (PLAN, "significance_points", "x", 0), (PLAN, "are_points_confirmed", "อาจจะ", 0),
    (PERIODS, "number", "สอง", 16), (PERIODS, "number", 1, 16), (PERIODS, "starts_on", "วันหนึ่ง", 16),
    (PERIODS, "starts_on", "1/12/2563", 16), (PERIODS, "ends_on", "31/2/2564", 16), (PERIODS, "ends_on", None, 16),
    (PERIODS, "ends_on", "31/3/2563", 16), (PERIODS, "ends_on", "31/3/2565", 16),
    (UNITS, "abbreviation", None, 13), (UNITS, "abbreviation", "ข/1", 13), (UNITS, "name_th", None, 13),
    (UNITS, "is_active", "อาจจะ", 13), (UNITS, "is_collective", "บางครั้ง", 13), (UNITS, "members", "กกก.", 0),
    (UNITS, "position", "ต้น", 13), (UNITS, "name_th", LONG, 13),
    (CATEGORIES, "number", None, 3), (CATEGORIES, "number", "สอง", 3), (CATEGORIES, "number", 1, 3),
    (CATEGORIES, "name", None, 3), (CATEGORIES, "name", LONG, 3),
    (CRITERIA, "code", None, 7), (CRITERIA, "code", "ก ข", 7), (CRITERIA, "category", 9, 7),
    (CRITERIA, "category", 1, 7), (CRITERIA, "parent", "7.7", 7), (CRITERIA, "title", None, 7),
    (CRITERIA, "position", "ต้น", 7), (CRITERIA, "change", "เดิมๆ", 7), (CRITERIA, "change", "เกณฑ์ใหม่", 7),
    (CRITERIA, "predecessors", "9.9.9", 7), (CRITERIA, "predecessors", None, 7),
    (VERDICTS, "criterion", "9.9.9", 2), (VERDICTS, "criterion", "1.1", 2), (VERDICTS, "level", None, 2),
    (VERDICTS, "level", "Z", 2), (VERDICTS, "passed", "เกือบ", 0), (VERDICTS, "passed", None, 0),
    (VERDICTS, "printed", "บางส่วน", 0),
    (ACTIONS, "ref", "ก/1", 0), (ACTIONS, "ref", "R-1", 0), (ACTIONS, "criterion", "9.9.9", 0),
    (ACTIONS, "criterion", None, 0), (ACTIONS, "levels", "Z", 0), (ACTIONS, "levels", None, 0),
    (ACTIONS, "number", "12345678901", 0), (ACTIONS, "position", "ต้น", 0), (ACTIONS, "text", None, 0),
    (ACTIONS, "first", "ปีหน้า", 0), (ACTIONS, "first", 4, 0), (ACTIONS, "first", None, 0), (ACTIONS, "last", "ไม่มี", 0),
    (ACTIONS, "last", 1, 0), (ACTIONS, "basis", "เดา", 0), (ACTIONS, "lead", "กองที่ไม่มี", 0),
    (ACTIONS, "support", "กกก., ไม่มี", 0),
]  # fmt: skip
# Where the whole row is wrong, or a line of the plan sheet other than the one that was changed.
WHOLE_ROW = {
    (PERIODS, "starts_on", "1/12/2563"), (PERIODS, "ends_on", "31/3/2563"), (PERIODS, "ends_on", "31/3/2565"),
    (ACTIONS, "first", None),
}  # fmt: skip
ELSEWHERE = {
    (CRITERIA, "category", 1): "parent", (CRITERIA, "change", "เกณฑ์ใหม่"): "predecessors",
    (ACTIONS, "first", 4): "last",
}  # fmt: skip
ROWS = {PERIODS: 5, UNITS: 5, CATEGORIES: 6, CRITERIA: 8, VERDICTS: 16, ACTIONS: 10}
FRAMEWORK_LINES = {"framework", "framework_name", "edition", "fiscal_year", "previous_framework"}


def expected(mistake, row):
    """Where the error of a mistake is."""
    sheet, name, _value = mistake
    if mistake in WHOLE_ROW:
        return sheet, row, ""
    name = ELSEWHERE.get(mistake, name)
    return sheet, LINES[name] if sheet == PLAN else row, chr(ord("A") + COLUMNS[sheet, name] - 1)


def test_every_mistake_is_named_alone(book, person):
    """In each column of each sheet; the rows that use a wrong one are counted once."""
    assert found_in(book, {}, person) == ([], [])
    wrong = []
    for sheet, name, value, users in MISTAKES:
        row = LINES[name] if sheet == PLAN else 11 if (name, value) == ("last", 1) else ROWS[sheet]
        places, notes = found_in(book, {(sheet, row, name): value}, person)
        counted = [f"“{sheet}”" in note and f"(มี {users} แถว" in note for note in notes]
        if places != [expected((sheet, name, value), row)] or counted != [True] * bool(users):
            wrong.append((sheet, name, value, users, places, notes))
    assert wrong == [], "\n".join(map(str, wrong))


SIX = {
    (PLAN, "assessed_on"): "เมื่อวาน", (PERIODS, "ends_on"): "31/2/2564", (UNITS, "is_active"): "อาจจะ",
    (CRITERIA, "title"): None, (VERDICTS, "passed"): "เกือบ", (ACTIONS, "lead"): "กองที่ไม่มี",
}  # fmt: skip


@pytest.mark.parametrize("part", range(2))
def test_mistakes_are_named_together(book, person, part):
    """Six of different kinds in six sheets; and several anywhere. Errors come in the order of the sheets."""
    chance = random.Random(10 * sizes.SEED + part)  # noqa: S311 - to be the same again
    cases = [{(sheet, name): value for (sheet, name), value in SIX.items()}] if part == 0 else []
    cases += [dict(choose(chance)) for _ in range(sizes.scaled(60))]
    order = [sheet.name for sheet in book.sheets]
    for case in cases:
        cells, wanted = {}, []
        for (sheet, name), value in case.items():
            row = LINES[name] if sheet == PLAN else 11 if name == "last" else ROWS[sheet]
            cells[sheet, row, name] = value
            wanted.append(expected((sheet, name, value), row))
        places, notes = found_in(book, cells, person)
        wanted.sort(key=lambda place: (order.index(place[0]), *place[1:]))
        assert places == wanted, "\n".join(map(str, case.items()))
        assert len(notes) == len(set(notes))


def choose(chance):
    """Some mistakes that have nothing to do with each other, one in each row."""
    taken = set()
    for sheet, name, value, _users in chance.sample(MISTAKES, len(MISTAKES)):
        part = (sheet, name) if sheet == PLAN else (sheet, name == "last")
        if sheet == PLAN and name in FRAMEWORK_LINES:
            part = (sheet, "framework")
        if sheet == PLAN and name in ("starts_on", "ends_on"):
            part = (sheet, "days")
        # The predecessors of a criterion need the edition before, which the plan sheet names.
        parts = {part, (PLAN, "framework")} if name in ("change", "predecessors") else {part}
        if not parts & taken and chance.random() < 0.5:
            taken |= parts
            yield (sheet, name), value


def test_preview_shows_the_members_of_a_collective(book, person):
    job = ImportJob(kind=ImportJob.Kind.NEW_PLAN, by=person, file_name="แผน.xlsx")
    run = ImportRun(job=job, book=book, access=Access.of(person), at=clock.now(), on_progress=ignore_progress)
    rows = plan_changes(run).findings.rows
    [row] = [row for row in rows if (row.sheet, row.name) == (UNITS, "ทุกหน่วยงาน")]
    assert ("หน่วยงานในกลุ่ม", "กกก., ขขข., คคค.") in [(cell.heading, cell.after) for cell in row.cells]


def test_given_ref_is_not_that_of_another_row_in_other_letters(book, person):
    cells = {(ACTIONS, FIRST, "ref"): "1.1.1-b-1", (ACTIONS, FIRST + 4, "ref"): None, (ACTIONS, FIRST + 3, "ref"): None}
    assert found_in(book, cells, person) == ([], [])
