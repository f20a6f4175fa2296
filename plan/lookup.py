"""Finding what an address names, and a page that helps where it names nothing."""

from difflib import get_close_matches

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from plan.as_of import AsOf, on_day
from plan.models import ActionItem, Plan
from pmqa_tracker import clock, thai
from pmqa_tracker.views import NotFound


def find_plan(request: HttpRequest, slug: str) -> Plan:
    """The plan at an address; it is remembered on the request for the page's frame.

    Raises:
        NotFound: there is none; the page lists those there are.
    """
    plan = Plan.objects.select_related("assessment").prefetch_related("periods").filter(slug=slug).first()
    if plan is None:
        others = [
            (other.title, reverse("dashboard", args=[other.slug])) for other in Plan.objects.order_by("-starts_on")
        ]
        raise NotFound(_("There is no plan “%(slug)s”.") % {"slug": slug}, others)
    request.plan = plan  # type: ignore[attr-defined]
    return plan


def find_action(plan: Plan, ref: str) -> ActionItem:
    """The action of a plan by its ref, with its details.

    Raises:
        NotFound: there is none; the page offers the refs written most like it.
    """
    action = plan.actions.with_details().filter(ref=ref).first()
    if action is None:
        refs = plan.actions.order_by("ref").values_list("ref", flat=True)
        nearest = get_close_matches(ref.upper(), refs, n=5, cutoff=0.5)
        links = [(near, reverse("action_detail", args=[plan.slug, near])) for near in nearest]
        raise NotFound(_("This plan has no action “%(ref)s”.") % {"ref": ref}, links)
    action.plan = plan
    return action


def read_as_of(request: HttpRequest, plan: Plan) -> AsOf:
    """The day the page speaks of: `?as_of=`, otherwise today; kept inside the plan, and said where it was moved.

    The day may be written 2020-03-31, 2563-03-31 or 31/3/2563.
    """
    today = clock.today()
    asked = request.GET.get("as_of", "").strip()
    day = today
    if asked:
        try:
            day = thai.parse_date(asked)
        except ValueError:
            messages.warning(
                request,
                _("“%(asked)s” is not a day; write it like 31/3/2563. Shown as of %(day)s instead.")
                % {"asked": asked, "day": thai.format_date(on_day(plan, today, ()).day)},
            )
    as_of = on_day(plan, day, plan.periods.all())
    if asked and as_of.day != day:
        messages.warning(
            request,
            _("%(asked)s lies outside the plan; shown as of %(day)s, the nearest day of it.")
            % {"asked": thai.format_date(day), "day": thai.format_date(as_of.day)},
        )
    return as_of
