"""Measure response times of the pages as ratios within one run: `make bench`.

The rounds alternate between each page and the smallest page behind the login (the password page), so that a busy
machine slows both. Then the same with a plan five times as long. Ratios are comparable between machines; seconds are
not.
"""

import os
import sys
from statistics import median
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_databases, setup_test_environment, teardown_databases  # noqa: E402

from assignments.models import Unit  # noqa: E402
from plan.models import ActionItem, Plan  # noqa: E402
from tests import bench_data_sheet, bench_export, bench_import, bench_plan_form  # noqa: E402
from tests.factories import UserFactory  # noqa: E402
from tests.pages import addresses  # noqa: E402

ROUNDS = 15
TIMES_LONGER = 5
BASE = "password"


def seconds(client: Client, address: str) -> float:
    """Return the time of one response, including streamed content."""
    start = perf_counter()
    response = client.get(address)
    if response.streaming:
        b"".join(response.streaming_content)
    return perf_counter() - start


def ratios(client: Client, pages: dict[str, str]) -> dict[str, float]:
    """Return page → median of its time divided by the time of the base page in the same round."""
    for address in pages.values():
        seconds(client, address)
    found: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(ROUNDS):
        for name, address in pages.items():
            found[name].append(seconds(client, address) / seconds(client, pages[BASE]))
    return {name: median(values) for name, values in found.items()}


def lengthen(plan: Plan) -> None:
    """Copy every action until the plan is `TIMES_LONGER` times as long."""
    for action in list(plan.actions.with_details()):
        requirements, assignments = list(action.requirements.all()), list(action.assignments.all())
        for number in range(1, TIMES_LONGER):
            copy = ActionItem.objects.create(
                plan=plan,
                criterion=action.criterion,
                ref=f"{action.ref}-{number}",
                text=action.text,
                position=action.position,
                first_period=action.first_period,
                last_period=action.last_period,
            )
            copy.requirements.set(requirements)
            for assignment in assignments:
                copy.assignments.create(unit=assignment.unit, role=assignment.role, position=assignment.position)


def main() -> None:
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        call_command("seed", verbosity=0)
        plan = Plan.objects.get()
        client = Client()
        client.force_login(UserFactory(roles=["staff", "coordinator"], units=[Unit.objects.get(abbreviation="กพร.")]))
        pages = addresses(plan) | {"plan form": f"/plans/{plan.slug}/reports/plan-form.xlsx"}
        short = ratios(client, pages)
        bench_plan_form.main()
        lengthen(plan)
        long = ratios(client, pages)
        report(short, long)
        bench_export.main()
        bench_data_sheet.main()
        bench_import.measure_preview()  # it adds plans, and the others need just one
    finally:
        teardown_databases(databases, verbosity=0)
    bench_import.measure_beside_people()


def report(short: dict[str, float], long: dict[str, float]) -> None:
    """Print the ratios of the pages on both plans."""
    sys.stdout.write(f"Time of a page over the time of the page “{BASE}”, median of {ROUNDS} rounds\n")
    sys.stdout.write(f"{'page':<12}{'141 actions':>14}{f'{141 * TIMES_LONGER} actions':>14}{'growth':>10}\n")
    for name in short:
        sys.stdout.write(f"{name:<12}{short[name]:>14.1f}{long[name]:>14.1f}{long[name] / short[name]:>10.1f}\n")


if __name__ == "__main__":
    main()
