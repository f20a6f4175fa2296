"""The switcher in the header: the other plans that the user may read, each with the URL of the same page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Case, When
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve, reverse

from assignments.models import Unit
from criteria.models import Criterion
from plan.models import ActionItem, Period, Plan
from plan.models.plan import STATE_RANK

MAX_LISTED = 12
LIST_PAGE = "plan_list"
START_PAGE = "dashboard"  # where the page has no counterpart in the other plan


@dataclass(frozen=True, kw_only=True)
class PlanLink:
    """A plan with the URL of the same page, or of the nearest page above it that the plan has."""

    plan: Plan
    url: str


@dataclass(frozen=True, kw_only=True)
class PlanSwitcher:
    """The plans in the header, the current one first.

    Attributes:
        links: the plans.
        has_more: there are more plans than `links`.
        has_organizations: the plans belong to several organizations.
    """

    links: Sequence[PlanLink]
    has_more: bool
    has_organizations: bool


def _units_named(plans: Sequence[Plan], name: str) -> Iterable[int]:
    owners = {plan.organization_id for plan in plans}
    owners = set(
        Unit.objects.filter(organization__in=owners, abbreviation=name).values_list("organization_id", flat=True)
    )
    return [plan.pk for plan in plans if plan.organization_id in owners]


def _criteria_coded(plans: Sequence[Plan], code: str) -> Iterable[int]:
    frameworks = {plan.framework.pk for plan in plans}
    frameworks = set(
        Criterion.objects.filter(framework__in=frameworks, code=code).values_list("framework_id", flat=True)
    )
    return [plan.pk for plan in plans if plan.framework.pk in frameworks]


# Part of a URL → the plans (pks) that have what it names. Pages with another part exist in their own plan only.
NAMED: Mapping[str, Callable[[Sequence[Plan], Any], Iterable[int]]] = {
    "ref": lambda plans, ref: ActionItem.objects.filter(plan__in=plans, ref=ref).values_list("plan_id", flat=True),
    "period": lambda plans, number: Period.objects.filter(plan__in=plans, number=number).values_list(
        "plan_id", flat=True
    ),
    "abbreviation": _units_named,
    "unit": _units_named,
    "code": _criteria_coded,
}


def read_plan_switcher(request: HttpRequest, current: Plan | None) -> PlanSwitcher | None:
    """Return the switcher of a page; None if the user may read only one plan, and on the page that lists them all.

    It takes one query, and one more for each record that the URL of the page names; none for a plan that is known to
    have no neighbours.
    """
    if current is not None and current.has_neighbours is False:
        return None
    if request.resolver_match and request.resolver_match.url_name == LIST_PAGE:
        return None
    near = [When(pk=current.pk, then=0), When(organization=current.organization_id, then=1)] if current else []
    order = [Case(*near, default=2)] if near else []
    order = [*order, STATE_RANK, "-starts_on", "pk"]
    visible = Plan.objects.visible_to(request.user)
    # Of thousands of plans, the database sorts the keys only.
    first = visible.filter(pk__in=visible.order_by(*order).values("pk")[: MAX_LISTED + 1])
    plans = list(first.select_related("organization", "assessment__framework").order_by(*order))
    if len(plans) < 2:
        return None
    listed = plans[:MAX_LISTED]
    pages = _pages_of(request)

    @cache
    def having(name: str, value: Any) -> frozenset[int]:
        return frozenset(NAMED[name](listed, value)) if name in NAMED else frozenset()

    def url_in(plan: Plan) -> str:
        if plan == current and pages:
            return request.path
        for page in pages:
            parts = {name: value for name, value in page.kwargs.items() if name != "slug"}
            if all(plan.pk in having(name, value) for name, value in parts.items()):
                return reverse(page.view_name, kwargs={**parts, "slug": plan.slug})
        return reverse(START_PAGE, args=[plan.slug])

    return PlanSwitcher(
        links=[PlanLink(plan=plan, url=url_in(plan)) for plan in listed],
        has_more=len(plans) > MAX_LISTED,
        has_organizations=len({plan.organization_id for plan in plans}) > 1,
    )


def _pages_of(request: HttpRequest) -> list[ResolverMatch]:
    """Return the page of a request and the pages above it in its plan, nearest first."""
    parts = request.path_info.strip("/").split("/")
    pages = []
    for length in range(len(parts), 1, -1):
        try:
            page = resolve(f"/{'/'.join(parts[:length])}/")
        except Resolver404:
            continue
        if "slug" in page.kwargs:
            pages.append(page)
    return pages
