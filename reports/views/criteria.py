"""Pages of the maturity map and of one criterion."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from criteria.models import Level
from plan.as_of import AsOf
from plan.lookup import find_plan, warn_ignored_parameters
from plan.models import Evidence, Plan
from pmqa_tracker import thai
from pmqa_tracker.database_text import find_named
from pmqa_tracker.parsing.nearest import nearest
from pmqa_tracker.views import NotFound
from reports.figures.maturity import MapCellState, MaturityMap, build_map
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


def read_map_listing(request: HttpRequest, plan: Plan) -> MapListing:
    """Read the map for `?pass=`, `?unlock=` and `?state=`; warn about values that are ignored."""
    as_of, context = read_page_day(request, plan)
    the_map = build_map(plan, as_of, context["query"])
    assumed = _read_assumed(request, the_map)
    limit = _read_limit(request)
    state = _read_state(request)
    warn_ignored_parameters(request, ("pass", "unlock", "state"))
    if assumed:
        the_map.assume(assumed)
    if state:
        the_map.show_only(state)
    return MapListing(map=the_map, as_of=as_of, context=context, assumed=assumed, limit=limit, state=state)


@require_safe
def maturity_map(request: HttpRequest, slug: str) -> HttpResponse:
    """แผนที่ระดับ: criteria by level; the score now, if everything ready passes, and with the ticked requirements."""
    plan = find_plan(request, slug)
    listing = read_map_listing(request, plan)
    the_map, as_of, context = listing.map, listing.as_of, listing.context
    missing = read_missing_work(plan, as_of, find_unlock_steps(the_map, listing.limit))
    gain = sum(each.step.gain for each in missing)
    assumptions = {"pass": [each.step.cell.code for each in missing]}
    context |= {
        "map": the_map,
        "levels": list(Level),
        "assumed": listing.assumed,
        "state": listing.state,
        "missing": missing,
        "limit": listing.limit,
        "offered": range(1, MAX_STEPS + 1),
        "try_query": urlencode({**context["query"], "unlock": listing.limit, **assumptions}, doseq=True),
        "gain": gain,
        "unlocked": (the_map.now.total or 0) + gain,
    }
    return render(request, "reports/maturity_map.html", context)


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
    criterion = find_named(plan.framework.criteria.select_related("category", "parent"), "code", code)
    if criterion is None:
        codes = list(plan.framework.criteria.in_order().values_list("code", flat=True))
        links = [(near, reverse("criterion_detail", args=[slug, near])) for near in nearest(code, codes)]
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
    context |= {
        "criterion": criterion,
        "row": row,
        "levels": levels,
        "children": list(criterion.children.in_order()),
        "crosswalk": read_crosswalk(plan, criterion, request.user),
    }
    return render(request, "reports/criterion_detail.html", context)
