"""Plans of a generated world: the assessment that each answers, its periods, meetings, actions and units in charge."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from assignments.models import Assignment, Role, Unit
from criteria.models import Assessment, Criterion, Level, Requirement, Verdict
from demo.world.batches import ActionRequirement, Batch
from demo.world.options import WorldOptions
from demo.world.organizations import Department
from demo.world.standard import Edition
from demo.world.texts import ACTIONS, REASONS
from plan.models import ActionItem, Meeting, Period, Plan

# Years from the running plan, in the order in which an organization gets plans: running, ended, in preparation, ended.
FIRST_YEARS = (0, -1, 1)
BUDDHIST_ERA = 543
MEETING_AFTER = timedelta(days=15)  # the end of a period


@dataclass(frozen=True)
class PlannedAction:
    """An unsaved action, with the units that lead and support it."""

    action: ActionItem
    lead: list[Unit]
    support: list[Unit]


@dataclass(frozen=True)
class GeneratedPlan:
    """An unsaved plan with its periods and actions; `until` is the last day on which its units reported."""

    plan: Plan
    periods: list[Period]
    actions: list[PlannedAction]
    until: date


def years_of_plans(count: int) -> list[int]:
    """Return the years of an organization's plans, from the running plan's and in order of time."""
    return sorted([*FIRST_YEARS, *range(-2, -count, -1)][:count])


def add_plan(batch: Batch, options: WorldOptions, department: Department, edition: Edition, year: int) -> GeneratedPlan:
    """Add the plan of a year to a batch, without its updates."""
    fiscal_year = options.fiscal_year + year
    draw = options.draw("plan", department.number, fiscal_year)
    starts_on, ends_on = date(fiscal_year - BUDDHIST_ERA - 1, 10, 1), date(fiscal_year - BUDDHIST_ERA, 9, 30)
    assessment = Assessment(
        framework=edition.framework,
        organization=department.organization,
        name=f"ผลการตรวจประเมิน PMQA ที่แผนพัฒนาองค์การ พ.ศ. {fiscal_year} ตอบ",
        kind=Assessment.Kind.SELF if year > 0 else Assessment.Kind.ASSESSOR,
        assessed_on=starts_on - timedelta(days=90),
    )
    plan = Plan(
        organization=department.organization,
        assessment=assessment,
        slug=f"{options.prefix}{department.number}-{fiscal_year}",
        title=f"แผนพัฒนาองค์การ ประจำปีงบประมาณ พ.ศ. {fiscal_year}",
        starts_on=starts_on,
        ends_on=ends_on,
        state=_state(year),
    )
    periods = _periods(plan)
    until = min(options.day, ends_on)
    batch.add(assessment, plan, *periods, *_meetings(plan, periods, until))
    failed = _add_verdicts(batch, draw, assessment, edition)
    actions = [
        _planned(draw, action, department) for action in _add_actions(batch, draw, options, plan, periods, failed)
    ]
    for planned in actions:
        for role, units in ((Role.LEAD, planned.lead), (Role.SUPPORT, planned.support)):
            batch.add(
                *(
                    Assignment(action=planned.action, unit=unit, role=role, position=position)
                    for position, unit in enumerate(units)
                )
            )
    return GeneratedPlan(plan, periods, actions, until)


def _state(year: int) -> Plan.State:
    if year > 0:
        return Plan.State.PREPARATION
    return Plan.State.ENDED if year else Plan.State.RUNNING


def _periods(plan: Plan) -> list[Period]:
    """Return the four quarters of a plan's fiscal year."""
    starts = [date(plan.ends_on.year - (month == 10), month, 1) for month in (10, 1, 4, 7)]
    ends = [*(start - timedelta(days=1) for start in starts[1:]), plan.ends_on]
    return [
        Period(plan=plan, number=number, starts_on=start, ends_on=end)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
    ]


def _meetings(plan: Plan, periods: list[Period], until: date) -> list[Meeting]:
    """Return the meetings held until a day, one after the end of each period but the last."""
    days = [period.ends_on + MEETING_AFTER for period in periods[:-1]]
    return [
        Meeting(plan=plan, held_on=day, name=f"การประชุมคณะทำงาน PMQA ครั้งที่ {number}/{plan.ends_on.year + BUDDHIST_ERA}")
        for number, day in enumerate(days, start=1)
        if day <= until
    ]


def _add_verdicts(
    batch: Batch, draw: Random, assessment: Assessment, edition: Edition
) -> list[tuple[Criterion, list[Requirement]]]:
    """Add the verdicts; return each criterion with the requirements that failed, if there are any."""
    failed = []
    for place, (code, requirements) in enumerate(edition.requirements.items()):
        reached = draw.choices((0, 1, 2, 3), (10, 40, 30, 20))[0] if place else Level.BASIC
        passed_above = draw.random() < 0.1  # the highest level passed although one below it failed
        missed = []
        for level, requirement in requirements.items():
            passed = level <= reached or (passed_above and level == Level.SIGNIFICANCE and reached == Level.BASIC)
            reason = "" if passed else draw.choice(REASONS)
            batch.add(
                Verdict(
                    assessment=assessment, requirement=requirement, passed=passed, reason=reason,
                    printed=not passed or draw.random() < 0.5,
                )
            )  # fmt: skip
            if not passed:
                missed.append(requirement)
        if missed:
            failed.append((edition.criteria[code], missed))
    return failed


def _add_actions(
    batch: Batch,
    draw: Random,
    options: WorldOptions,
    plan: Plan,
    periods: list[Period],
    failed: list[tuple[Criterion, list[Requirement]]],
) -> list[ActionItem]:
    """Add the actions, for the criteria in turn."""
    actions: list[ActionItem] = []
    numbers: Counter[str] = Counter()
    for index in range(options.actions):
        criterion, missed = failed[index % len(failed)]
        answered = missed[:2] if draw.random() < 0.1 else [draw.choice(missed)]
        base = f"{criterion.code}-{''.join(Level(requirement.level).initial for requirement in answered)}"
        numbers[base] += 1
        numbers[criterion.code] += 1
        first, last = sorted(draw.choices(periods, (40, 25, 20, 15), k=2), key=lambda period: period.number)
        is_scheduled = draw.random() < 0.94
        action = ActionItem(
            plan=plan,
            criterion=criterion,
            ref=f"{base}-{numbers[base]}",
            number=str(numbers[base]),
            position=numbers[criterion.code],
            text=f"{draw.choice(ACTIONS)}{criterion.title} ของ {plan.organization}",
            first_period=first if is_scheduled else None,
            last_period=last if is_scheduled else None,
            schedule_basis=draw.choice(ActionItem.Basis.values),
        )
        action.set_search_text()
        batch.add(action, *(ActionRequirement(actionitem=action, requirement=requirement) for requirement in answered))
        actions.append(action)
    return actions


def _planned(draw: Random, action: ActionItem, department: Department) -> PlannedAction:
    """Choose who leads and supports an action: one or two divisions, or a collective."""
    every_unit, some_units = (unit for unit, _members in department.collectives)
    first, second, third, fourth = draw.sample(department.active, 4)
    lead = draw.choices(([first], [first, second], [every_unit], [some_units]), (75, 13, 6, 6))[0]
    support = draw.choices(([], [third], [third, fourth], [every_unit]), (45, 30, 17, 8))[0]
    return PlannedAction(action, lead, [unit for unit in support if unit not in lead])
