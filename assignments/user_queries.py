"""Queries that every page needs of its user: their roles, and what their rights let them see; compiled once."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import BigAutoField, QuerySet

from pmqa_tracker.prepared import Given, read_prepared


@dataclass(frozen=True, kw_only=True)
class AnyUser:
    """Stands in a query for every user with these rights; the query is given their key and organization later.

    Attributes:
        has_organization: whether they belong to an organization.
    """

    is_active: bool
    is_superuser: bool
    role_names: frozenset[str]
    has_organization: bool

    @property
    def pk(self) -> Given:
        """The place of the user's key."""
        return Given("user", BigAutoField())

    @property
    def organization_id(self) -> Given | None:
        """The place of the key of their organization; None if they have none."""
        return Given("organization", BigAutoField()) if self.has_organization else None


def read_for(user: Any, key: Hashable, build: Callable[[AnyUser], QuerySet[Any]], **values: Any) -> list[Any]:
    """Return the rows of a query for a user, as `read_prepared` does.

    Args:
        key: names the query.
        build: returns the query for all users like this one.
        values: the values of each other `Given` of the query.
    """
    like = AnyUser(
        is_active=user.is_active,
        is_superuser=user.is_superuser,
        role_names=user.role_names,
        has_organization=user.organization_id is not None,
    )
    values |= {"user": user.pk, "organization": user.organization_id}
    return read_prepared((key, like), lambda: build(like), **values)


def read_role_names(user: int) -> frozenset[str]:
    """Return the names of the groups of a user, by their pk."""
    given = Given("user", BigAutoField())
    rows = read_prepared("roles", lambda: Group.objects.filter(user=given).values_list("name"), user=user)
    return frozenset(name for (name,) in rows)
