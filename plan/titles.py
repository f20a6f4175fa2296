"""The title of a plan for people; it names the organization where the site has more than one."""

from assignments.models import Organization
from plan.models import Plan


def owner_of(plan: Plan) -> str:
    """Return the short name of the plan's organization, or "" if the site has no other; one query at most."""
    has_others = plan.has_others
    if has_others is None:
        has_others = Organization.objects.exclude(pk=plan.organization_id).exists()
    return plan.organization.short_name if has_others else ""


def title_of(plan: Plan) -> str:
    """Return the title of a plan, after its organization if the site has another; one query at most."""
    return " · ".join(filter(None, [owner_of(plan), plan.title]))
