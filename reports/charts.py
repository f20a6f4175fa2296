"""Figures as data for Chart.js. `static/charts.js` draws them; a table below each chart shows the same figures."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from plan.as_of import AsOf
from plan.models import Age, Due, Meeting, Plan
from plan.models.looks import Look
from pmqa_tracker import thai
from reports.figures.curve import Curve, month_ends
from reports.figures.groups import BAR_ORDER, Figure, Group, PeriodLoad
from reports.links import action_list_url


def curve_chart(curve: Curve, plan: Plan, as_of: AsOf, meetings: Sequence[Meeting] = ()) -> dict[str, Any]:
    """Line chart of expected, actual and forecast progress; values are % rounded to one decimal.

    A line marks each meeting, with its number.
    """

    def rounded(values: Sequence[float | None]) -> list[float | None]:
        return [None if value is None else round(value, 1) for value in values]

    points, ends = curve.points, month_ends(plan.starts_on, plan.ends_on)
    series = [
        {"label": _("Expected"), "kind": "expected", "data": rounded([each.expected for each in points])},
        {"label": _("Actual"), "kind": "actual", "data": rounded([each.actual for each in points])},
    ]
    if curve.pace is not None:
        forecast = {"label": _("Forecast"), "kind": "forecast", "data": rounded([each.forecast for each in points])}
        series.append(forecast)
    return {
        "type": "line",
        "days": [each.day.toordinal() for each in points],
        "now": [each.day for each in points].index(as_of.day) if as_of.day not in ends else -1,
        "months": [thai.format_month(each.day) for each in points],
        "labels": [thai.format_date(each.day) for each in points],
        "meetings": [each.held_on.toordinal() for each in meetings],
        "series": series,
    }


def category_chart(plan: Plan, groups: Sequence[Group]) -> dict[str, Any]:
    """A stacked bar per category with one part per status, linked to its rows.

    The second line of a label is the name of the category.
    """
    subjects = [part.subject for part in groups]
    return {
        "type": "bar",
        "stacked": True,
        "horizontal": True,
        "labels": [_("Category %(number)s") % {"number": each.number} + f"\n{each.name}" for each in subjects],
        "series": [
            _series(plan, str(status.label), status.look, [part.by_status[status] for part in groups])
            for status in BAR_ORDER
        ],
    }


def age_chart(plan: Plan, ages: Sequence[tuple[Age, Figure]]) -> dict[str, Any]:
    """A bar per age band with the number of overdue actions."""
    return {
        "type": "bar",
        "horizontal": True,
        "labels": [str(age.label) for age, _figure in ages],
        "series": [_series(plan, _("Overdue"), Due.OVERDUE.look, [figure for _age, figure in ages])],
    }


def period_chart(plan: Plan, loads: Sequence[PeriodLoad]) -> dict[str, Any]:
    """Bars with the number of actions that begin, run and end in each period."""
    return {
        "type": "bar",
        "labels": [load.period.label for load in loads],
        "series": [
            _series(plan, _("Begin"), "begins", [load.begins for load in loads]),
            _series(plan, _("Run"), "runs", [load.runs for load in loads]),
            _series(plan, _("End"), "ends", [load.ends for load in loads]),
        ],
    }


def _series(plan: Plan, label: str, look: Look | str, figures: Sequence[Figure]) -> dict[str, Any]:
    """One series; `look` is the look of a status, or the name of one in `static/charts.js`."""
    return {
        "label": label,
        **({"kind": look} if isinstance(look, str) else {"kind": look.icon, "look": _chart_look(look)}),
        "data": [figure.count for figure in figures],
        "links": [action_list_url(plan, figure.query) for figure in figures],
    }


def _chart_look(look: Look) -> dict[str, str]:
    """Colours and pattern of one part of a chart."""
    colours = look.colours
    return {
        "fill": f"#{colours.chart}",
        "lines": f"#{colours.lines}",
        "text": f"#{colours.on_chart}",
        "pattern": look.pattern,
    }
