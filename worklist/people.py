"""The people who get mails on a plan: those who report for a unit."""

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from assignments.access import RoleGroup
from assignments.models import Membership, User
from plan.models import Plan


def reporting_people(plan: Plan) -> QuerySet[User]:
    """Return the users of the plan's organization who can log in and report for a unit, see `Access.may_lead`."""
    own = Membership.objects.filter(user=OuterRef("pk"), unit__organization=plan.organization_id)
    reports = Q(groups__name__in=(RoleGroup.STAFF, RoleGroup.COORDINATOR)) | Q(is_superuser=True)
    people = plan.organization.users.filter(reports, Exists(own), is_active=True)
    if not settings.PMQA_DEMO:
        people = people.filter(is_demo=False)
    return people.distinct()
