"""Who may do what: the roles, named once, and what each may write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import F
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
        units: the units they are a member of, as the department lists them; `unit_ids` are their pks.
        speaks_for: those, and the collectives they belong to, each with the unit of his it reaches him by.
    """

    user: Any
    roles: frozenset[str]
    units: tuple[Unit, ...]
    unit_ids: frozenset[int]
    speaks_for: Mapping[int, int]

    @classmethod
    def of(cls, user: Any) -> "Access":
        """Read the roles and units of a person."""
        rows = list(Unit.objects.of_user(user).in_order().annotate(collective=F("collectives")))
        units = tuple({unit.pk: unit for unit in rows}.values())
        collectives = {unit.collective: unit.pk for unit in reversed(rows) if unit.collective}
        return cls(
            user=user,
            roles=frozenset(user.groups.values_list("name", flat=True)),
            units=units,
            unit_ids=frozenset(unit.pk for unit in units),
            speaks_for=collectives | {unit.pk: unit.pk for unit in units},
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
        """The pk of the unit the person speaks for on an action, unless they choose another.

        One of their own that leads it, or else supports it. A coordinator whose own units do not lead it speaks on
        behalf of the lead unit or, where there are several, of all of them: None.
        """
        parts = sorted(
            action.assignments.all(), key=lambda part: (part.role != Role.LEAD, part.unit_id not in self.unit_ids)
        )
        leads = [part.unit_id for part in parts if part.role == Role.LEAD]
        own = [self.speaks_for[part.unit_id] for part in parts if part.unit_id in self.speaks_for]
        if self.is_coordinator and leads and self.speaks_for.keys().isdisjoint(leads):
            return leads[0] if len(leads) == 1 else None
        return next(iter(own), None)

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
