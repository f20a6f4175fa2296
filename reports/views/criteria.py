"""Pages of the maturity map and of one criterion."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from criteria.models import Level
from plan.as_of import AsOf
from plan.cached_page import render_cached
from plan.lookup import find_plan, warn_ignored_parameters
from plan.models import Evidence, Plan
from pmqa_tracker import thai
from pmqa_tracker.database_text import find_named
from pmqa_tracker.parsing.nearest import nearest
from pmqa_tracker.views import NotFound
from reports.figures.maturity import MapCell, MapCellState, MaturityMap, build_map
from reports.figures.path import OwnerWork, ScorePath, find_path, read_open_actions, read_path_work
from reports.figures.unlock import DEFAULT_STEPS, MAX_STEPS, find_unlock_steps, read_missing_work
from reports.views.crosswalk import read_crosswalk
from reports.views.day import read_page_day


@dataclass(frozen=True, kw_only=True)
class MapListing:
    """The map with the assumptions and the state that the URL selects.

    Attributes:
        context: context of the templates, from `read_page_day`.
        assumed: codes of the requirements assumed to pass.
        limit: most requirements proposed to unlock.
        state: only criteria with a cell in this state are shown; None for all.
    """

    map: MaturityMap
    as_of: AsOf
    context: dict[str, Any]
    assumed: list[str]
    limit: int
    state: MapCellState | None


@dataclass(frozen=True, kw_only=True)
class TargetAnswer:
    """The target that the user typed, and the cheapest path to it.

    Attributes:
        typed: the text as typed.
        error: what is wrong with it; empty if nothing is.
        path: None without a valid target.
        work: the open actions of the path, by the units that lead them.
        last_on: the day by which the last of them is due.
    """

    typed: str = ""
    error: str = ""
    path: ScorePath | None = None
    work: list[OwnerWork] = field(default_factory=list)

    @property
    def last_on(self) -> date | None:
        days = [action.last_period.ends_on for part in self.work for action in part.actions if action.last_period]
        return max(days, default=None)


def read_map_listing(request: HttpRequest, plan: Plan) -> MapListing:
    """Read the map for `?pass=`, `?unlock=` and `?state=`; warn about values that are ignored.

    `?suppose=1` offers the assumptions and `?target=` asks for a path; both only add to the page.
    """
    as_of, context = read_page_day(request, plan)
    the_map = build_map(plan, as_of, context["query"])
    assumed = _read_assumed(request, the_map)
    limit = _read_limit(request)
    state = _read_state(request)
    warn_ignored_parameters(request, ("pass", "unlock", "state", "suppose", "target"))
    if assumed:
        the_map.assume(assumed)
    if state:
        the_map.show_only(state)
    return MapListing(map=the_map, as_of=as_of, context=context, assumed=assumed, limit=limit, state=state)


@require_safe
def maturity_map(request: HttpRequest, slug: str) -> HttpResponse:
    """แผนที่ระดับ: criteria by level; the score now, if everything ready passes, and with the ticked requirements."""
    plan = find_plan(request, slug)
    return render_cached(request, "reports/maturity_map.html", lambda: _map_context(request, plan))


def _map_context(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    """Read the context of the map."""
    listing = read_map_listing(request, plan)
    target = _read_target(request, plan, listing)
    return listing.context | {
        "map": listing.map,
        "levels": list(Level),
        "assumed": listing.assumed,
        "is_supposing": bool(listing.assumed) or request.GET.get("suppose") == "1",
        "state": listing.state,
        "target": target,
        "try_path": _assume_query(listing, target.path.cells, target=target.typed) if target.path else "",
        **_unlock_context(request, plan, listing),
    }


def _unlock_context(request: HttpRequest, plan: Plan, listing: MapListing) -> dict[str, Any]:
    """Propose the requirements that raise the score most, if `?unlock=` asks for them."""
    is_asked = bool(request.GET.get("unlock", "").strip())
    steps = find_unlock_steps(listing.map, listing.limit) if is_asked else []
    missing = read_missing_work(plan, listing.as_of, steps)
    gain = sum(step.gain for step in steps)
    return {
        "is_unlocking": is_asked,
        "missing": missing,
        "limit": listing.limit,
        "offered": range(1, MAX_STEPS + 1),
        "try_query": _assume_query(listing, [step.cell for step in steps], unlock=listing.limit),
        "gain": gain,
        "unlocked": (listing.map.now.total or 0) + gain,
    }


def _assume_query(listing: MapListing, cells: Iterable[MapCell], **further: Any) -> str:
    """Return the parameters of the map with the assumption that these requirements pass."""
    return urlencode({**listing.context["query"], **further, "pass": [cell.code for cell in cells]}, doseq=True)


def _read_target(request: HttpRequest, plan: Plan, listing: MapListing) -> TargetAnswer:
    """Read the score to reach, `?target=400`, and find the cheapest path to it."""
    typed = request.GET.get("target", "").strip()
    if not typed or listing.map.now.total is None:
        return TargetAnswer()
    written = thai.fold(typed).replace(",", "")
    if not re.fullmatch(r"[0-9]{1,6}([.][0-9]{1,4})?", written):
        text = _("This is not a score. Type a number from 0 to %(full)s, such as 400.")
        return TargetAnswer(typed=typed[:40], error=text % {"full": listing.map.full})
    path = find_path(listing.map, Fraction(written), read_open_actions(plan, listing.as_of))
    return TargetAnswer(typed=typed, path=path, work=read_path_work(plan, listing.as_of, path))


def _read_assumed(request: HttpRequest, the_map: MaturityMap) -> list[str]:
    """Read the requirements assumed to pass, each as `?pass=1.2.1-A`; warn about unknown ones."""
    codes = (
        thai.match_spelling(code.strip(), the_map.open_cells) for code in request.GET.getlist("pass") if code.strip()
    )
    selected = list(dict.fromkeys(codes))
    unknown = [f"“{code[:40]}”" for code in selected if code not in the_map.open_cells]
    if unknown:
        text = _("Not assumed to pass: %(codes)s. These requirements do not exist or have already passed.")
        messages.warning(request, text % {"codes": ", ".join(unknown)})
    return [code for code in selected if code in the_map.open_cells]


def _read_limit(request: HttpRequest) -> int:
    """Read the most requirements to propose, `?unlock=`; warn if the value is not offered."""
    value = request.GET.get("unlock", "").strip()
    if not value:
        return DEFAULT_STEPS
    try:
        number = int(value)
    except ValueError:
        number, limit = None, DEFAULT_STEPS
    else:
        limit = min(max(number, 1), MAX_STEPS)
    if limit != number:
        text = _("“%(asked)s” is not a number from 1 to %(most)s; %(shown)s requirements are proposed.")
        messages.warning(request, text % {"asked": value[:40], "most": MAX_STEPS, "shown": limit})
    return limit


def _read_state(request: HttpRequest) -> MapCellState | None:
    """Read the state that the map is narrowed to, `?state=`; warn if it is unknown."""
    value = request.GET.get("state", "").strip()
    if not value:
        return None
    try:
        return MapCellState(thai.match_spelling(value, MapCellState.values))
    except ValueError:
        text = _("The map has no state “%(state)s”; the whole map is shown.")
        messages.warning(request, text % {"state": value[:40]})
        return None


@require_safe
def criterion_detail(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """One criterion: requirement, verdict, actions and evidence of each level."""
    plan = find_plan(request, slug)
    read = partial(_criterion_context, request, plan, code)
    # Successors are those of editions that plans of the organization answer, whose revisions rise with them.
    revisions = list(plan.organization.plans.order_by("pk").values_list("pk", "revision"))
    return render_cached(request, "reports/criterion_detail.html", read, also=revisions)


def _criterion_context(request: HttpRequest, plan: Plan, code: str) -> dict[str, Any]:
    """Read the context of the page of a criterion.

    Raises:
        NotFound: it does not exist; the page offers the most similar codes.
    """
    criterion = find_named(plan.framework.criteria.select_related("category", "parent"), "code", code)
    if criterion is None:
        codes = list(plan.framework.criteria.in_order().values_list("code", flat=True))
        links = [(near, reverse("criterion_detail", args=[plan.slug, near])) for near in nearest(code, codes)]
        raise NotFound(_("There is no criterion “%(code)s”.") % {"code": code}, links)
    as_of, context = read_page_day(request, plan)
    the_map = build_map(plan, as_of, context["query"])
    actions = list(plan.actions.filter(criterion=criterion).as_of(as_of).with_details().in_order())
    evidence = Evidence.objects.filter(at__lt=as_of.ends_at).select_related("withdrawal__by", "update__unit")
    evidence = evidence.order_by("at", "pk")
    prefetch_related_objects(actions, Prefetch("evidence", evidence, to_attr="evidence_on"))
    row = next(row for row in the_map.rows if row.criterion.pk == criterion.pk)
    levels = [
        (cell, [action for action in actions if cell.requirement in action.requirements.all()]) for cell in row.cells
    ]
    return context | {
        "criterion": criterion,
        "row": row,
        "levels": levels,
        "children": list(criterion.children.in_order()),
        "crosswalk": read_crosswalk(plan, criterion, request.user),
    }
