"""The requirements that actions answer, for pages that show them for a few of their actions only."""

from collections.abc import Sequence

from django.db.models import Prefetch, prefetch_related_objects

from criteria.models import Requirement
from plan.models import ActionItem


def read_requirements(actions: Sequence[ActionItem]) -> None:
    """Read the requirements, lowest level first, of actions read `with_units()`, into them; one query."""
    prefetch_related_objects(actions, Prefetch("requirements", Requirement.objects.order_by("level")))
