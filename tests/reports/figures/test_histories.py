"""Random histories: every figure, series and table equals a plain recomputation from the updates, on any day."""

from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assignments.models import Assignment, Role, Unit
from plan.actions.filters import ActionFilter
from plan.as_of import on_day
from plan.models import ActionItem, Plan, ProgressUpdate, Status
from reports import charts
from reports.figures.matrix import build_matrix
from reports.figures.overview import OVERVIEW_FILTERS, read_overview
from reports.figures.standings import read_plan_standings
from reports.figures.unit import read_waiting
from tests import sizes
from tests.factories import CriterionFactory, PlanFactory, UnitFactory, UserFactory
from tests.reports.figures import plain

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
FIRST, LAST = date(2019, 10, 1), date(2020, 9, 30)
QUARTERS = [
    (FIRST, date(2019, 12, 31)), (date(2020, 1, 1), date(2020, 3, 31)),
    (date(2020, 4, 1), date(2020, 6, 30)), (date(2020, 7, 1), LAST),
]  # fmt: skip
THAI = ZoneInfo("Asia/Bangkok")
days = st.integers(0, 365).map(lambda n: FIRST + timedelta(days=n))
moments = st.builds(
    lambda day, minute: datetime.combine(day, time(minute // 60, minute % 60), THAI), days, st.integers(0, 1439)
)
states = st.one_of(
    st.just(("NOT_STARTED", 0)),
    st.just(("DONE", 100)),
    st.tuples(st.sampled_from(["IN_PROGRESS", "BLOCKED", "CANCELLED"]), st.integers(0, 100)),
)
units = st.sets(st.integers(0, 3), max_size=3)
actions = st.fixed_dictionaries(
    {
        "category": st.integers(0, 2),
        "runs": st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)).map(sorted),
        "lead": units,
        "support": units,
        "updates": st.lists(st.tuples(moments, states, st.none() | st.integers(0, 3)), max_size=5),
    }
)
histories = st.fixed_dictionaries(
    {
        "actions": st.lists(actions, min_size=0, max_size=7),
        "day": days,
        "since": days,
        "filters": st.sampled_from(["", "category", "unit", "lead", "collective"]),
        "one": st.integers(0, 10_000),
    }
)


@pytest.fixture
def world():
    """The plan of the histories: three categories, two divisions in a collective and one outside it."""
    plan = PlanFactory()
    inside = [UnitFactory(), UnitFactory()]
    every = [*inside, UnitFactory(), UnitFactory(is_collective=True, members=inside)]
    criteria = [CriterionFactory() for _ in range(3)]
    return SimpleNamespace(plan=plan, units=every, criteria=criteria, author=UserFactory())


def write(world, drawn):
    """Write the history to the database; return the same as plain facts."""
    periods = {period.number: period for period in world.plan.periods.all()}
    made = ActionItem.objects.bulk_create(
        ActionItem(
            plan=world.plan,
            criterion=world.criteria[each["category"]],
            ref=f"R{n}",
            text="เรื่อง",
            first_period=each["runs"] and periods[each["runs"][0]],
            last_period=each["runs"] and periods[each["runs"][1]],
        )
        for n, each in enumerate(drawn)
    )
    links, updates, facts = [], [], []
    for action, each in zip(made, drawn, strict=True):
        units_by_role = {}
        for role in Role:
            names = each[role.lower()]
            links += [Assignment(action=action, unit=world.units[n], role=role) for n in names]
            units_by_role[role.lower()] = names | ({0, 1} if 3 in names else set())
        steps, before, reported = [], ("NOT_STARTED", 0), []
        for version, (at, state, unit) in enumerate(sorted(each["updates"], key=lambda step: step[0]), start=2):
            updates.append(
                ProgressUpdate(
                    action=action, op_id=uuid4(), version=version, author=world.author, at=at,
                    unit=None if unit is None else world.units[unit],
                    status_from=before[0], progress_from=before[1], status_to=state[0], progress_to=state[1],
                    result="ผล", problem="ปัญหา", reason="เหตุผล",
                )
            )  # fmt: skip
            steps.append((at, *state))
            reported.append((at, unit))
            before = state
        runs = each["runs"]
        facts.append(
            {
                "category": world.criteria[each["category"]].category.number, "runs": runs, "updates": steps,
                **units_by_role, "own": each["lead"], "reported": reported, "collectives": {3: {0, 1}},
                "holders": (each["lead"] | ({0, 1} if 3 in each["lead"] else set())) - {3},
                "first": runs and QUARTERS[runs[0] - 1][0], "last": runs and QUARTERS[runs[1] - 1][1],
            }
        )  # fmt: skip
    Assignment.objects.bulk_create(links)
    ProgressUpdate.objects.bulk_create(updates)
    return facts


def owes(fact, unit, owing):
    """Whether the update of a unit is missing; for a collective, that of one of its members."""
    if unit == 3:
        return 3 in fact["own"] and bool(owing & {0, 1})
    return unit in owing


def expect_group(group, facts, note, unit=None):
    """Compare every figure of a group with its rows; only missing updates of `unit` count as silent."""
    now = [each["now"] for each in facts]
    counted = [each for each in now if each["status"] != "CANCELLED"]

    def count(name, value):
        return sum(each[name] == value for each in now)

    assert group.total.count == len(now), note
    assert group.counted.count == len(counted), note
    assert {key.value: figure.count for key, figure in group.by_status.items()} == {
        status: count("status", status) for status in plain.RANK
    }, note
    assert {key.value: figure.count for key, figure in group.by_health.items()} == {
        health: count("health", health) for health in ("OVERDUE", "BEHIND", "SLIPPING", "ON_TRACK", "NONE")
    }, note
    assert group.overdue.count == count("due", "OVERDUE"), note
    assert group.at_work.count == count("due", "OVERDUE") + count("due", "NOW"), note
    silent = [each["now"]["is_silent"] if unit is None else owes(each, unit, each["now"]["owing"]) for each in facts]
    assert group.silent.count == sum(silent), note
    assert group.progress == pytest.approx(plain.mean(each["progress"] for each in counted)), note
    expected = [each["expected"] for each in counted if each["expected"] is not None]
    assert group.expected == pytest.approx(plain.mean(expected)), note


@pytest.mark.apart
@settings(
    max_examples=sizes.scaled(500),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(drawn=histories)
def test_every_figure_equals_a_plain_recomputation(world, drawn):
    with transaction.atomic():
        facts = write(world, drawn["actions"])
        compare(world, drawn, facts)
        transaction.set_rollback(True)


def compare(world, drawn, facts):
    day, since = drawn["day"], min(drawn["since"], drawn["day"])
    start = next(first for first, last in QUARTERS if first <= day <= last)
    then_start = next(first for first, last in QUARTERS if first <= since <= last)
    for each in facts:
        each["now"], each["then"] = plain.state_on(each, day, start), plain.state_on(each, since, then_start)
        ends = plain.midnight_after(since), plain.midnight_after(day)
        each["owing_since"] = plain.missing(each, *ends)
        each["changes"] = plain.changed(each["then"], each["now"], since, each["owing_since"])
    unit = {"unit": 0, "lead": 0, "collective": 3}.get(drawn["filters"])
    filters = {
        "": {}, "category": {"category": str(world.criteria[0].category.number)},
        "unit": {"unit": str(world.units[0])}, "lead": {"unit": str(world.units[0]), "role": "LEAD"},
        "collective": {"unit": str(world.units[3])},
    }[drawn["filters"]]  # fmt: skip
    if drawn["filters"] == "category":
        facts = [each for each in facts if each["category"] == world.criteria[0].category.number]
    elif unit is not None:
        roles = ("lead",) if drawn["filters"] == "lead" else ("lead", "support")
        facts = [each for each in facts if any(unit in each[role] for role in roles)]

    plan = Plan.objects.get(pk=world.plan.pk)
    periods = list(plan.periods.all())
    as_of, earlier = on_day(plan, day, periods), on_day(plan, since, periods)
    chosen = ActionFilter(filters, plan, as_of=as_of, since=earlier, only=OVERVIEW_FILTERS)
    overview = read_overview(plan, chosen, earlier, {"as_of": day.isoformat()})

    if unit is not None:
        for each in facts:
            each["changes"] -= {"SILENT"}
            if owes(each, unit, each["owing_since"]) and each["now"]["due"] in ("OVERDUE", "NOW"):
                each["changes"] |= {"SILENT"}
    expect_group(overview.whole, facts, "whole", unit)
    expect_group(overview.then, [{**each, "now": each["then"]} for each in facts], "then", unit)
    assert {row.kind: row.difference for row in overview.compared} == {
        kind.lower(): sum((each["now"][name] == kind) - (each["then"][name] == kind) for each in facts)
        for kind, name in [*((status, "status") for status in plain.RANK), ("OVERDUE", "due")]
    }
    assert {change.value: figure.count for change, figure in overview.changes} == {
        change: sum(change in each["changes"] for each in facts)
        for change in ("DONE", "FORWARD", "LATE", "BLOCKED", "BACK", "CANCELLED", "SILENT")
    }
    late = [each["now"]["days_late"] for each in facts if each["now"]["days_late"]]
    ages = [sum(a <= n <= b for n in late) for a, b in ((1, 30), (31, 90), (91, 180), (181, 9999))]
    assert [figure.count for _age, figure in overview.ages] == ages
    assert charts.age_chart(plan, overview.ages)["series"][0]["data"] == ages

    expect_categories(world, plan, overview, facts, unit)
    expect_units(world, overview, facts, unit, filters.get("role"))
    expect_periods(plan, overview, facts)
    expect_curve(plan, overview, facts, day)
    expect_waiting(world, plan, as_of, drawn)
    expect_rows(plan, overview, as_of, earlier, drawn["one"])


def expect_categories(world, plan, overview, facts, unit):
    numbers = sorted({each["category"] for each in facts})
    assert [group.subject.number for group in overview.categories] == numbers
    for group in overview.categories:
        rows = [each for each in facts if each["category"] == group.subject.number]
        expect_group(group, rows, group.subject, unit)
    drawn = charts.category_chart(plan, overview.categories)["series"]
    assert {series["kind"]: series["data"] for series in drawn} == {
        status.lower(): [
            sum(each["category"] == n and each["now"]["status"] == status for each in facts) for n in numbers
        ]
        for status in Status.values
    }


def expect_units(world, overview, facts, unit, role):
    shown = [unit] if unit is not None else [0, 1, 2]
    place = {each.pk: n for n, each in enumerate(world.units)}
    assert sorted(place[part.subject.pk] for part in overview.leads) == shown
    assert sorted(place[part.subject.pk] for part in overview.supports) == ([] if role == "LEAD" else shown)
    for name, groups in (("lead", overview.leads), ("support", overview.supports)):
        for part in groups:
            n = place[part.subject.pk]
            expect_group(part, [each for each in facts if n in each[name]], name, n if name == "lead" else None)
    late = [part.overdue.count for part in overview.leads]
    assert late == sorted(late, reverse=True)
    silent = {place[part.subject.pk] for part in overview.silent_units}
    owing = {n for each in facts if each["now"]["due"] in ("OVERDUE", "NOW") for n in each["own"]}
    day = overview.as_of.day
    start = plain.midnight_after(next(first for first, last in QUARTERS if first <= day <= last) - timedelta(days=1))
    until = plain.midnight_after(day)
    reported = {n for each in facts for n in each["holders"] - plain.missing(each, start, until)}
    assert silent == owing.intersection(shown) - reported
    led = [[each["now"]["status"] for each in facts if n in each["lead"]] for n in shown]
    done = [{c.name: f.count for c, f in cells}["done"] for _g, cells in build_matrix(overview.leads, "done").rows]
    assert done == sorted((rows.count("DONE") for rows in led if rows), reverse=True)


def expect_periods(plan, overview, facts):
    rows = []
    for n in range(1, 5):
        runs = [each for each in facts if each["runs"] and each["runs"][0] <= n <= each["runs"][1]]
        ends = [each for each in runs if each["runs"][1] == n]
        done = [each for each in ends if each["now"]["status"] == "DONE"]
        rows.append((sum(each["runs"][0] == n for each in runs), len(runs), len(ends), len(done)))
    loads = [(each.begins.count, each.runs.count, each.ends.count, each.done.count) for each in overview.periods]
    assert loads == rows
    series = charts.period_chart(plan, overview.periods)["series"]
    assert [each["data"] for each in series] == [[row[place] for row in rows] for place in range(3)]


def expect_curve(plan, overview, facts, day):
    """Compare the means at each month's end, and the forecast, a line from now at the pace of 90 days."""

    def means(on):
        rows = [plain.state_on(each, min(on, day), FIRST) for each in facts]
        scheduled = [
            plain.state_on({**each, "updates": []}, on, FIRST)["expected"]
            for each, row in zip(facts, rows, strict=True)
            if row["status"] != "CANCELLED" and each["first"]
        ]
        return plain.mean(scheduled), plain.mean(row["progress"] for row in rows if row["status"] != "CANCELLED")

    curve = overview.curve
    ends = {(date(2019 + n // 12, n % 12 + 1, 1) - timedelta(days=1)) for n in range(10, 22)}
    assert [point.day for point in curve.points] == sorted(ends | {day, LAST})
    back = max(day - timedelta(days=90), FIRST)
    earlier = [plain.state_on(each, back, FIRST) for each in facts]
    now, before = (
        means(day)[1],
        plain.mean(each["progress"] for each in earlier if each["status"] != "CANCELLED"),
    )
    pace = (now - before) / (day - back).days if None not in (now, before) and FIRST < day < LAST else None
    assert curve.pace == pytest.approx(pace)
    for point in curve.points:
        expected, actual = means(point.day)
        assert point.expected == pytest.approx(expected)
        assert point.actual == (pytest.approx(actual) if point.day <= day else None)
        ahead = pace is not None and point.day >= day
        line = min(max(now + pace * (point.day - day).days, 0), 100) if ahead else None
        assert point.forecast == pytest.approx(line)
    series = {each["kind"]: each["data"] for each in charts.curve_chart(curve, plan, overview.as_of)["series"]}
    assert series["actual"] == [None if p.actual is None else round(p.actual, 1) for p in curve.points]
    assert series["expected"] == [None if p.expected is None else round(p.expected, 1) for p in curve.points]
    assert ("forecast" in series) == (pace is not None)


def expect_waiting(world, plan, as_of, drawn):
    facts = [
        {**each, **{r: each[r] | ({0, 1} if 3 in each[r] else set()) for r in ("lead", "support")}}
        for each in drawn["actions"]
    ]
    standings = sorted(read_plan_standings(plan, as_of), key=lambda each: each.pk)
    for fact, standing in zip(facts, standings, strict=True):
        fact["due"] = standing.due
    divisions = [Unit.objects.get(pk=world.units[n].pk) for n in range(3)]
    found = {each.partner.pk: each for each in read_waiting(divisions[0], divisions, standings, {})}
    for n in (1, 2):
        ours = [f["due"] for f in facts if 0 in f["lead"] and n in f["support"]]
        theirs = [f["due"] for f in facts if 0 in f["support"] and n in f["lead"]]
        counts = [
            sum(due in kinds for due in side) for side in (ours, theirs) for kinds in (("OVERDUE", "NOW"), ("OVERDUE",))
        ]
        row = found.get(divisions[n].pk)
        shown = (
            [row.for_them.count, row.for_them_late.count, row.for_us.count, row.for_us_late.count] if row else [0] * 4
        )
        assert shown == counts


def expect_rows(plan, overview, as_of, earlier, one):
    """Compare one figure, a random one each time, with the number of rows behind it."""
    groups = [overview.whole, *overview.categories, *overview.leads, *overview.supports]
    found = [
        figure
        for group in groups
        for figure in (group.total, group.counted, group.overdue, group.at_work, group.silent)
    ]
    found += [figure for group in groups for each in (group.by_status, group.by_health) for figure in each.values()]
    found += [figure for _name, figure in (*overview.changes, *overview.ages)]
    found += [figure for load in overview.periods for figure in (load.begins, load.runs, load.ends, load.done)]
    figure = found[one % len(found)]
    rows = ActionFilter(figure.query, plan, as_of=as_of, since=earlier)
    assert rows.ignored == []
    assert rows.qs.count() == figure.count, figure.query
