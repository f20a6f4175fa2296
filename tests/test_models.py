"""Constraints and versions of the models: unique names, valid schedules, stale saves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, transaction
from django.db.models import ProtectedError

from criteria.models import Criterion, Requirement
from plan.models import ActionItem, Period, Plan
from pmqa_tracker.write_once import StaleVersionError
from tests.factories import (
    ActionItemFactory,
    CategoryFactory,
    CriterionFactory,
    OrganizationFactory,
    PeriodFactory,
    PlanFactory,
    ProgressUpdateFactory,
    RequirementFactory,
    UnitFactory,
    VerdictFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def refused(make, **fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make(**fields)


def test_unique_constraints():
    refused(CategoryFactory, number=CategoryFactory().number)
    refused(CriterionFactory, code=CriterionFactory().code)
    requirement = RequirementFactory()
    refused(RequirementFactory, criterion=requirement.criterion, level=requirement.level)
    verdict = VerdictFactory()
    refused(VerdictFactory, assessment=verdict.assessment, requirement=verdict.requirement)
    refused(UnitFactory, abbreviation=UnitFactory().abbreviation)
    refused(PlanFactory, slug=PlanFactory().slug)
    action = ActionItemFactory()
    refused(ActionItemFactory, plan=action.plan, ref=action.ref)
    ActionItemFactory(ref=action.ref)  # of another plan


def test_check_constraints():
    refused(RequirementFactory, level=4)
    refused(PlanFactory, starts_on=date(2020, 2, 1), ends_on=date(2020, 1, 31), periods=[])
    refused(PeriodFactory, starts_on=date(2020, 2, 1), ends_on=date(2020, 1, 31))
    plan = PlanFactory()
    refused(ActionItemFactory, plan=plan, last_period=None)
    refused(ActionItemFactory, plan=plan, status="NOT_STARTED", progress=1)
    refused(ActionItemFactory, plan=plan, status="DONE", progress=99)
    refused(ActionItemFactory, plan=plan, status="IN_PROGRESS", progress=101)


@pytest.mark.both_databases(only_full=True)
def test_validation_error_names_the_wrong_field():
    category, plan = CategoryFactory(), PlanFactory()
    parent = CriterionFactory(category=category)
    child = CriterionFactory(category=category, parent=parent)
    with pytest.raises(ValidationError) as error:
        Criterion(category=CategoryFactory(), parent=parent, code="9.9", title="x").full_clean()
    assert list(error.value.message_dict) == ["parent"]
    with pytest.raises(ValidationError) as error:
        Criterion(category=category, parent=child, code="9.9", title="x").full_clean()
    assert list(error.value.message_dict) == ["parent"]
    first, _second, third, _fourth = plan.periods.order_by("number")
    fields = {"plan": plan, "criterion": child, "ref": "9.9-A-1", "text": "x"}
    backwards = ActionItem(**fields, first_period=third, last_period=first)
    with pytest.raises(ValidationError) as error:
        backwards.full_clean()
    assert list(error.value.message_dict) == ["last_period"]
    foreign = PlanFactory().periods.get(number=1)
    with pytest.raises(ValidationError) as error:
        ActionItem(**fields, first_period=foreign, last_period=foreign).full_clean()
    assert list(error.value.message_dict) == ["first_period"]
    for days in ((date(2019, 9, 1), date(2019, 9, 30)), (date(2019, 12, 31), date(2020, 1, 1))):
        with pytest.raises(ValidationError):
            Period(plan=plan, number=9, starts_on=days[0], ends_on=days[1]).full_clean()


@pytest.mark.both_databases(only_full=True)
def test_organization_keeps_the_depth_of_those_below_it():
    """Only the parents that `Organization.below` follows can read a plan."""
    top, middle, low, lowest = [OrganizationFactory() for _number in range(4)]
    for child, parent in ((lowest, low), (low, middle), (middle, top)):
        child.parent = parent
        child.full_clean()
        child.save()
    for child, parent, said in ((top, OrganizationFactory(), "3"), (top, lowest, "ตนเอง"), (lowest, lowest, "ตนเอง")):
        child.parent = parent
        with pytest.raises(ValidationError) as error:
            child.full_clean()
        assert list(error.value.message_dict) == ["parent"]
        assert said in str(error.value.message_dict["parent"])
    top.parent = None
    OrganizationFactory.build(parent=low).full_clean()


def test_referenced_records_cannot_be_deleted():
    verdict = VerdictFactory()
    update = ProgressUpdateFactory()
    for each in (verdict.requirement, verdict.requirement.criterion, verdict.assessment, update.action, update.author):
        with pytest.raises(ProtectedError):
            each.delete()


def test_save_from_an_outdated_copy_is_refused():
    requirement = RequirementFactory()
    mine, theirs = (Requirement.objects.get(pk=requirement.pk) for _ in range(2))
    theirs.text = "ของเขา"
    theirs.save()
    mine.text = "ของฉัน"
    with pytest.raises(StaleVersionError):
        mine.save()
    stored = Requirement.objects.get(pk=requirement.pk)
    assert (stored.text, stored.version) == ("ของเขา", 2)
    assert mine.version == 1
    assert [row.text for row in requirement.history.order_by("history_id")] == [requirement.text, "ของเขา"]


def test_edit_of_the_text_does_not_undo_an_update(coordinator, report_progress):
    action = ActionItemFactory()
    copy = ActionItem.objects.get(pk=action.pk)
    report_progress(action, coordinator, progress=70)
    copy.text = "ข้อความใหม่"
    with pytest.raises(StaleVersionError):
        copy.save()
    assert ActionItem.objects.get(pk=action.pk).progress == 70


@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_simultaneous_saves_is_written():
    requirement = RequirementFactory()
    barrier = Barrier(6)

    def job(n):
        copy = Requirement.objects.get(pk=requirement.pk)
        copy.text = f"คนที่ {n}"
        barrier.wait()
        try:
            copy.save()
        except StaleVersionError:
            return None
        finally:
            connections.close_all()
        return copy.text

    with ThreadPoolExecutor(6) as pool:
        written = [text for text in pool.map(job, range(6)) if text]
    stored = Requirement.objects.get(pk=requirement.pk)
    assert written == [stored.text]
    assert (stored.version, stored.history.count()) == (2, 2)


@pytest.mark.both_databases(only_full=True)
def test_the_current_plan():
    old = PlanFactory(
        starts_on=date(2017, 10, 1), ends_on=date(2018, 9, 30), periods=[(date(2017, 10, 1), date(2018, 9, 30))]
    )
    new = PlanFactory()
    days = (date(2016, 1, 1), date(2018, 1, 1), date(2019, 1, 1), date(2569, 1, 1))
    assert [Plan.objects.current(on=day) for day in days] == [old, old, old, new]
    assert Plan.objects.none().current(on=date(2020, 1, 1)) is None


@pytest.mark.both_databases(only_full=True)
def test_period_labels():
    period = PlanFactory().periods.get(number=1)
    assert (period.label, period.months_label, period.fiscal_year) == ("ต.ค.–ธ.ค. 2562", "ต.ค.–ธ.ค.", 2563)
