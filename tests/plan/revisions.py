"""Read the revisions of the plans of a test, and raise one."""

from plan.models import Plan
from tests.plan.posting import choice


def revisions(world):
    """Return the revisions of the plan and of the plan that shows none of it."""
    return [Plan.objects.values_list("revision", flat=True).get(pk=each.pk) for each in (world.plan, world.other)]


def unchanged(world):
    """Record "no change" on the page of the user's work."""
    world.action.refresh_from_db()
    response = world.client.post("/plans/2563/my/unchanged/", {"row": [choice(world.action)]})
    assert response.status_code == 302
