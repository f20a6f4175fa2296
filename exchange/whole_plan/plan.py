"""Plan the assessment, the plan and the periods of a whole-plan workbook."""

from bisect import bisect, bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assignments.models import Organization, User
from criteria.models import Assessment, Framework
from exchange.parse import parse_period
from exchange.whole_plan.records import PlannedRecords
from exchange.whole_plan.references import Find, Register
from exchange.whole_plan.rows import PlanRow, PlanSheets
from exchange.whole_plan.tables import PERIODS
from plan.models import Period, Plan
from plan.models.plan import PlanQuerySet
from pmqa_tracker import thai
from pmqa_tracker.database_text import find_named
from pmqa_tracker.parsing.nearest import nearest

PLAN_DAYS = ("starts_on", "ends_on")
LONGEST_PERIOD = 24  # months, of a period whose row has an error


def plan_assessment(
    records: PlannedRecords, head: PlanRow, organization: Organization, framework: Framework
) -> Assessment:
    """The assessment of the plan sheet: a stored one, compared with its lines, or a new one."""
    name = head.values.get("assessment", "")
    known = [] if organization._state.adding else organization.assessments.all()
    record = next((each for each in known if thai.search_key(each.name) == thai.search_key(name)), None)
    if record is None:
        record = Assessment()
        records.add(head, record, name, given={"organization": organization, "framework": framework})
    else:
        given = {} if records.is_unsound(framework) else {"framework": framework}
        records.findings.unchanged += records.compare(head, record, given={**given, "name": record.name})
    return record


def plan_plan(
    records: PlannedRecords, head: PlanRow, user: User, organization: Organization, assessment: Assessment
) -> Plan:
    """The plan of the plan sheet: one that exists, compared with its lines, or a new one."""
    own = Plan.objects.visible_to(user)
    own = own.none() if organization._state.adding else own.filter(organization=organization)
    slug = head.values.get("slug", "")
    record = find_named(own, "slug", slug) if slug else None
    _find_previous(head, own)
    given = {"organization": organization, "assessment": assessment}
    if record is None:
        if slug:
            _check_slug(head, slug)
        record = Plan()
        records.add(head, record, slug, head.values.get("title", ""), given=given)
        return record
    head.values["slug"] = record.slug
    records.findings.existing_plan = existing_plan_note(record)
    if record.has_ended:
        head.add_error("slug", record.why_no_reports)
    records.findings.unchanged += records.compare(head, record, given=given)
    return record


def _check_slug(head: PlanRow, slug: str) -> None:
    """Add an error with another code to a code that a plan has which the user may not see."""
    taken = {thai.search_key(each) for each in Plan.objects.values_list("slug", flat=True)}
    if thai.search_key(slug) in taken:
        free = next(each for number in range(2, 999) if thai.search_key(each := f"{slug}-{number}") not in taken)
        text = _("This code is taken. Choose another, such as %(slug)s.")
        head.add_error("slug", text % {"slug": free}, [free])


def _find_previous(head: PlanRow, own: PlanQuerySet) -> None:
    """Find the previous plan, which the plan sheet names."""
    slug = head.values.get("previous")
    found = find_named(own, "slug", slug) if slug else None
    if slug and found is None:
        slugs = list(own.order_by("-starts_on").values_list("slug", flat=True))
        head.add_error("previous", _("There is no plan with this code."), nearest(slug, slugs) or slugs[:3])
    elif slug is not None:
        head.found["previous"] = found


def plan_periods(records: PlannedRecords, sheets: PlanSheets, plan: Plan) -> Register:
    """The periods of the plan, with those that the file adds."""
    periods = Register(
        names=("number", *PLAN_DAYS), index=_find_period, unsound=records.unsound, owner=(sheets.head, ["slug"])
    )
    stored = [] if plan._state.adding else list(plan.periods.all())
    existing, seen = {each.number: each for each in stored}, {}
    for period in stored:
        periods.add(period)
    new = []
    for row in sheets.rows[PERIODS]:
        number = row.values.get("number")
        is_first = row.is_first(seen, ("row", row.number) if number is None else number, "number")
        period = existing.get(number) if is_first else None
        if period is None:
            new.append((row, Period()))
        elif not records.compare(row, period, given={}):
            periods.add_forms(row, [Period(**row.values)] if row.values.keys() >= set(periods.names) else [])
        else:
            records.findings.unchanged += 1
    _check_days(sheets.head, stored, [row for row, _period in new])
    for row, period in new:
        records.add(row, period, str(row.values.get("number")), given={})
        period.plan = plan
        periods.add(period, row)
        if row.errors:
            periods.add_forms(row, _forms(row.values))
    return periods


def _check_days(head: PlanRow, stored: Iterable[Period], rows: Iterable[PlanRow]) -> None:
    """Add an error to each row whose days are outside the plan or in another period.

    Of periods that overlap, the one that overlaps the most others is wrong, or else the later row.
    """
    first, last = head.values.get("starts_on", date.min), head.values.get("ends_on", date.max)
    inside = (first, last) if first <= last else (date.min, date.max)
    whole = [(row, Period(**row.values)) for row in rows if row.values.keys() >= {*PLAN_DAYS}]
    whole = [(row, period) for row, period in whole if period.starts_on <= period.ends_on]
    starts = sorted(period.starts_on for _row, period in whole)
    ends = sorted(period.ends_on for _row, period in whole)
    begun = attrgetter("starts_on")
    right = sorted(stored, key=begun)
    for row, period in sorted(
        whole, key=lambda each: bisect(starts, each[1].ends_on) - bisect_left(ends, each[1].starts_on)
    ):
        place = bisect(right, period.starts_on, key=begun)
        try:
            period.clean_days(*inside, right[max(0, place - 1) : place + 1])
        except ValidationError as error:
            row.add_error("", error.messages[0])
        else:
            right.insert(place, period)


def _forms(values: dict[str, Any]) -> Iterator[Period]:
    """The periods that a row with an error may be meant to be: its first or its last day is right."""
    first, last = values.get("starts_on"), values.get("ends_on")
    number = values.get("number")
    for months in range(LONGEST_PERIOD):
        if first and first.year < date.max.year - 3:
            following = _month(first, months + 1)
            yield Period(number=number, starts_on=first, ends_on=following - timedelta(1))
        if last and last.year > date.min.year + 3:
            yield Period(number=number, starts_on=_month(last, -months), ends_on=last)


def _month(day: date, months: int) -> date:
    """The first day of the month some months later."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _find_period(periods: Sequence[Period]) -> Find:
    in_order = sorted(periods, key=lambda each: each.number or 0)
    return lambda cell: parse_period(cell, in_order)


def existing_plan_note(plan: Plan) -> str:
    """The sentence for a workbook whose plan already exists."""
    count = plan.actions.count()
    text = ngettext(
        "The plan “%(title)s” (%(slug)s) already exists, with %(count)s action. This file creates no new plan; new "
        "content is added to the existing plan.",
        "The plan “%(title)s” (%(slug)s) already exists, with %(count)s actions. This file creates no new plan; new "
        "content is added to the existing plan.",
        count,
    )
    return text % {"title": plan.title, "slug": plan.slug, "count": count}
