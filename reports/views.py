"""Dashboards, the maturity map, the timeline, the units and the workbooks. Nothing here writes."""

from difflib import get_close_matches
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assignments.models import Role, Unit
from criteria.models import Criterion, Level
from plan.as_of import AsOf, on_day
from plan.filters import ActionFilter
from plan.lookup import find_plan, read_as_of
from plan.models import Evidence, Plan
from pmqa_tracker import clock, thai
from pmqa_tracker.views import NotFound
from reports import charts, figures
from reports.maturity import build_map
from reports.plan_form import build_plan_form
from reports.timeline import build_timeline

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _day(request: HttpRequest, plan: Plan) -> tuple[AsOf, dict[str, Any]]:
    """The day of the page, with what a template says of it and each of its links keeps."""
    as_of = read_as_of(request, plan)
    default = on_day(plan, clock.today(), ())
    query = {} if as_of.day == default.day else {"as_of": as_of.day.isoformat()}
    has_ended = clock.today() > plan.ends_on
    return as_of, {"as_of": as_of, "query": query, "has_ended": has_ended, "is_default_day": not query}


@require_safe
def dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    """ภาพรวม: the figures of the plan, each a link to its rows."""
    plan = find_plan(request, slug)
    as_of, context = _day(request, plan)
    points = figures.curve(plan, as_of)
    context |= {
        "overview": figures.overview(plan, as_of, context["query"]),
        "points": points,
        "chart": charts.curve(points),
    }
    return render(request, "reports/dashboard.html", context)


@require_safe
def maturity_map(request: HttpRequest, slug: str) -> HttpResponse:
    """แผนที่ระดับ: criteria by level, and the score now and if all that is ready passed."""
    plan = find_plan(request, slug)
    as_of, context = _day(request, plan)
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
    as_of, context = _day(request, plan)
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


@require_safe
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """The document's own picture: actions by criterion, bars over the periods, today's line."""
    plan = find_plan(request, slug)
    as_of, context = _day(request, plan)
    chosen = ActionFilter(request.GET, plan.actions.all(), as_of=as_of)
    if chosen.unknown:
        names = ", ".join(chosen.unknown)
        messages.warning(request, _("Left out, since nothing like it is offered: %(names)s.") % {"names": names})
    actions = list(chosen.qs.with_details().in_order())
    lines = build_timeline(actions, as_of)
    context |= {"filter": chosen, "timeline": lines, "count": len(actions), "day_at": f"{lines.day_at:.2f}"}
    return render(request, "reports/timeline.html", context)


@require_safe
def unit_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Every division with what it leads and supports, furthest behind first."""
    plan = find_plan(request, slug)
    as_of, context = _day(request, plan)
    context["units"] = figures.by_unit(figures.read_standings(plan, as_of), as_of, context["query"])
    collectives = Unit.objects.active().filter(is_collective=True).prefetch_related("members").in_order()
    context["collectives"] = list(collectives)
    return render(request, "reports/unit_list.html", context)


@require_safe
def unit_detail(request: HttpRequest, slug: str, abbreviation: str) -> HttpResponse:
    """One unit: its figures, what it leads (behind first), what it supports, its load by period."""
    plan = find_plan(request, slug)
    unit = Unit.objects.prefetch_related("members", "collectives").filter(abbreviation=abbreviation).first()
    if unit is None:
        units = [(str(each), reverse("unit_detail", args=[slug, each])) for each in Unit.objects.active().in_order()]
        raise NotFound(_("There is no unit “%(unit)s”.") % {"unit": abbreviation}, units)
    as_of, context = _day(request, plan)
    standings = figures.read_standings(plan, as_of)
    lead, support = figures.unit_groups(unit, standings, as_of, context["query"])
    actions = plan.actions.as_of(as_of).with_details().behind_first()
    context |= {
        "unit": unit,
        "lead": lead,
        "support": support,
        "lead_actions": list(actions.for_units([unit], role=Role.LEAD)),
        "support_actions": list(actions.for_units([unit], role=Role.SUPPORT)),
        "periods": figures.by_period([each for each in standings if unit.pk in each.lead], as_of, lead.total.query),
    }
    return render(request, "reports/unit_detail.html", context)


@require_safe
def report_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The workbooks there are to download."""
    plan = find_plan(request, slug)
    as_of, context = _day(request, plan)
    context["asked"] = as_of.day.isoformat() if context["query"] else None
    return render(request, "reports/report_list.html", context)


@require_safe
def plan_form(request: HttpRequest, slug: str) -> HttpResponse:
    """แบบแผน as a workbook; `?status=no` leaves out the status columns."""
    plan = find_plan(request, slug)
    as_of = read_as_of(request, plan)
    with_status = request.GET.get("status") != "no"
    file = BytesIO()
    build_plan_form(plan, as_of, with_status=with_status).save(file)
    file.seek(0)
    name = _("plan-form %(plan)s as of %(day)s.xlsx") % {"plan": plan.slug, "day": thai.format_date(as_of.day)}
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)
