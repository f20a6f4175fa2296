"""Factories for tests, one for each model."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import factory
from django.contrib.auth.models import Group
from factory.django import DjangoModelFactory

from accounts.models import Attempts, Purpose, SecondFactor
from assignments.models import Assignment, Membership, Organization, Role, Unit, User
from criteria.models import Assessment, Category, Criterion, Framework, Level, Requirement, Verdict
from exchange.models import ImportJob
from plan.models import ActionItem, Evidence, EvidenceWithdrawal, Meeting, Period, Plan, ProgressUpdate, Status
from pmqa_tracker import clock
from pmqa_tracker.transactions import write_transaction
from submissions.models import Submission, SubmissionState, SubmissionStep
from worklist.models import Reminder, SheetRequest

PASSWORD = "a long password for tests"


def default_organization() -> Organization:
    """Return the organization of all records that are not given another one; `manage.py seed` makes it too."""
    name = "กรมสวัสดิการและคุ้มครองแรงงาน"
    return Organization.objects.get_or_create(short_name="กสร.", defaults={"name": name})[0]


def default_framework() -> Framework:
    """Return the framework of all records that are not given another one; `manage.py seed` makes it too."""
    names = {"name": "เกณฑ์คุณภาพการบริหารจัดการภาครัฐ (PMQA)", "edition": "พ.ศ. 2562", "fiscal_year": 2562}
    return Framework.objects.get_or_create(slug="pmqa-2562", defaults=names)[0]


class RecordFactory(DjangoModelFactory):
    """A record with all that it needs, in one write transaction: that raises the revision of its plan once."""

    @classmethod
    def _generate(cls, strategy: Any, params: Any) -> Any:
        with write_transaction():
            return super()._generate(strategy, params)


class OrganizationFactory(RecordFactory):
    """Another organization than the default one."""

    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"กรมทดสอบ {n}")
    short_name = factory.Sequence(lambda n: f"กรม{n}")


class FrameworkFactory(RecordFactory):
    """Another framework than the default one."""

    class Meta:
        model = Framework

    slug = factory.Sequence(lambda n: f"pmqa-{2565 + n}")
    name = "เกณฑ์คุณภาพการบริหารจัดการภาครัฐ (PMQA)"
    edition = factory.Sequence(lambda n: f"พ.ศ. {2565 + n}")
    fiscal_year = factory.Sequence(lambda n: 2565 + n % 100)


class UserFactory(RecordFactory):
    """A user with roles and units: `UserFactory(roles=["staff"], units=[unit])`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    organization = factory.LazyFunction(default_organization)
    username = factory.Sequence(lambda n: f"person{n}")
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def roles(self, create, extracted, **kwargs):
        for name in extracted or ():
            self.groups.add(Group.objects.get_or_create(name=name)[0])

    @factory.post_generation
    def units(self, create, extracted, **kwargs):
        for unit in extracted or ():
            Membership.objects.create(user=self, unit=unit)


class CategoryFactory(RecordFactory):
    class Meta:
        model = Category

    framework = factory.LazyFunction(default_framework)
    number = factory.Sequence(lambda n: n + 1)
    name = factory.Sequence(lambda n: f"หมวดทดสอบ {n}")


class CriterionFactory(RecordFactory):
    class Meta:
        model = Criterion

    category = factory.SubFactory(CategoryFactory)
    code = factory.Sequence(lambda n: f"1.{n + 1}")
    title = factory.Sequence(lambda n: f"เกณฑ์ทดสอบ {n}")
    position = factory.Sequence(lambda n: n + 1)


class RequirementFactory(RecordFactory):
    class Meta:
        model = Requirement

    criterion = factory.SubFactory(CriterionFactory)
    level = Level.BASIC
    text = "- ส่วนราชการมีแนวทางที่เป็นระบบ"


class AssessmentFactory(RecordFactory):
    class Meta:
        model = Assessment

    framework = factory.LazyFunction(default_framework)
    organization = factory.LazyFunction(default_organization)
    name = factory.Sequence(lambda n: f"การประเมินครั้งที่ {n}")


class VerdictFactory(RecordFactory):
    class Meta:
        model = Verdict

    assessment = factory.SubFactory(AssessmentFactory)
    requirement = factory.SubFactory(RequirementFactory)
    passed = False
    reason = "ยังไม่พบหลักฐานที่ชัดเจน"


class UnitFactory(RecordFactory):
    class Meta:
        model = Unit
        skip_postgeneration_save = True

    organization = factory.LazyFunction(default_organization)
    abbreviation = factory.Sequence(lambda n: f"กท{n}.")
    name_th = factory.Sequence(lambda n: f"กองทดสอบ {n}")
    position = factory.Sequence(lambda n: n)

    @factory.post_generation
    def members(self, create, extracted, **kwargs):
        if extracted:
            self.members.set(extracted)


class MembershipFactory(RecordFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    unit = factory.SubFactory(UnitFactory)


class PlanFactory(RecordFactory):
    """A plan of the fiscal year 2563 with four quarters."""

    class Meta:
        model = Plan
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda n: f"plan-{n}")
    title = factory.Sequence(lambda n: f"แผนพัฒนาองค์การทดสอบ {n}")
    organization = factory.LazyFunction(default_organization)
    assessment = factory.SubFactory(AssessmentFactory, organization=factory.SelfAttribute("..organization"))
    state = Plan.State.RUNNING
    starts_on = date(2019, 10, 1)
    ends_on = date(2020, 9, 30)

    @factory.post_generation
    def periods(self, create, extracted, **kwargs):
        quarters = extracted or [
            (date(2019, 10, 1), date(2019, 12, 31)),
            (date(2020, 1, 1), date(2020, 3, 31)),
            (date(2020, 4, 1), date(2020, 6, 30)),
            (date(2020, 7, 1), date(2020, 9, 30)),
        ]
        for number, (first, last) in enumerate(quarters, start=1):
            Period.objects.create(plan=self, number=number, starts_on=first, ends_on=last)


class PeriodFactory(RecordFactory):
    class Meta:
        model = Period

    plan = factory.SubFactory(PlanFactory, periods=[])
    number = factory.Sequence(lambda n: n + 10)
    starts_on = date(2019, 10, 1)
    ends_on = date(2019, 12, 31)


class MeetingFactory(RecordFactory):
    class Meta:
        model = Meeting

    plan = factory.SubFactory(PlanFactory)
    held_on = factory.Sequence(lambda n: date(2019, 10, 1) + timedelta(days=n % 360))
    name = "การประชุมคณะทำงาน ครั้งที่ 2/2563"


class ActionItemFactory(RecordFactory):
    """An action; `runs=(1, 3)` are its periods, `lead` and `support` are units.

    Without `requirements` it gets the Advance requirement of its criterion, which the assessment failed.
    """

    class Meta:
        model = ActionItem
        skip_postgeneration_save = True

    class Params:
        runs = (1, 4)

    plan = factory.SubFactory(PlanFactory)
    criterion = factory.SubFactory(CriterionFactory)
    ref = factory.Sequence(lambda n: f"1.1-A-{n + 1}")
    number = "1"
    text = factory.Sequence(lambda n: f"จัดทำแนวทางการดำเนินงานเรื่องที่ {n}")
    first_period = factory.LazyAttribute(lambda each: each.plan.periods.get(number=each.runs[0]) if each.runs else None)
    last_period = factory.LazyAttribute(lambda each: each.plan.periods.get(number=each.runs[1]) if each.runs else None)

    @factory.post_generation
    def requirements(self, create, extracted, **kwargs):
        if extracted is None:
            requirement, _made = Requirement.objects.get_or_create(
                criterion=self.criterion, level=Level.ADVANCE, defaults={"text": "- มีการถ่ายทอดแนวทาง"}
            )
            Verdict.objects.get_or_create(
                assessment=self.plan.assessment,
                requirement=requirement,
                defaults={"passed": False, "reason": "ยังไม่ครอบคลุม"},
            )
            extracted = [requirement]
        self.requirements.set(extracted)

    @factory.post_generation
    def lead(self, create, extracted, **kwargs):
        for position, unit in enumerate(extracted or ()):
            Assignment.objects.create(action=self, unit=unit, role=Role.LEAD, position=position)

    @factory.post_generation
    def support(self, create, extracted, **kwargs):
        for position, unit in enumerate(extracted or ()):
            Assignment.objects.create(action=self, unit=unit, role=Role.SUPPORT, position=position)


class AssignmentFactory(RecordFactory):
    class Meta:
        model = Assignment

    action = factory.SubFactory(ActionItemFactory)
    unit = factory.SubFactory(UnitFactory)
    role = Role.LEAD


class ProgressUpdateFactory(RecordFactory):
    """Only the row of an update; `plan.updates.record.record_update` changes the action too."""

    class Meta:
        model = ProgressUpdate

    action = factory.SubFactory(ActionItemFactory)
    op_id = factory.LazyFunction(uuid4)
    version = factory.Sequence(lambda n: n + 2)
    author = factory.SubFactory(UserFactory)
    at = datetime(2020, 2, 10, 3, 0, tzinfo=UTC)
    status_from = Status.NOT_STARTED
    status_to = Status.IN_PROGRESS
    progress_from = 0
    progress_to = 40
    result = "จัดทำร่างแนวทางแล้ว"


class EvidenceFactory(RecordFactory):
    class Meta:
        model = Evidence

    update = factory.SubFactory(ProgressUpdateFactory)
    action = factory.SelfAttribute("update.action")
    title = "รายงานการประชุม"
    link = "https://example.org/report"
    added_by = factory.SelfAttribute("update.author")
    at = factory.SelfAttribute("update.at")


class EvidenceWithdrawalFactory(RecordFactory):
    class Meta:
        model = EvidenceWithdrawal

    evidence = factory.SubFactory(EvidenceFactory)
    reason = "แนบผิดไฟล์"
    by = factory.SelfAttribute("evidence.added_by")
    at = factory.SelfAttribute("evidence.at")


class SubmissionFactory(RecordFactory):
    """Only the row of a submission; `submissions.steps` sends and reviews submissions."""

    class Meta:
        model = Submission

    unit = factory.SubFactory(UnitFactory)
    period = factory.SubFactory(PeriodFactory)
    state = SubmissionState.SENT
    version = 1


class SubmissionStepFactory(RecordFactory):
    class Meta:
        model = SubmissionStep

    submission = factory.SubFactory(SubmissionFactory)
    op_id = factory.LazyFunction(uuid4)
    version = factory.SelfAttribute("submission.version")
    state = factory.SelfAttribute("submission.state")
    by = factory.SubFactory(UserFactory)
    at = datetime(2020, 4, 3, 3, 0, tzinfo=UTC)


class ReminderFactory(RecordFactory):
    class Meta:
        model = Reminder

    plan = factory.SubFactory(PlanFactory)
    user = factory.SubFactory(UserFactory)
    day = date(2020, 4, 3)


class SheetRequestFactory(RecordFactory):
    class Meta:
        model = SheetRequest

    unit = factory.SubFactory(UnitFactory)
    period = factory.SubFactory(PeriodFactory)
    day = date(2020, 4, 3)
    number = 1
    by = factory.SubFactory(UserFactory)
    at = datetime(2020, 4, 3, 3, 0, tzinfo=UTC)
    finished_at = factory.SelfAttribute("at")


class AttemptsFactory(RecordFactory):
    """A login that is locked."""

    class Meta:
        model = Attempts

    purpose = Purpose.PASSWORD
    key = factory.Sequence(lambda n: f"{n:064x}")
    address = "192.0.2.7"
    person = factory.SubFactory(UserFactory)
    count = 10
    last_at = factory.LazyFunction(clock.now)


class SecondFactorFactory(RecordFactory):
    class Meta:
        model = SecondFactor

    user = factory.SubFactory(UserFactory)
    type = SecondFactor.Type.TOTP
    data = factory.LazyFunction(lambda: {"secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"})


class ImportJobFactory(RecordFactory):
    """Only the row of an import job; `exchange.jobs` reads and writes imports."""

    class Meta:
        model = ImportJob

    plan = factory.SubFactory(PlanFactory)
    organization = factory.LazyAttribute(lambda each: each.plan.organization if each.plan else each.by.organization)
    by = factory.SubFactory(UserFactory)
    at = datetime(2020, 4, 3, 3, 0, tzinfo=UTC)
    file_name = "ข้อมูลแผน.xlsx"
    size = 1000
    sha256 = "0" * 64
