"""Read the revisions of the plans of a test, and raise one; compare stored summaries with counted ones."""

from operations.summaries import store_summaries
from plan.models import Plan
from pmqa_tracker import clock
from reports.figures.summaries import count_summaries, read_summaries
from tests.plan.posting import choice


def revisions(world):
    """Return the revisions of the plan and of the plan that shows none of it."""
    return [Plan.objects.values_list("revision", flat=True).get(pk=each.pk) for each in (world.plan, world.other)]


def unchanged(world):
    """Record "no change" on the page of the user's work."""
    world.action.refresh_from_db()
    response = world.client.post("/plans/2563/my/unchanged/", {"row": [choice(world.action)]})
    assert response.status_code == 302


def shown_summaries(today=None):
    """Return the summaries that the list of plans shows; they are those that the updates say."""
    plans, today = Plan.objects.prefetch_related("periods"), today or clock.today()
    shown = read_summaries(plans, [plan.pk for plan in plans], today)
    assert shown == count_summaries(dict.fromkeys(plans, today))
    return shown


def keep_summaries():
    """Store the summaries of all plans, as a worker does."""
    store_summaries(Plan.objects.all(), clock.today())
