"""Pages of the first steps, for coordinators and administrators: from an empty site to the first plan."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from django.contrib import messages
from django.db import IntegrityError
from django.forms import BaseForm, BaseFormSet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assignments.access import coordinators_only
from assignments.models import Organization, User
from criteria.models import Framework
from criteria.shared_admin import used_elsewhere, why_only_administrators
from exchange.seeding import FIXTURES, FixtureError, load_fixtures
from exchange.setup.forms import EmptyPlanForm, OrganizationForm, OwnOrganizationForm, UnitFormSet
from exchange.setup.steps import read_steps
from exchange.setup.write import add_plan, add_units
from plan.models import Plan
from pmqa_tracker import clock
from pmqa_tracker.transactions import mark_changed, write_transaction

AnyForm = TypeVar("AnyForm", bound=BaseForm | BaseFormSet)


def with_organization(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a step that needs the user's organization; without one the user is sent to the first step."""

    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        if request.user.organization is None:
            messages.warning(request, _("First name the organization."))
            return redirect("setup")
        return view(request)

    return coordinators_only(inner)


@require_safe
@coordinators_only
def setup(request: HttpRequest) -> HttpResponse:
    """ขั้นตอนเริ่มต้น: what there is already, what comes next, and the buttons of each step."""
    own = Plan.objects.visible_to(request.user).filter(organization=request.user.organization_id)
    preparing = own.filter(state=Plan.State.PREPARATION).order_by("-pk").first()
    context = {"steps": read_steps(request.user), "preparing": preparing}
    return render(request, "exchange/setup_steps.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def setup_organization(request: HttpRequest) -> HttpResponse:
    """Make an organization, or choose one that exists; it becomes that of the administrator, who has none yet."""
    user = request.user
    if user.organization:
        messages.info(request, _("Your organization is %(name)s.") % {"name": user.organization.name})
        return redirect("setup")
    if not user.is_superuser:
        return render(request, "exchange/setup_organization.html")
    is_choice = "existing" in request.POST
    choice = OwnOrganizationForm(request.POST if is_choice else None)
    form, is_saved = _save(
        lambda: OrganizationForm(None if is_choice else _posted(request)), lambda form: _join(user, form.save())
    )
    if is_saved:
        text = _("%(name)s was added, and your account belongs to it.")
        messages.success(request, text % {"name": form.instance.name})
        return redirect("setup")
    if choice.is_valid():
        _join(user, choice.cleaned_data["existing"])
        return redirect("setup")
    context = {"form": form, "choice": choice if Organization.objects.exists() else None}
    return render(request, "exchange/setup_organization.html", context, status=_status(form, choice))


@require_http_methods(["GET", "HEAD", "POST"])
@with_organization
def setup_units(request: HttpRequest) -> HttpResponse:
    """Add several units at once; the units that exist are listed."""
    own = request.user.organization
    rows, is_saved = _save(lambda: UnitFormSet(_posted(request), form_kwargs={"organization": own}), add_units)
    if is_saved:
        count = len(rows.filled)
        text = ngettext("%(count)s unit was added.", "%(count)s units were added.", count)
        messages.success(request, text % {"count": count})
        return redirect("setup_units")
    context = {"rows": rows, "units": own.units.in_order(), "organization": own}
    return render(request, "exchange/setup_units.html", context, status=_status(rows))


@require_POST
@coordinators_only
def setup_framework(request: HttpRequest) -> HttpResponse:
    """Load the criteria that come with the site, like `manage.py seed --framework-only`.

    A coordinator adds nothing to an edition that another organization uses.
    """
    used = set(Framework.objects.filter(pk__in=used_elsewhere(request.user)).values_list("slug", flat=True))
    folders = [folder.name for folder in FIXTURES.glob("frameworks/*") if folder.name not in used]
    if not folders:
        messages.info(request, why_only_administrators())
        return redirect("setup")
    try:
        summary = load_fixtures(patterns=[f"frameworks/{name}/*.json" for name in sorted(folders)])
    except FixtureError as error:
        messages.error(request, str(error))
    else:
        if summary.added:
            messages.success(request, _("The criteria were added. Check them before you use them in a plan."))
        else:
            messages.info(request, _("Nothing was added: this site has had all these criteria already."))
    return redirect("setup")


@require_http_methods(["GET", "HEAD", "POST"])
@with_organization
def setup_plan(request: HttpRequest) -> HttpResponse:
    """Make a plan without actions; its periods are the quarters of the fiscal years."""
    if not Framework.objects.exists():
        messages.warning(request, _("First load or enter the criteria."))
        return redirect("setup")
    own, today = request.user.organization, clock.today()
    form, is_saved = _save(lambda: EmptyPlanForm(_posted(request), organization=own, today=today), add_plan)
    if is_saved:
        text = _("“%(title)s” was made. It is in preparation: only coordinators see it.")
        messages.success(request, text % {"title": form.instance.title})
        return redirect("setup")
    return render(request, "exchange/setup_plan.html", {"form": form}, status=_status(form))


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _join(user: User, organization: Organization) -> None:
    """Make an organization that of a user who has none."""
    with write_transaction():
        mark_changed([user])
        User.objects.filter(pk=user.pk, organization=None).update(organization=organization)


def _save(make: Callable[[], AnyForm], write: Callable[[AnyForm], None]) -> tuple[AnyForm, bool]:
    """Write a form in a transaction if it is valid.

    If another user added the same record meanwhile, a new form sees it and names the error.

    Args:
        make: returns the bound or unbound form.
        write: writes a valid form.

    Returns:
        The form, and whether it was written.
    """
    for is_last in (False, True):
        form = make()
        if not form.is_valid():
            break
        try:
            with write_transaction():
                write(form)
            return form, True
        except IntegrityError:
            if is_last:
                raise
    return form, False


def _status(*forms: BaseForm | BaseFormSet) -> int:
    """Return 422 if one of the forms was sent and refused."""
    return 422 if any(form.is_bound for form in forms) else 200
