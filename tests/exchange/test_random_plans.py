"""Random plans exported from one site and imported into an empty one stay the same."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from assignments.access import Access
from assignments.models import Assignment, Organization, Unit
from criteria.models import Assessment, Category, Criterion, Framework, Requirement, Verdict
from exchange.data_sheet import planner
from exchange.models import ImportJob, ImportJobState
from exchange.run import ImportRun
from exchange.whole_plan.export import build_plan_book
from exchange.whole_plan.planner import plan_changes
from plan.models import ActionItem, Period, Plan
from pmqa_tracker import clock
from pmqa_tracker.tasks.models import ignore_progress
from spreadsheets.read import read_workbook
from tests import sizes
from tests.exchange.workbooks import confirm, exported, preview, run_of, saved
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LETTERS = "กขคงจฉชดตนบปพมยรลวสหอะาิีุูเแโไ่้็์abcXYZ0129๐๑๙ .,-/()=+'\"&<>%–"
WORDS = st.text(LETTERS, max_size=40).map(str.strip)
# An apostrophe before a digit marks a code as a text: it is no part of the code.
MARKED = re.compile(r"'\d")
SOME = st.text(LETTERS, min_size=1, max_size=40).map(str.strip).filter(bool)
LINES = st.lists(WORDS, min_size=1, max_size=3).map("\n".join).map(str.strip)
NAMES = st.text("กขคงจชดตนบปพมยรลวสหอ", min_size=2, max_size=5).map("{}.".format)
DAY = date(2019, 10, 1)


@st.composite
def plans(draw: Any) -> dict[str, Any]:
    """A plan as plain values."""
    count = draw(st.integers(1, 4))
    units = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    criteria = draw(st.integers(1, 2))
    return {
        "title": draw(SOME),
        "organization": draw(SOME),
        "assessment": draw(SOME.filter(lambda text: not MARKED.match(text))),
        "assessed_on": draw(st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1))),
        "points": draw(st.tuples(*[st.integers(0, 1000)] * 3)),
        "confirmed": draw(st.booleans()),
        "periods": count,
        "days": draw(st.integers(20, 120)),
        "units": [(name, draw(SOME), draw(WORDS), draw(st.booleans()), draw(WORDS)) for name in units],
        "collective": draw(st.booleans()),
        "criteria": [
            (
                draw(SOME),
                draw(WORDS),
                draw(st.booleans()),
                [
                    (draw(LINES), draw(st.sampled_from([None, True, False])), draw(LINES), draw(st.booleans()))
                    for _each in range(3)
                ],
            )
            for _each in range(criteria)
        ],
        "actions": [
            (
                draw(st.integers(0, criteria - 1)),
                draw(st.sets(st.integers(1, 3), min_size=1)),
                draw(st.text(LETTERS, max_size=8).map(str.strip).filter(lambda text: not MARKED.match(text))),
                draw(LINES.filter(bool)),
                draw(st.none() | st.tuples(st.integers(1, count), st.integers(1, count)).map(sorted)),
                draw(st.sampled_from(ActionItem.Basis.values)),
                draw(st.lists(st.sampled_from(units), unique=True)),
                draw(st.lists(st.sampled_from(units), unique=True)),
                draw(WORDS),
            )
            for _each in range(draw(st.integers(0, 4)))
        ],
    }


def make(case: dict[str, Any]) -> Plan:
    """The plan with these values."""
    basic, advance, significance = case["points"]
    organization = Organization.objects.create(name=case["organization"], short_name=case["organization"])
    framework = Framework.objects.create(
        slug="f1", name=case["title"], edition=case["title"], fiscal_year=2562, basic_points=basic,
        advance_points=advance, significance_points=significance, are_points_confirmed=case["confirmed"],
    )  # fmt: skip
    assessment = Assessment.objects.create(
        organization=organization, framework=framework, name=case["assessment"], assessed_on=case["assessed_on"]
    )
    days = timedelta(case["days"])
    plan = Plan.objects.create(
        slug="2563", title=case["title"], organization=organization, assessment=assessment, starts_on=DAY,
        ends_on=DAY + days * case["periods"],
    )  # fmt: skip
    periods = [
        Period.objects.create(
            plan=plan, number=each + 1, starts_on=DAY + days * each, ends_on=DAY + days * (each + 1) - timedelta(1)
        )
        for each in range(case["periods"])
    ]
    units = {}
    for position, (name, thai_name, english, is_active, note) in enumerate(case["units"]):
        units[name] = Unit.objects.create(
            organization=organization, abbreviation=name, name_th=f"{thai_name} {position}", name_en=english,
            is_active=is_active, reading_note=note, position=position,
        )  # fmt: skip
    if case["collective"]:
        everybody = Unit.objects.create(
            organization=organization, abbreviation="ทุกหน่วยงาน", name_th="ทุกหน่วยงาน", is_collective=True, position=99
        )
        everybody.members.set(units.values())
    category = Category.objects.create(framework=framework, number=1, name=case["organization"])
    top = Criterion.objects.create(category=category, code="1.1", title=case["title"], position=1)
    requirements = {}
    for place, (title, note, is_child, levels) in enumerate(case["criteria"]):
        criterion = Criterion.objects.create(
            category=category, parent=top if is_child else None, code=f"1.{'1.' if is_child else ''}{place + 2}",
            title=title, reading_note=note, position=place + 2,
        )  # fmt: skip
        for level, (text, passed, reason, printed) in enumerate(levels, start=1):
            requirement = Requirement.objects.create(criterion=criterion, level=level, text=text)
            requirements[place, level] = requirement
            if passed is not None:
                Verdict.objects.create(
                    assessment=assessment, requirement=requirement, passed=passed, reason=reason, printed=printed
                )
    for number, (place, levels, printed, text, runs, basis, lead, support, note) in enumerate(case["actions"], start=1):
        action = ActionItem.objects.create(
            plan=plan, criterion=requirements[place, 1].criterion, ref=f"R-{number}", number=printed, position=number,
            text=text, schedule_basis=basis, reading_note=note,
            first_period=periods[runs[0] - 1] if runs else None, last_period=periods[runs[1] - 1] if runs else None,
        )  # fmt: skip
        action.requirements.set([requirements[place, level] for level in levels])
        for role, names in (("LEAD", lead), ("SUPPORT", support)):
            for position, name in enumerate(names, start=1):
                Assignment.objects.create(action=action, unit=units[name], role=role, position=position)
    return plan


def values_of(plan: Plan) -> dict[str, Any]:
    """Everything the workbook should contain, as plain values."""
    judged = plan.assessment
    criteria = Criterion.objects.in_order()
    shown = {each.pk for each in criteria if each.requirements.filter(verdicts__assessment=judged).exists()}
    shown |= set(plan.actions.values_list("criterion", flat=True))
    shown |= {each.parent_id for each in criteria if each.pk in shown}
    requirements = Requirement.objects.filter(criterion__in=shown).in_order()
    return {
        "plan": (plan.slug, plan.title, plan.organization.name, plan.starts_on, plan.ends_on, plan.previous_id),
        "assessment": (
            judged.name, judged.kind, judged.assessed_on, plan.framework.slug, plan.framework.name,
            plan.framework.edition, plan.framework.basic_points, plan.framework.advance_points,
            plan.framework.significance_points,
            plan.framework.are_points_confirmed,
        ),
        "periods": list(plan.periods.order_by("number").values_list("number", "starts_on", "ends_on")),
        "units": [
            (
                each.abbreviation, each.name_th, each.name_en, each.is_active, each.is_collective, each.position,
                each.reading_note, sorted(each.members.values_list("abbreviation", flat=True)),
            )
            for each in Unit.objects.in_order()
        ],
        "criteria": [
            (
                each.code, each.category.number, each.category.name, each.parent and each.parent.code, each.title,
                each.position, each.reading_note,
            )
            for each in criteria
            if each.pk in shown
        ],
        "verdicts": [
            (
                each.criterion.code, each.level, each.text,
                list(each.verdicts.filter(assessment=judged).values_list("passed", "reason", "printed")),
            )
            for each in requirements
        ],
        "actions": [
            (
                each.ref, each.criterion.code, [one.level for one in each.requirements.all()], each.number,
                each.position, each.text, each.first_period and each.first_period.number,
                each.last_period and each.last_period.number,
                each.schedule_basis, each.reading_note, each.status, each.progress,
                [str(one.unit) for one in each.lead], [str(one.unit) for one in each.support],
            )
            for each in plan.actions.with_details().order_by("ref")
        ],
    }  # fmt: skip


@contextmanager
def undone() -> Iterator[None]:
    """Roll back everything written inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.apart
@pytest.mark.parametrize("part", range(3))
def test_random_plans_survive_export_and_import(part):
    """Import into an empty site; the data sheet of the new plan, imported unchanged, writes nothing."""
    person = UserFactory(is_superuser=True, organization=None)

    @seed(10 * sizes.SEED + part)
    @settings(max_examples=sizes.scaled(100), suppress_health_check=list(HealthCheck))
    @given(plans())
    def check(case: dict[str, Any]) -> None:
        with undone():
            plan = make(case)
            wanted, data = values_of(plan), saved(build_plan_book(plan))
        with undone():
            job = ImportJob.objects.create(
                kind=ImportJob.Kind.NEW_PLAN, by=person, at=clock.now(), file_name="แผน.xlsx", size=len(data)
            )
            book = read_workbook(data, "แผน.xlsx")
            run = ImportRun(job=job, book=book, access=Access.of(person), at=clock.now(), on_progress=ignore_progress)
            planned = plan_changes(run)
            assert planned.findings.errors == []
            made = planned.apply(()).plan
            assert values_of(made) == wanted
            again = ImportJob(kind=ImportJob.Kind.DATA_SHEET, plan=made, by=person, file_name="ข้อมูล.xlsx")
            sheet = planner.plan_changes(run_of(again, read_workbook(exported(made), "ข้อมูล.xlsx"))).findings
            assert (sheet.rows, sheet.errors, sheet.absent) == ([], [], [])
            assert sheet.unchanged == len(wanted["actions"])

    check()


@pytest.mark.both_databases
def test_new_plan_can_be_removed_until_it_is_used(client):
    """With its framework and its organization, which an administrator imports into an empty site."""
    person = UserFactory(is_superuser=True, organization=None)
    with undone():
        data = saved(build_plan_book(make({**EXAMPLE})))
    client.force_login(person)
    job = confirm(preview(data, None, person), person)
    assert (job.plan.state, Framework.objects.count(), Organization.objects.count()) == ("PREPARATION", 1, 1)
    action = job.plan.actions.first()
    imported = action.text
    action.text = "แก้ไขแล้ว"
    action.save()
    address = f"/new-plan/{job.key}/undo/"
    client.post(address)
    assert Plan.objects.count() == 1
    ActionItem.objects.filter(pk=action.pk).update(text=imported, version=1)
    client.post(address)
    gone = (Plan, Unit, Criterion, Category, Framework, Organization)
    assert [model.objects.count() for model in gone] == [0] * len(gone)
    assert ImportJob.objects.get(pk=job.pk).state == ImportJobState.UNDONE


EXAMPLE: dict[str, Any] = {
    "title": "แผน", "organization": "กรม", "assessment": "การประเมิน", "assessed_on": None, "points": (300, 100, 100),
    "confirmed": False, "periods": 2, "days": 90, "units": [("กก.", "กอง", "", True, "")], "collective": True,
    "criteria": [("เกณฑ์", "", True, [("ก", True, "", True), ("ข", False, "ยังไม่พบ", True), ("", None, "", True)])],
    "actions": [(0, {2}, "1", "จัดทำคู่มือ", [1, 2], "STATED", ["กก."], [], "")],
}  # fmt: skip
