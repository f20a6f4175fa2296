"""Access rights: the roles, what each role may write, and the reason shown to a user who may not.

A method `why_not_…` returns "" for a user who may, otherwise sentences for the user: the reason and who can change it.
The coordinator manages the people of their organization with their roles and memberships, and the units in charge of an
action; the administrator manages everybody, and alone assigns the role of a coordinator (`assignments.people.rights`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import F, TextChoices
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assignments.models import Role, Unit
from assignments.user_queries import read_for

if TYPE_CHECKING:
    from plan.models import ActionItem, Evidence


class RoleGroup(TextChoices):
    """The roles: each value is the name of a group, each label is for users."""

    STAFF = "staff", gettext_lazy("unit staff")
    MANAGEMENT = "management", gettext_lazy("management")
    COORDINATOR = "coordinator", gettext_lazy("PMQA coordinator")
    ASSESSOR = "assessor", gettext_lazy("assessor")


@dataclass(frozen=True, kw_only=True)
class Access:
    """The roles and units of one user, read once per request.

    Attributes:
        user: the user.
        roles: names of the user's groups.
        units: the units the user is a member of, in the department's order; `unit_ids` are their pks.
        represented_units: maps the pk of each of `units`, and of each collective they belong to, to the pk of the
            user's own unit.
        collectives: unit pk → pks of the collectives it belongs to.
        at_home: the access in the user's own organization, for a user who reads the plan of another one, where their
            roles and units do not count.
    """

    user: Any
    roles: frozenset[str]
    units: tuple[Unit, ...]
    unit_ids: frozenset[int]
    represented_units: Mapping[int, int]
    collectives: Mapping[int, frozenset[int]]
    at_home: "Access | None" = None

    @classmethod
    def of(cls, user: Any) -> "Access":
        """Read the roles and units of a user."""
        rows = read_for(user, "units", lambda each: Unit.objects.of_user(each).annotate(collective=F("collectives")))
        rows.sort(key=attrgetter("sort_key"))
        units = tuple({unit.pk: unit for unit in rows}.values())
        reached = {unit.collective: unit.pk for unit in reversed(rows) if unit.collective}
        return cls(
            user=user,
            roles=user.role_names,
            units=units,
            unit_ids=frozenset(unit.pk for unit in units),
            represented_units=reached | {unit.pk: unit.pk for unit in units},
            collectives={
                unit.pk: frozenset(row.collective for row in rows if row == unit and row.collective) for unit in units
            },
        )

    def in_organization(self, organization: int) -> "Access":
        """Return the access to the plans of an organization, by its pk: in another one than their own, users only read.

        Administrators have all rights in every organization.
        """
        if self.user.is_superuser or self.user.organization_id == organization:
            return self
        nothing: dict[str, Any] = {"roles": frozenset(), "units": (), "unit_ids": frozenset()}
        return replace(self, **nothing, represented_units={}, collectives={}, at_home=self)

    @property
    def user_pk(self) -> int:
        """The primary key of the user, for cached pages (`plan.cached_page`): their templates do not see `user`."""
        return self.user.pk

    @property
    def units_key(self) -> tuple[tuple[int, ...], ...]:
        """All that queries of the work of the user's units depend on, for `read_prepared`."""
        return tuple(sorted(self.unit_ids)), tuple(sorted(self.represented_units))

    @property
    def is_coordinator(self) -> bool:
        """Whether the user manages the plan; administrators have all rights of coordinators."""
        return RoleGroup.COORDINATOR in self.roles or self.user.is_superuser

    @property
    def is_staff(self) -> bool:
        """Whether the user has the role that reports for a unit; not the `is_staff` flag of Django's admin."""
        return RoleGroup.STAFF in self.roles

    @property
    def may_manage(self) -> bool:
        """Whether the user may open จัดการข้อมูล: coordinators, and `user.is_staff` with at least one permission."""
        access = self.at_home or self
        return access.is_coordinator or (self.user.is_staff and bool(self.user.get_all_permissions()))

    @property
    def may_audit(self) -> bool:
        """Whether the user may open the audit: coordinators of their own organization, and administrators."""
        return (self.at_home or self).is_coordinator

    @property
    def may_lead(self) -> bool:
        """Whether the user reports for their own units; true for staff, and for coordinators with a unit."""
        return bool(self.unit_ids) and (self.is_staff or self.is_coordinator)

    def may_change_status(self, action: "ActionItem") -> bool:
        """Return whether the user is a coordinator or staff of a lead unit (design §4), and the plan takes reports."""
        return action.plan.takes_reports and (self.is_coordinator or self._has_role(action, Role.LEAD))

    def may_add_result(self, action: "ActionItem") -> bool:
        """Return whether the user may change the status, or is staff of a supporting unit."""
        return self.may_change_status(action) or (action.plan.takes_reports and self._has_role(action, Role.SUPPORT))

    def may_withdraw(self, evidence: "Evidence") -> bool:
        """Return whether the user is a coordinator or added the evidence."""
        return self.is_coordinator or (evidence.added_by_id == self.user.pk and not self.at_home)

    def may_send_submission(self, unit_id: int) -> bool:
        """Return whether the user may send the unit's submission of a period: its staff, and coordinators in it."""
        return unit_id in self.unit_ids and self.may_lead

    def as_member_of(self, unit: Unit) -> "Access":
        """Return the access of the user as a member of only this one of their units."""
        pks = self._with_collectives(unit.pk)
        return replace(
            self, units=(unit,), unit_ids=frozenset({unit.pk}), represented_units=dict.fromkeys(pks, unit.pk)
        )

    def own_units_in(self, action: "ActionItem") -> list[Unit]:
        """Return the user's units that take part in an action, lead units first."""
        roles = {unit: self._roles_of(unit.pk, action) for unit in self.units}
        return sorted((unit for unit in self.units if roles[unit]), key=lambda unit: Role.LEAD not in roles[unit])

    def has_role_in(self, action: "ActionItem", role: str) -> bool:
        """Return whether one of the user's units has a role in an action."""
        return any(role in self._roles_of(unit.pk, action) for unit in self.units)

    def reportable_units(self, action: "ActionItem") -> list[Unit]:
        """Return the units the user may report for: their own and, for a coordinator, those that lead the action.

        Takes one query for a coordinator if a collective leads the action, otherwise none.
        """
        own = self.own_units_in(action)
        if not self.is_coordinator:
            return own
        leads = [part.unit for part in action.assignments.all() if part.role == Role.LEAD]
        collectives = [unit for unit in leads if unit.is_collective]
        members = Unit.objects.active().filter(collectives__in=collectives) if collectives else ()
        units = sorted({*leads, *members}, key=lambda unit: unit.sort_key)
        return list(dict.fromkeys([*own, *units]))

    def may_change_status_for(self, action: "ActionItem", unit: int | None) -> bool:
        """Return whether the user is a coordinator, or reports for a unit (its pk) that leads the action."""
        return self.is_coordinator or Role.LEAD in self._roles_of(unit, action)

    def _with_collectives(self, unit: int | None) -> frozenset[int]:
        """Return the pks of one of the user's units and of its collectives."""
        return self.collectives.get(unit, frozenset()) | {unit} if unit in self.unit_ids else frozenset()

    def _roles_of(self, unit: int | None, action: "ActionItem") -> set[str]:
        """Return the roles that one of the user's units has in an action, directly or through a collective."""
        return {part.role for part in action.assignments.all() if part.unit_id in self._with_collectives(unit)}

    def default_unit(self, action: "ActionItem") -> int | None:
        """Return the pk of the unit the user reports for on an action unless they choose another.

        The default is a lead unit among the user's units, or else a supporting one. A coordinator without a lead unit
        reports for the action's lead unit; if it has several, the result is None, which means all of them.
        """
        parts = sorted(
            action.assignments.all(), key=lambda part: (part.role != Role.LEAD, part.unit_id not in self.unit_ids)
        )
        leads = [part.unit_id for part in parts if part.role == Role.LEAD]
        own = [self.represented_units[part.unit_id] for part in parts if part.unit_id in self.represented_units]
        if self.is_coordinator and leads and self.represented_units.keys().isdisjoint(leads):
            return leads[0] if len(leads) == 1 else None
        return next(iter(own), None)

    @property
    def unit_names(self) -> dict[int, str]:
        """Unit pk → abbreviation, for the user's units."""
        return {unit.pk: unit.abbreviation for unit in self.units}

    @property
    def why_not_lead(self) -> str:
        """Why the user cannot report for a unit."""
        if self.may_lead:
            return ""
        if self.at_home:
            return self._reader_sentence
        if self.is_coordinator:
            return _(
                "You are not a member of any unit. As the coordinator you can report on any action on its own page, "
                "and add yourself to a unit under “Manage the data”."
            )
        return " ".join([self._missing_sentence, self.how_to_report])

    @property
    def notice(self) -> str:
        """What the account is missing, shown on the first page after the login; "" if it is complete."""
        if self.at_home:
            return self.at_home.notice
        has_role = self.user.is_superuser or any(role in self.roles for role in RoleGroup)
        if not has_role or (self.is_staff and not self.unit_ids and not self.is_coordinator):
            return self.why_not_lead
        inactive = [unit.abbreviation for unit in self.units if not unit.is_active]
        if inactive and self.may_lead:
            return _(
                "Your unit %(units)s is no longer in use. Ask the PMQA coordinator to add you to the unit you work in "
                "now."
            ) % {"units": ", ".join(inactive)}
        return ""

    @property
    def how_to_report(self) -> str:
        """Sentence that names the person who grants the missing role or membership."""
        if self.is_staff:
            return _("If you report for a unit, ask the PMQA coordinator to add you to it as a member.")
        if self.unit_ids:
            return _("If you report for your unit, ask the PMQA coordinator to give you the role “%(role)s”.") % {
                "role": RoleGroup.STAFF.label
            }
        return _(
            "If you report for a unit, ask the PMQA coordinator to give you the role “%(role)s”, and to add you to the "
            "unit as a member."
        ) % {"role": RoleGroup.STAFF.label}

    @property
    def role_labels(self) -> str:
        """The labels of the user's roles, with commas."""
        return ", ".join(str(role.label) for role in RoleGroup if role in self.roles) or _("none yet")

    def why_not_report(self, action: "ActionItem") -> str:
        """Return why the user has no update form for an action."""
        if self.may_add_result(action):
            return ""
        if self.at_home:
            return self._reader_sentence
        if reason := action.plan.why_no_reports:
            return reason
        parts = list(action.assignments.all())
        if not parts:
            return _("No unit is in charge of this action yet. The PMQA coordinator assigns it.")
        units = ", ".join(dict.fromkeys(str(part.unit) for part in parts))
        own = [
            self.unit_names[self.represented_units[part.unit_id]]
            for part in parts
            if part.unit_id in self.represented_units
        ]
        if own:
            why = _("This action is the work of your unit %(own)s, but only its staff report on it.")
            return " ".join([why % {"own": ", ".join(dict.fromkeys(own))}, self._role_sentence, self.how_to_report])
        why = _("This action belongs to %(units)s. Only their staff and the coordinator report on it.")
        why %= {"units": units}
        if self.is_staff and self.unit_ids:
            own_units = ", ".join(self.unit_names.values())
            ask = _(
                "You are a member of %(own)s. If your unit takes part in it, ask the PMQA coordinator to add the unit "
                "to the action."
            )
            return f"{why} {ask % {'own': own_units}}"
        return " ".join([why, self._missing_sentence, self.how_to_report])

    def why_not_send(self, unit: Unit) -> str:
        """Return why the user cannot send the submissions of a unit."""
        if self.may_send_submission(unit.pk):
            return ""
        if self.at_home:
            return self._reader_sentence
        why = _("Only the staff of %(unit)s send its report.") % {"unit": unit}
        if unit.pk in self.unit_ids:
            return " ".join([why, self._role_sentence, self.how_to_report])
        return " ".join(
            [
                why,
                _("If you send it, ask the PMQA coordinator to add you to the unit as a member."),
                self._ask_for_staff_role,
            ]
        ).strip()

    @property
    def why_not_review(self) -> str:
        """Why the user cannot review submissions."""
        if self.is_coordinator:
            return ""
        if self.at_home:
            return self._reader_sentence
        return " ".join(
            [_("Only the PMQA coordinator reviews the reports of the units."), self._ask_for_coordinator_role]
        )

    @property
    def why_not_coordinate(self) -> str:
        """Why the user cannot open a page for coordinators."""
        if self.is_coordinator:
            return ""
        if self.at_home:
            return self._reader_sentence
        return " ".join([_("Only the PMQA coordinator may open this page."), self._ask_for_coordinator_role])

    @property
    def why_not_manage(self) -> str:
        """Why the user cannot open จัดการข้อมูล."""
        if self.may_manage:
            return ""
        return " ".join(
            [_("Only the coordinator and the administrator manage the data."), self._ask_for_coordinator_role]
        )

    @property
    def why_not_here(self) -> str:
        """Why the user cannot open a page, if the page gives no reason of its own."""
        ask = _("Your account does not include this page. If you need it for your work, ask the system administrator.")
        return f"{ask} {self._role_sentence}"

    @property
    def _reader_sentence(self) -> str:
        return _(
            "This plan belongs to an organization below yours; you only read it. Its own staff and PMQA coordinator "
            "work on it."
        )

    @property
    def _ask_for_coordinator_role(self) -> str:
        ask = _("If you do this work, ask the system administrator for the role “%(role)s”.")
        return f"{self._role_sentence} {ask % {'role': RoleGroup.COORDINATOR.label}}"

    @property
    def _ask_for_staff_role(self) -> str:
        if self.is_staff or self.is_coordinator:
            return ""
        ask = _("Ask the PMQA coordinator for the role “%(role)s” as well.") % {"role": RoleGroup.STAFF.label}
        return f"{self._role_sentence} {ask}"

    @property
    def _role_sentence(self) -> str:
        return _("Your role: %(roles)s.") % {"roles": self.role_labels}

    @property
    def _missing_sentence(self) -> str:
        """One sentence that says which role or unit the account is missing."""
        if self.is_staff:
            return _("Your account is not a member of any unit yet, so it only reads the plan.")
        if self.unit_ids:
            return _("Your role (%(roles)s) only reads the plan; you are a member of %(units)s.") % {
                "roles": self.role_labels,
                "units": ", ".join(self.unit_names.values()),
            }
        if any(role in self.roles for role in RoleGroup):
            return _("Your role (%(roles)s) only reads the plan.") % {"roles": self.role_labels}
        return _("Your account has no role and no unit yet, so it only reads the plan.")

    def _has_role(self, action: "ActionItem", role: str) -> bool:
        return self.is_staff and any(
            assignment.role == role and assignment.unit_id in self.represented_units
            for assignment in action.assignments.all()
        )


def access_of(request: HttpRequest) -> Access:
    """Return the access of the logged-in user to the plan that the URL names, if any; it is read once per request."""
    if not hasattr(request, "_access"):
        request._access = Access.of(request.user)  # type: ignore[attr-defined]
    access, plan = request._access, getattr(request, "plan", None)  # type: ignore[attr-defined]
    return access.in_organization(plan.organization_id) if plan else access


def coordinators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view for coordinators; other users get the 403 page with the reason."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := access_of(request).why_not_coordinate:
            raise PermissionDenied(reason)
        return view(request, *args, **kwargs)

    return inner
