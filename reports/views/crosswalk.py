"""The criteria of other editions of the standard that a criterion continues, or that continue it."""

from dataclasses import dataclass

from django.urls import reverse

from assignments.models import User
from criteria.models import Criterion, Framework
from plan.models import Plan


@dataclass(frozen=True, kw_only=True)
class RelatedCriterion:
    """A criterion of another edition.

    Attributes:
        change: how the later of the two criteria came out of the earlier one.
        url: its page in a plan that the user may see; empty without such a plan.
    """

    criterion: Criterion
    change: str
    url: str

    @property
    def framework(self) -> Framework:
        return self.criterion.framework


@dataclass(frozen=True, kw_only=True)
class Crosswalk:
    """The predecessors of a criterion, and its successors in the editions of plans that the user may see."""

    predecessors: list[RelatedCriterion]
    successors: list[RelatedCriterion]


def read_crosswalk(plan: Plan, criterion: Criterion, user: User) -> Crosswalk:
    """Read the crosswalk of a criterion in the plans of one organization, in a fixed number of queries.

    Successors of editions that no visible plan answers stay hidden: a plan's pages do not change with the next edition.
    """
    predecessors = list(criterion.predecessors.select_related("framework").in_order())
    successors = list(criterion.successors.select_related("framework").in_order())
    frameworks = {each.framework_id for each in (*predecessors, *successors)}
    slugs: dict[int, str] = {}  # framework → slug of its plan: the plan before or after this one, or else the latest
    if frameworks:
        visible = Plan.objects.visible_to(user).filter(organization=plan.organization_id)
        plans = visible.filter(assessment__framework__in=frameworks).select_related("assessment").order_by("-starts_on")
        for each in sorted(plans, key=lambda each: plan.pk != each.previous_id and each.pk != plan.previous_id):
            slugs.setdefault(each.assessment.framework_id, each.slug)

    def related(each: Criterion, later: Criterion) -> RelatedCriterion:
        slug = slugs.get(each.framework_id, "")
        url = reverse("criterion_detail", args=[slug, each.code]) if slug else ""
        return RelatedCriterion(criterion=each, change=later.get_change_display(), url=url)

    return Crosswalk(
        predecessors=[related(each, criterion) for each in predecessors],
        successors=[related(each, each) for each in successors if each.framework_id in slugs],
    )
