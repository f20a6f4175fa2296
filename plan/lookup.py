"""Find the plan, action, unit and day that a URL names; a helpful 404 or warning if there is none."""

from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import CharField, DateField
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from assignments.models import Unit, User
from assignments.unit_names import find_unit_by_name
from assignments.user_queries import AnyUser, read_for
from plan.actions.filters import ActionFilter
from plan.as_of import AsOf, on_day
from plan.models import ActionItem, Meeting, Plan
from plan.models.plan import PlanQuerySet
from pmqa_tracker import clock, thai
from pmqa_tracker.database_text import by_thai, find_named
from pmqa_tracker.parsing.nearest import nearest
from pmqa_tracker.prepared import Given
from pmqa_tracker.views import NotFound


def find_plan(request: HttpRequest, slug: str) -> Plan:
    """Return the plan that the URL names, and set it as `request.plan`, which the access of the user depends on.

    `PlanMiddleware` has found it before any view of a plan runs.

    Raises:
        NotFound: it does not exist, or the user may not see it; the page lists the plans they may see.
    """
    if hasattr(request, "plan"):
        return request.plan
    named = Given("slug", CharField())
    rows = read_for(request.user, "plan", lambda user: _with_all(user).filter(slug=named), slug=slug)
    plan = rows[0] if rows else find_named(_with_all(request.user), "slug", slug)
    if plan is None:
        visible = Plan.objects.visible_to(request.user)
        others = [(other.title, reverse("dashboard", args=[other.slug])) for other in visible.order_by("-starts_on")]
        raise NotFound(_("There is no plan “%(slug)s”.") % {"slug": slug}, others)
    plan._prefetched_objects_cache = {"periods": SimpleLazyObject(partial(_read_periods, plan))}
    request.plan = plan  # type: ignore[attr-defined]
    return plan


def _read_periods(plan: Plan) -> Any:
    """Return the periods as `prefetch_related` would have kept them; a page from the cache does not need them."""
    plan._prefetched_objects_cache.pop("periods", None)  # `refresh_from_db` forgets them
    rows = plan.periods.all()
    plan._prefetched_objects_cache["periods"] = rows
    return rows


def _with_all(user: User | AnyUser) -> PlanQuerySet:
    """Return the plans that a user may read, with what every page of a plan needs."""
    rows = Plan.objects.visible_to(user).with_neighbours().with_owner().with_last_migration()
    return rows.select_related("assessment__framework")


def find_current_plan(user: User) -> Plan | None:
    """Return the plan to work with of the user's own organization, for the frame of a page that names no plan."""

    def rows(user: User | AnyUser) -> PlanQuerySet:
        visible = Plan.objects.visible_to(user).with_neighbours()
        return visible.of_own_organization(user).with_owner().with_last_migration()

    today, day = clock.today(), Given("day", DateField())
    found = read_for(user, "current plan", lambda each: rows(each).running_first(on=day)[:1], day=today)
    return found[0] if found else rows(user).current(on=today)


class PlanMiddleware:
    """Find the plan of the URL before its view runs, so that one the user may not see is a 404 for every method.

    The days of a plan begin and end in the time zone of its organization.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()  # the thread will answer pages of other organizations

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Set `request.plan` if the URL names a plan; raise NotFound if the user may not see it."""
        if "slug" in kwargs and request.user.is_authenticated:
            timezone.activate(find_plan(request, kwargs["slug"]).organization.time_zone)


def find_action(plan: Plan, ref: str) -> ActionItem:
    """Return the action of a plan with this ref, `with_units()`.

    Raises:
        NotFound: it does not exist; the page offers the most similar refs.
    """
    action = find_named(plan.actions.with_units(), "ref", ref)
    if action is None:
        refs = plan.actions.order_by(by_thai("ref")).values_list("ref", flat=True)
        links = [(near, reverse("action_detail", args=[plan.slug, near])) for near in nearest(ref, refs)]
        raise NotFound(_("This plan has no action “%(ref)s”.") % {"ref": ref}, links)
    action.plan = plan
    return action


def find_unit(plan: Plan, abbreviation: str, unit_url: Callable[[Unit], str] | None = None) -> Unit:
    """Return the unit that a URL names, with its members and collectives.

    Args:
        abbreviation: in any spelling; a full name works too.
        unit_url: returns the URL of this page for another unit; defaults to that unit's own page.

    Raises:
        NotFound: it does not exist; the page lists the active units.
    """
    unit = find_unit_by_name(plan.organization.units.prefetch_related("members", "collectives"), abbreviation)
    if unit is None:
        unit_url = unit_url or (lambda each: reverse("unit_detail", args=[plan.slug, each]))
        units = [(str(each), unit_url(each)) for each in plan.organization.units.active().in_order()]
        raise NotFound(_("There is no unit “%(unit)s”.") % {"unit": abbreviation}, units)
    return unit


def read_as_of(request: HttpRequest, plan: Plan) -> AsOf:
    """Return the day of the page: `?as_of=` or today, moved into the plan if necessary, with a warning.

    Accepted formats are 2020-03-31, 2563-03-31 and 31/3/2563.
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
            _("%(asked)s is outside the plan; shown as of %(day)s, the nearest day in it.")
            % {"asked": thai.format_date(day), "day": thai.format_date(as_of.day)},
        )
    return as_of


def day_query(plan: Plan, as_of: AsOf) -> dict[str, str]:
    """Return the URL parameters for the page's day; none if it is the default day."""
    return {} if as_of.day == on_day(plan, clock.today(), ()).day else {"as_of": as_of.day.isoformat()}


def comparison_days(plan: Plan, as_of: AsOf, meetings: Iterable[Meeting] | None = None) -> list[tuple[str, date]]:
    """Return (name, day) of useful days to compare the page's day with, most useful first.

    These are the last two meetings, the ends of past periods, and the plan's first day, all before the page's day.
    `meetings` are those of the plan if already read.
    """
    if meetings is None:
        meetings = plan.meetings.filter(held_on__lt=as_of.day).order_by("-held_on")[:2]
    held = sorted((each for each in meetings if each.held_on < as_of.day), key=lambda each: each.held_on, reverse=True)
    days = [(meeting.name, meeting.held_on) for meeting in held[:2]]
    over = [period.ends_on for period in reversed(as_of.periods) if period.ends_on < as_of.day]
    days += [(_("end of %(period)s") % {"period": thai.format_date(day)}, day) for day in over]
    if plan.starts_on < as_of.day:
        days.append((_("the plan's first day"), plan.starts_on))
    return days


def read_since(request: HttpRequest, plan: Plan, as_of: AsOf, days: list[tuple[str, date]]) -> AsOf:
    """Return the earlier day to compare with: `?since=` or the first of `days`; warn if it had to be moved.

    It is a day of the plan before the page's day. On the plan's first day it is that same day: nothing has changed.
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
    """Warn about the URL parameters that are ignored because the page does not offer them.

    Args:
        chosen: the page's filters.
        also: other parameters that the page reads, besides the days.
    """
    warn_ignored_parameters(request, {*chosen.form.fields, "since", *also}, chosen.ignored)


def warn_ignored_parameters(request: HttpRequest, read: Collection[str], ignored: Collection[str] = ()) -> None:
    """Warn about the URL parameters that the page does not read, and those whose value is not offered.

    Args:
        read: the parameters that the page reads, besides the day.
        ignored: labels of those whose value is not offered.
    """
    names = [*ignored, *(f"“{name[:40]}”" for name in request.GET if name not in {"as_of", *read})]
    if names:
        messages.warning(
            request, _("Ignored, because this page does not offer it: %(names)s.") % {"names": ", ".join(names)}
        )
