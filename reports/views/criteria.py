"""The maturity map and its criteria."""

from difflib import get_close_matches

from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from criteria.models import Criterion, Level
from plan.lookup import find_plan
from plan.models import Evidence
from pmqa_tracker.views import NotFound
from reports.maturity import build_map
from reports.views.day import read_day


@require_safe
def maturity_map(request: HttpRequest, slug: str) -> HttpResponse:
    """แผนที่ระดับ: criteria by level, and the score now and if all that is ready passed."""
    plan = find_plan(request, slug)
    as_of, context = read_day(request, plan)
    context |= {"map": build_map(plan, as_of), "levels": list(Level)}
    return render(request, "reports/maturity_map.html", context)


@require_safe
def criterion_detail(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """One criterion: what each level asks, how it was judged, what is being done, the evidence."""
    plan = find_plan(request, slug)
    criterion = Criterion.objects.select_related("category", "parent").filter(code=code).first()
    if criterion is None:
        codes = list(Criterion.objects.in_order().values_list("code", flat=True))
        nearest = [(near, reverse("criterion_detail", args=[slug, near])) for near in get_close_matches(code, codes)]
        raise NotFound(_("There is no criterion “%(code)s”.") % {"code": code}, nearest)
    as_of, context = read_day(request, plan)
    whole = build_map(plan, as_of)
    actions = list(plan.actions.filter(criterion=criterion).as_of(as_of).with_details().in_order())
    evidence = Evidence.objects.filter(at__lt=as_of.ends_at).select_related("withdrawal__by").order_by("at", "pk")
    prefetch_related_objects(actions, Prefetch("evidence", evidence, to_attr="evidence_on"))
    row = next(row for _category, rows in whole.categories for row in rows if row.criterion.pk == criterion.pk)
    levels = [
        (cell, [action for action in actions if cell.requirement in action.requirements.all()]) for cell in row.cells
    ]
    context |= {"criterion": criterion, "row": row, "levels": levels, "children": list(criterion.children.in_order())}
    return render(request, "reports/criterion_detail.html", context)
