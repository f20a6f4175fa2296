"""Finding what an address names, and a page that helps where it names nothing."""

from collections.abc import Callable, Collection
from datetime import date, timedelta
from difflib import get_close_matches

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from assignments.models import Unit
from assignments.unit_names import find_unit_by_name
from plan.actions.filters import ActionFilter
from plan.as_of import AsOf, on_day
from plan.models import ActionItem, Plan
from pmqa_tracker import clock, thai
from pmqa_tracker.database_text import by_thai, find_named
from pmqa_tracker.views import NotFound


def find_plan(request: HttpRequest, slug: str) -> Plan:
    """The plan at an address; it is remembered on the request for the page's frame.

    Raises:
        NotFound: there is none; the page lists those there are.
    """
    plan = find_named(Plan.objects.select_related("assessment").prefetch_related("periods"), "slug", slug)
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
    action = find_named(plan.actions.with_details(), "ref", ref)
    if action is None:
        refs = plan.actions.order_by(by_thai("ref")).values_list("ref", flat=True)
        nearest = get_close_matches(ref.upper(), refs, n=5, cutoff=0.5)
        links = [(near, reverse("action_detail", args=[plan.slug, near])) for near in nearest]
        raise NotFound(_("This plan has no action “%(ref)s”.") % {"ref": ref}, links)
    action.plan = plan
    return action


def find_unit(plan: Plan, abbreviation: str, address: Callable[[Unit], str] | None = None) -> Unit:
    """The unit an address names, with its members and collectives.

    Args:
        abbreviation: in any spelling; a name of the unit is taken too.
        address: of the same page of another unit; without it, that unit's own page is offered.

    Raises:
        NotFound: there is none; the page lists those there are.
    """
    unit = find_unit_by_name(Unit.objects.prefetch_related("members", "collectives"), abbreviation)
    if unit is None:
        address = address or (lambda each: reverse("unit_detail", args=[plan.slug, each]))
        units = [(str(each), address(each)) for each in Unit.objects.active().in_order()]
        raise NotFound(_("There is no unit “%(unit)s”.") % {"unit": abbreviation}, units)
    return unit


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


def day_query(plan: Plan, as_of: AsOf) -> dict[str, str]:
    """What a link keeps to stay on the page's day: nothing where it is the day a page opens on anyway."""
    return {} if as_of.day == on_day(plan, clock.today(), ()).day else {"as_of": as_of.day.isoformat()}


def comparison_days(plan: Plan, as_of: AsOf) -> list[tuple[str, date]]:
    """(name, day) of the days the page's day is likely to be compared with, the most likely first.

    The last two meetings, the ends of the periods over by then, and the plan's first day: all before the day.
    """
    meetings = plan.meetings.filter(held_on__lt=as_of.day).order_by("-held_on")[:2]
    days = [(meeting.name, meeting.held_on) for meeting in meetings]
    over = [period.ends_on for period in reversed(as_of.periods) if period.ends_on < as_of.day]
    days += [(_("end of %(period)s") % {"period": thai.format_date(day)}, day) for day in over]
    if plan.starts_on < as_of.day:
        days.append((_("the plan's first day"), plan.starts_on))
    return days


def read_since(request: HttpRequest, plan: Plan, as_of: AsOf, days: list[tuple[str, date]]) -> AsOf:
    """The earlier day the page compares with: `?since=`, otherwise the first of `days`; said where it was moved.

    It lies inside the plan and before the page's day; on the plan's first day it is that day, and nothing changed.
    """
    default = days[0][1] if days else as_of.day
    asked = (request.GET.get("since") or request.POST.get("since", "")).strip()
    if not asked:
        return on_day(plan, default, as_of.periods)
    try:
        day = thai.parse_date(asked)
    except ValueError:
        messages.warning(
            request,
            _("“%(asked)s” is not a day; write it like 31/3/2563. Compared with %(day)s instead.")
            % {"asked": asked, "day": thai.format_date(default)},
        )
        return on_day(plan, default, as_of.periods)
    latest = max(as_of.day - timedelta(days=1), plan.starts_on)
    since = on_day(plan, min(day, latest), as_of.periods)
    if since.day != day:
        messages.warning(
            request,
            _("%(asked)s is not a day of the plan before %(as_of)s; compared with %(day)s, the nearest one.")
            % {
                "asked": thai.format_date(day),
                "as_of": thai.format_date(as_of.day),
                "day": thai.format_date(since.day),
            },
        )
    return since


def warn_ignored_filters(request: HttpRequest, chosen: ActionFilter, *, also: Collection[str] = ()) -> None:
    """Say which filters of the address were left out, since the page offers nothing like them.

    Args:
        chosen: the page's filters.
        also: further parameters the page reads, besides the day's.
    """
    warn_ignored_parameters(request, {*chosen.form.fields, "since", *also}, chosen.ignored)


def warn_ignored_parameters(request: HttpRequest, read: Collection[str], unknown: Collection[str] = ()) -> None:
    """Name the parameters of the address that the page does not read, and those whose value nobody offers.

    Args:
        read: the parameters the page reads, besides the day.
        unknown: labels of those it reads whose value is not offered.
    """
    names = [*unknown, *(f"“{name[:40]}”" for name in request.GET if name not in {"as_of", *read})]
    if names:
        messages.warning(
            request, _("Left out, since nothing like it is offered: %(names)s.") % {"names": ", ".join(names)}
        )
