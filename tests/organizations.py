"""Two organizations that use the same names, for tests of who sees what; texts of the first contain a marker."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from assignments.access import RoleGroup
from assignments.models import Organization, Unit, User
from criteria.models import Criterion, Framework, Level, Requirement
from exchange.models import ImportJob
from plan.models import ActionItem, Evidence, Plan, ProgressUpdate
from tests.factories import (
    ActionItemFactory,
    AssessmentFactory,
    CategoryFactory,
    CriterionFactory,
    EvidenceFactory,
    EvidenceWithdrawalFactory,
    ImportJobFactory,
    MeetingFactory,
    OrganizationFactory,
    PlanFactory,
    ProgressUpdateFactory,
    ReminderFactory,
    RequirementFactory,
    SheetRequestFactory,
    SubmissionFactory,
    SubmissionStepFactory,
    UnitFactory,
    UserFactory,
    VerdictFactory,
    default_framework,
)

MARKER = "ความลับ"  # in every text of the first organization


@dataclass(kw_only=True)
class World:
    """An organization with a plan and everything below it."""

    organization: Organization
    plan: Plan
    unit: Unit
    action: ActionItem
    update: ProgressUpdate
    evidence: Evidence
    job: ImportJob
    new_plan_job: ImportJob
    people: dict[str, User] = field(default_factory=dict)

    @property
    def criterion(self) -> Criterion:
        return self.action.criterion


def standard(framework: Framework | None = None) -> list[Requirement]:
    """Return the requirements of one criterion of a framework, of the default one if none is given."""
    category = CategoryFactory(framework=framework or default_framework(), number=1)
    criterion = CriterionFactory(category=category, code="1.1", title="เกณฑ์ร่วม")
    return [RequirementFactory(criterion=criterion, level=level) for level in Level]


def world(requirements: list[Requirement], slug: str, text: str = "", **owner: Any) -> World:
    """Make an organization, with the same abbreviations, refs and file names as any other.

    Args:
        requirements: of the shared framework.
        slug: address of its plan, which is different everywhere.
        text: part of every other text.
        owner: fields of the organization.
    """
    organization = OrganizationFactory(name=f"กรม {slug} {text}", short_name=f"ก.{slug} {text}", **owner)
    own = {"organization": organization}
    unit = UnitFactory(abbreviation="กพร.", name_th=f"กลุ่มพัฒนา {text}", **own)
    other = UnitFactory(abbreviation="สลก.", name_th=f"สำนักงานเลขานุการ {text}", **own)
    UnitFactory(abbreviation="ทุกหน่วย", name_th=f"ทุกหน่วย {text}", is_collective=True, members=[unit, other], **own)
    person = UserFactory(roles=["staff"], units=[unit], first_name=f"สมชาย {text}", username=f"{slug}-author", **own)
    framework = requirements[0].criterion.category.framework
    assessment = AssessmentFactory(name=f"การประเมิน {text}", framework=framework, **own)
    for requirement in requirements:
        VerdictFactory(assessment=assessment, requirement=requirement, reason=f"ยังไม่พบ {text}")
    plan = PlanFactory(slug=slug, title=f"แผน {text}", assessment=assessment, **own)
    action = ActionItemFactory(
        plan=plan, criterion=requirements[0].criterion, ref="1.1-A-1", text=f"จัดทำ {text}",
        requirements=requirements[1:2], lead=[unit], support=[other],
    )  # fmt: skip
    update = ProgressUpdateFactory(action=action, author=person, unit=unit, result=f"ผล {text}", version=2)
    evidence = EvidenceFactory(update=update, title=f"หลักฐาน {text}")
    EvidenceWithdrawalFactory(evidence=EvidenceFactory(update=update, title=f"ถอน {text}"), reason=f"ผิด {text}")
    period = plan.periods.get(number=1)
    SubmissionStepFactory(submission=SubmissionFactory(unit=unit, period=period), by=person, note=f"ส่ง {text}")
    MeetingFactory(plan=plan, name=f"ประชุม {text}")
    ReminderFactory(plan=plan, user=person)
    SheetRequestFactory(unit=unit, period=plan.periods.get(number=3), by=person, sent_to=[f"สมชาย {text}"])
    files = {"by": person, "file_name": f"ข้อมูล {text}.xlsx", "state": "REFUSED", "refusal": f"ผิด {text}"}
    return World(
        organization=organization, plan=plan, unit=unit, action=action, update=update, evidence=evidence,
        job=ImportJobFactory(plan=plan, **files),
        new_plan_job=ImportJobFactory(plan=None, kind=ImportJob.Kind.NEW_PLAN, **files),
        people={
            role.value: UserFactory(roles=[role], units=[unit], username=f"{slug}-{role.value}", first_name=text, **own)
            for role in RoleGroup
        },
    )  # fmt: skip


def posted(first: World) -> dict[str, Any]:
    """Return fields of every form of the site that name records of a world."""
    pk, ref = first.unit.pk, first.action.ref
    return {
        "unit": pk, "units": [pk], "members": [pk], "organization": first.organization.pk, "plan": first.plan.pk,
        "assessment": first.plan.assessment_id, "previous": first.plan.pk, "action": first.action.pk,
        "user": first.people["staff"].pk, "criterion": first.criterion.pk, "requirement": "", "slug": first.plan.slug,
        "version": 1, "read_version": 1, "op_id": str(first.update.op_id), "status_to": "IN_PROGRESS",
        "progress_to": 50, "result": "ทำแล้ว", "row": f"{ref}|1|{uuid4()}@{pk}", f"reason_{first.action.pk}": "แก้ไข",
        "reason": "แก้ไข", "do": "send", "kind": "progress", "note": "ส่ง", "side-2": "file",
        "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0, "memberships-0-user": first.people["staff"].pk,
    }  # fmt: skip
