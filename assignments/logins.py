"""What ends the logins of accounts for good: a new `login_key`, which sessions and links to set a password contain."""

from typing import Any

from django.contrib.auth.models import UserManager
from django.db import models
from django.db.models import BooleanField, Case, F, Value, When
from django.utils.crypto import get_random_string


def new_login_key() -> str:
    """Return a key that no login or link of any account was made with."""
    return get_random_string(32)


class PeopleQuerySet(models.QuerySet):
    """Accounts."""

    def update(self, **values: Any) -> int:
        """Update accounts; those that are deactivated lose their logins, also by `bulk_update`."""
        if "is_active" in values:
            is_active = values["is_active"]
            if isinstance(is_active, bool):
                is_active = Value(is_active, output_field=BooleanField())
            values["login_key"] = Case(When(is_active, then=F("login_key")), default=Value(new_login_key()))
        return super().update(**values)

    def end_logins(self) -> None:
        """End the sessions of these accounts for good, and their links to set a password."""
        super().update(login_key=new_login_key())


class PeopleManager(UserManager.from_queryset(PeopleQuerySet)):
    """Django's manager of users, with the verbs above."""

    use_in_migrations = False
