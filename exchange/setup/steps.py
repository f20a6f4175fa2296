"""The steps from an empty site to the first plan, and what each of them has already."""

from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from criteria.models import Criterion, Framework
from plan.models import Plan


@dataclass(frozen=True, kw_only=True)
class Button:
    """A link of a step, or a form with one button if `is_post`."""

    label: str
    url: str
    is_post: bool = False


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        title: its heading.
        sentence: what it is for, and what else there is to know about it.
        done: sentence with what there is already; "" if there is nothing.
        missing: sentence with what has to be done before it, or by somebody else; "" if nothing has.
        buttons: the ways to do it, the usual one first; none if something is missing.
        is_next: whether it is the first step to do now.
    """

    title: str
    sentence: str
    done: str = ""
    missing: str = ""
    buttons: tuple[Button, ...] = ()
    is_next: bool = False


def read_steps(user: Any) -> list[Step]:
    """Return the steps in their order, as they are for a user."""
    first = "" if user.organization else _("First name the organization.")
    criteria, editions = Criterion.objects.count(), Framework.objects.count()
    steps = [
        _organization(user),
        _units(user, first),
        _people(user, first),
        _framework(user, criteria, editions),
        _plan(user, first, has_criteria=criteria > 0),
    ]
    to_do = next((step for step in steps if step.buttons and not step.done and not step.missing), None)
    return [replace(step, is_next=step is to_do, buttons=() if step.missing else step.buttons) for step in steps]


def _organization(user: Any) -> Step:
    own = user.organization
    sentence = _("The department whose improvement plan this site keeps.")
    if own:
        change = Button(label=_("Change"), url=reverse("admin:assignments_organization_change", args=[own.pk]))
        return Step(
            title=_("Organization"),
            sentence=sentence,
            done=_("Your organization is %(name)s.") % {"name": own.name},
            buttons=(change,) if user.is_superuser else (),
        )
    if not user.is_superuser:
        ask = _("Your account belongs to no organization. Ask the system administrator to choose one for it.")
        return Step(title=_("Organization"), sentence=sentence, missing=ask)
    note = _("Your account belongs to none yet; the one you name here becomes yours.")
    button = Button(label=_("Name the organization"), url=reverse("setup_organization"))
    return Step(title=_("Organization"), sentence=f"{sentence} {note}", buttons=(button,))


def _units(user: Any, missing: str) -> Step:
    count = 0 if missing else user.organization.units.count()
    buttons = [Button(label=_("Add units"), url=reverse("setup_units"))]
    if user.has_perms(("assignments.add_unit", "assignments.change_unit")):
        buttons.append(Button(label=_("Bring in units from Excel"), url=reverse("admin:assignments_unit_import")))
    return Step(
        title=_("Units"),
        sentence=_("The divisions that carry out the actions and report on them, each with its abbreviation."),
        done=ngettext("%(count)s unit", "%(count)s units", count) % {"count": count} if count else "",
        missing=missing,
        buttons=tuple(buttons),
    )


def _people(user: Any, missing: str) -> Step:
    count = 0 if missing else user.organization.users.exclude(pk=user.pk).count()
    buttons = ()
    if user.has_perms(("assignments.add_user", "assignments.change_user")):
        buttons = (
            Button(label=_("Add a person"), url=reverse("admin:assignments_user_add")),
            Button(label=_("Bring in people from Excel"), url=reverse("admin:assignments_user_import")),
        )
    else:
        missing = missing or _("The system administrator adds accounts. Tell them who needs one.")
    return Step(
        title=_("People"),
        sentence=_("Everybody who reports, reviews or reads, each with a role and the units they work in."),
        done=ngettext("%(count)s person besides you", "%(count)s people besides you", count) % {"count": count}
        if count
        else "",
        missing=missing,
        buttons=buttons,
    )


def _framework(user: Any, count: int, editions: int) -> Step:
    buttons = [Button(label=_("Load the criteria of PMQA"), url=reverse("setup_framework"), is_post=True)]
    if user.has_perm("criteria.add_framework"):
        buttons.append(Button(label=_("Enter another edition"), url=reverse("admin:criteria_framework_add")))
    return Step(
        title=_("Criteria"),
        sentence=_(
            "An edition of the standard with its categories and criteria. The site comes with that of 2562; "
            "the workbook of a new plan can bring another one."
        ),
        done=ngettext(
            "%(count)s criteria in %(editions)s edition", "%(count)s criteria in %(editions)s editions", editions
        )
        % {"count": count, "editions": editions}
        if count
        else "",
        buttons=tuple(buttons),
    )


def _plan(user: Any, missing: str, *, has_criteria: bool) -> Step:
    count = 0 if missing else Plan.objects.visible_to(user).filter(organization=user.organization).count()
    buttons = [Button(label=_("New plan from Excel"), url=reverse("new_plan"))]
    if has_criteria:
        buttons.append(Button(label=_("Begin with an empty plan"), url=reverse("setup_plan")))
    return Step(
        title=_("Plan"),
        sentence=_(
            "One workbook brings the whole plan: periods, verdicts, actions and the units in charge. Or begin with an "
            "empty plan, and add its actions later."
        ),
        done=ngettext("%(count)s plan", "%(count)s plans", count) % {"count": count} if count else "",
        missing=missing,
        buttons=tuple(buttons),
    )
