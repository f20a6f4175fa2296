"""Three sentences for each role, shown on the first pages until the user closes them."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from assignments.access import Access, RoleGroup, access_of
from assignments.models import User
from pmqa_tracker.views import is_own_address

FIRST_PAGES = {"my", "dashboard", "maturity_map", "plan_list", "setup", "home"}  # where a login leads to


@dataclass(frozen=True, eq=False)
class Introduction:
    """What a user can do here, in three sentences, and the chapter of the manual for their role."""

    chapter: str
    sentences: tuple[str | Promise, str | Promise, str | Promise]


STAFF = Introduction(
    "staff",
    (
        _("“My work” lists what your unit still has to report, most urgent first."),
        _("Open a row, write what was done and press “Record”; if nothing changed, one button says so."),
        _("When all rows are updated, send the report of the period to the coordinator."),
    ),
)
MANAGEMENT = Introduction(
    "manager",
    (
        _("The overview shows where the plan stands today, what is late and what changed since the last meeting."),
        _("Every figure is a link to the actions it counts."),
        _("“As of” shows the same page on any earlier day."),
    ),
)
COORDINATOR = Introduction(
    "coordinator",
    (
        _("“Period reports” shows which units have sent their report; accept it, or return it with a reason."),
        _("“Reports” has the Excel files, and takes those of the units back with a preview before anything changes."),
        _("“Manage the data” in the menu of your name keeps people, units and the plan itself."),
    ),
)
ASSESSOR = Introduction(
    "assessor",
    (
        _("The maturity map shows which levels of each criterion are reached."),
        _("Open a cell to read the reason, the actions and the evidence on one page."),
        _("You can suppose that levels pass, and see the score that follows; nothing is changed."),
    ),
)
ADMINISTRATOR = Introduction(
    "administrator",
    (
        _("You have the rights of a coordinator in every organization, and keep the accounts of all people."),
        _("“Manage the data” in the menu of your name keeps accounts, organizations and editions of the standard."),
        _("“Audit” shows who changed, reported or downloaded what."),
    ),
)
BY_ROLE = {
    RoleGroup.COORDINATOR: COORDINATOR,
    RoleGroup.STAFF: STAFF,
    RoleGroup.MANAGEMENT: MANAGEMENT,
    RoleGroup.ASSESSOR: ASSESSOR,
}


def introduction_for(access: Access) -> Introduction | None:
    """Return the introduction for the first of the user's roles in `BY_ROLE`; None for a user without a role."""
    if access.user.is_superuser:
        return ADMINISTRATOR
    return next((introduction for role, introduction in BY_ROLE.items() if role in access.roles), None)


def introduction(request: HttpRequest) -> dict[str, Any]:
    """Context processor: add the `introduction` of a user who has not closed it, on the first pages."""
    user, match = getattr(request, "user", None), request.resolver_match
    is_shown = match is not None and match.url_name in FIRST_PAGES
    if user is None or not user.is_authenticated or user.has_closed_introduction or not is_shown:
        return {}
    return {"introduction": introduction_for(access_of(request))}


@require_POST
def close_introduction(request: HttpRequest) -> HttpResponse:
    """Keep that the user has read the introduction, and show the page again."""
    User.objects.filter(pk=request.user.pk).update(has_closed_introduction=True)
    url = request.POST.get("next", "")
    # `redirect` would take a word without a slash for the name of a view.
    return HttpResponseRedirect(url) if is_own_address(request, url) else redirect("home")
