"""Generate a world: everything or nothing, in batches of plans."""

from collections import Counter
from datetime import timedelta

from django.db import connection

from assignments.models import User
from demo.world.batches import Batch
from demo.world.histories import add_history
from demo.world.options import WorldOptions
from demo.world.organizations import Department, write_organizations
from demo.world.plans import add_plan, years_of_plans
from demo.world.standard import Edition, write_standard
from demo.world.submissions import add_submissions
from plan.models import ActionItem, Plan
from pmqa_tracker import thai
from pmqa_tracker.tasks.priority import without_collector
from pmqa_tracker.transactions import write_transaction

ACTIONS_PER_BATCH = 2000
FOUNDED = timedelta(days=400)  # the organizations, before the day of the world


class WorldExistsError(Exception):
    """The database already has a world with this seed."""


@without_collector()
@write_transaction()
def generate_world(options: WorldOptions) -> Counter[str]:
    """Add a world to the database and return the number of rows by name of the model.

    Raises:
        WorldExistsError: the database has a world with this seed.
    """
    if User.objects.filter(username__startswith=options.prefix).exists():
        raise WorldExistsError
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -262144")  # KB: large indexes stay in memory
    at = thai.start_of(options.day - FOUNDED)
    editions = write_standard(options, at)
    departments, counts = write_organizations(options, at)
    counts["Framework"] = len(editions)
    batch = Batch()
    for department in departments:
        _add_plans(batch, options, department, editions)
        if len(batch.rows[ActionItem]) >= ACTIONS_PER_BATCH:
            counts += batch.save(thai.start_of(options.day))
            batch = Batch()
    return counts + batch.save(thai.start_of(options.day))


def _add_plans(batch: Batch, options: WorldOptions, department: Department, editions: tuple[Edition, Edition]) -> None:
    """Add all plans of an organization to a batch."""
    count = options.plans // options.organizations + (department.number <= options.plans % options.organizations)
    earlier, current = editions
    previous: Plan | None = None
    for year in years_of_plans(count):
        generated = add_plan(batch, options, department, current if year >= 0 else earlier, year)
        plan = generated.plan
        draw = options.draw("history", plan.slug)
        histories = add_history(batch, options, department, generated, draw)
        add_submissions(batch, options, department, generated, histories, draw)
        plan.revision = sum(map(len, histories))  # as if the site had written each update; saving adds one
        if previous is not None:
            batch.successions.append((plan, previous))
        previous = plan
