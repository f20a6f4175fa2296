"""Who may do what: the roles, named once, and what each may write."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from assignments.models import Role, Unit

if TYPE_CHECKING:
    from plan.models import ActionItem


class RoleGroup(StrEnum):
    """The roles, by the name of their group."""

    STAFF = "staff"
    MANAGEMENT = "management"
    COORDINATOR = "coordinator"
    ASSESSOR = "assessor"


@dataclass(frozen=True, kw_only=True)
class Access:
    """One person, his roles and his units, read once a request.

    Attributes:
        user: the person.
        roles: names of his groups.
        unit_ids: the units he is a member of.
        carried_unit_ids: those and the collectives they belong to.
    """

    user: Any
    roles: frozenset[str]
    unit_ids: frozenset[int]
    carried_unit_ids: frozenset[int]

    @classmethod
    def of(cls, user: Any) -> "Access":
        """Read the roles and units of a person."""
        own = list(Unit.objects.of_user(user))
        carried = Unit.objects.carrying(own) if own else []
        return cls(
            user=user,
            roles=frozenset(user.groups.values_list("name", flat=True)),
            unit_ids=frozenset(unit.pk for unit in own),
            carried_unit_ids=frozenset(unit.pk for unit in carried),
        )

    @property
    def is_coordinator(self) -> bool:
        """Keeps the plan; an administrator may do whatever a coordinator may."""
        return RoleGroup.COORDINATOR in self.roles or self.user.is_superuser

    def may_change_status(self, action: "ActionItem") -> bool:
        """Coordinators, and the people of a lead unit (design §4)."""
        return self.is_coordinator or self._has_role(action, Role.LEAD)

    def may_add_result(self, action: "ActionItem") -> bool:
        """Those, and the people of a supporting unit."""
        return self.may_change_status(action) or self._has_role(action, Role.SUPPORT)

    def _has_role(self, action: "ActionItem", role: str) -> bool:
        return RoleGroup.STAFF in self.roles and any(
            assignment.role == role and assignment.unit_id in self.carried_unit_ids
            for assignment in action.assignments.all()
        )


def access_of(request: HttpRequest) -> Access:
    """The access of the person who asks, read once a request."""
    if not hasattr(request, "_access"):
        request._access = Access.of(request.user)  # type: ignore[attr-defined]
    return request._access  # type: ignore[attr-defined]


def coordinators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let only coordinators into a view; others get the page that says so."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not access_of(request).is_coordinator:
            raise PermissionDenied(_("Only the PMQA coordinator may open this page."))
        return view(request, *args, **kwargs)

    return inner
