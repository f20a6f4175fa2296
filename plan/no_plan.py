"""First page of a user who sees no plan: the first steps for a coordinator, otherwise whom to ask."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from assignments.access import RoleGroup, access_of
from assignments.models import User

MAX_CONTACTS = 5


def show_no_plan(request: HttpRequest) -> HttpResponse:
    """Redirect a coordinator to the first steps; say to other users that the plan is in preparation."""
    if access_of(request).is_coordinator:
        return redirect("setup")
    return render(request, "plan/plan_none.html", {"contacts": contacts_of(request.user)})


def contacts_of(user: User) -> list[User]:
    """Return the coordinators of a user's organization, or the administrators if it has none."""
    people = User.objects.filter(is_active=True).order_by("pk").distinct()
    own = people.filter(organization=user.organization_id, organization__isnull=False)
    coordinators = own.filter(groups__name=RoleGroup.COORDINATOR)[:MAX_CONTACTS]
    return list(coordinators) or list(people.filter(is_superuser=True)[:MAX_CONTACTS])
