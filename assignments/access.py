"""Who may do what: the roles, named once, and what each may write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from assignments.models import Role, Unit

if TYPE_CHECKING:
    from plan.models import ActionItem, Evidence


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
        speaks_for: those, and the collectives they belong to, each with the unit of his it reaches him by.
    """

    user: Any
    roles: frozenset[str]
    unit_ids: frozenset[int]
    speaks_for: Mapping[int, int]

    @classmethod
    def of(cls, user: Any) -> "Access":
        """Read the roles and units of a person."""
        own = list(Unit.objects.of_user(user).in_order().values_list("pk", flat=True))
        links = Unit.members.through.objects.filter(to_unit__in=own) if own else Unit.members.through.objects.none()
        collectives = dict(links.order_by("-to_unit__position").values_list("from_unit_id", "to_unit_id"))
        return cls(
            user=user,
            roles=frozenset(user.groups.values_list("name", flat=True)),
            unit_ids=frozenset(own),
            speaks_for=collectives | {pk: pk for pk in own},
        )

    @property
    def is_coordinator(self) -> bool:
        """Keeps the plan; an administrator may do whatever a coordinator may."""
        return RoleGroup.COORDINATOR in self.roles or self.user.is_superuser

    @property
    def may_lead(self) -> bool:
        """Reports for the units he is a member of: their staff, and a coordinator who works in one."""
        return bool(self.unit_ids) and (RoleGroup.STAFF in self.roles or self.is_coordinator)

    def may_change_status(self, action: "ActionItem") -> bool:
        """Coordinators, and the people of a lead unit (design §4)."""
        return self.is_coordinator or self._has_role(action, Role.LEAD)

    def may_add_result(self, action: "ActionItem") -> bool:
        """Those, and the people of a supporting unit."""
        return self.may_change_status(action) or self._has_role(action, Role.SUPPORT)

    def may_withdraw(self, evidence: "Evidence") -> bool:
        """Coordinators, and whoever added it."""
        return self.is_coordinator or evidence.added_by_id == self.user.pk

    def may_send_report(self, unit_id: int) -> bool:
        """The staff of a unit, and a coordinator who works in it, hand in its report of a period."""
        return unit_id in self.unit_ids and self.may_lead

    def unit_in(self, action: "ActionItem") -> int | None:
        """The pk of the unit the person speaks for when he tells of an action: one that leads it, one that supports
        it, or else the first of his own; None for a person without a unit.
        """
        parts = sorted(
            action.assignments.all(), key=lambda part: (part.role != Role.LEAD, part.unit_id not in self.unit_ids)
        )
        own = [self.speaks_for[part.unit_id] for part in parts if part.unit_id in self.speaks_for]
        return next(iter([*own, *sorted(self.unit_ids)]), None)

    def _has_role(self, action: "ActionItem", role: str) -> bool:
        return RoleGroup.STAFF in self.roles and any(
            assignment.role == role and assignment.unit_id in self.speaks_for for assignment in action.assignments.all()
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
