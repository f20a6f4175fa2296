"""Records of an organization: what a user may manage and name. `Plan.objects.visible_to` is what they may read."""

from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet

Rows = TypeVar("Rows", bound=QuerySet)


def own_records(rows: Rows, user: Any) -> Rows:
    """Return the rows that belong to the organization of a user; all rows for an administrator of the installation.

    A model says in `ORGANIZATION` which relations lead to its organization, such as "plan__organization". The records
    of a model without it, such as the criteria, are shared by all organizations.
    """
    path = getattr(rows.model, "ORGANIZATION", "")
    if not path or user.is_superuser:
        return rows
    own = getattr(user, "organization_id", None)  # an anonymous user has none
    return rows.none() if own is None else rows.filter(**{path: own})


def is_own(record: Model, user: Any) -> bool:
    """Return whether a record, or an old copy of one, belongs to the organization of a user, as in `own_records`."""
    path = getattr(type(record), "ORGANIZATION", "")
    if not path or user.is_superuser:
        return True
    *relations, last = path.split("__")
    attribute = last if last == "pk" else f"{last}_id"
    try:
        for name in relations:
            record = getattr(record, name)
    except ObjectDoesNotExist:
        return False  # a relation of an old copy is gone
    return user.organization_id is not None and getattr(record, attribute) == user.organization_id
