"""Figures as data for Chart.js; `static/charts.js` draws them, a table beside each says the same."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from pmqa_tracker import thai


def curve(points: Sequence[tuple[date, float | None, float | None]]) -> dict[str, Any]:
    """Plan against actual as a line chart, from `figures.curve`; values are % rounded to one decimal."""

    def rounded(values: Sequence[float | None]) -> list[float | None]:
        return [None if value is None else round(value, 1) for value in values]

    return {
        "type": "line",
        "labels": [thai.format_date(day) for day, _expected, _actual in points],
        "series": [
            {"label": _("Expected"), "kind": "expected", "data": rounded([each[1] for each in points])},
            {"label": _("Actual"), "kind": "actual", "data": rounded([each[2] for each in points])},
        ],
    }
