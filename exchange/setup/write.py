"""Write what a form of the first steps holds: several units, or a plan with its periods and assessment."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.db.models import Max

from criteria.models import Assessment
from exchange.setup.forms import EmptyPlanForm, UnitRows
from plan.models import Period


def add_units(rows: UnitRows) -> None:
    """Add the units of valid rows after those that exist. The caller opens the transaction."""
    forms = rows.filled
    last = forms[0].instance.organization.units.aggregate(last=Max("position"))["last"] or 0
    for position, form in enumerate(forms, start=last + 1):
        form.instance.position = position
        form.save()


def add_plan(form: EmptyPlanForm) -> None:
    """Add the plan of a valid form with its assessment and periods. The caller opens the transaction."""
    data = form.cleaned_data
    form.instance.assessment, _is_new = Assessment.objects.get_or_create(
        organization=form.instance.organization,
        name=data["assessment_name"],
        defaults={"framework": data["framework"], "kind": data["kind"]},
    )
    plan = form.save()
    for number, (first, last) in enumerate(quarters(plan.starts_on, plan.ends_on), start=1):
        Period.objects.create(plan=plan, number=number, starts_on=first, ends_on=last)


def quarters(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each quarter between two days; the first and last may be parts of one."""
    while first <= last:
        month = (first.month - 1) // 3 * 3 + 3
        following = date(first.year + month // 12, month % 12 + 1, 1)
        yield first, min(following - timedelta(days=1), last)
        first = following
