"""The user, and the version check that every record edited by people carries."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.db.models import Expression, F, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who logs in. Roles are groups, divisions are memberships (`assignments`)."""

    @staticmethod
    def SHOWN_BY(path: str) -> Expression:  # noqa: N802 - of the other models a constant
        """What `__str__` says of the users at a path of a query, such as "author__"."""
        name = Trim(Concat(F(f"{path}first_name"), Value(" "), F(f"{path}last_name")))
        return Coalesce(NullIf(name, Value("")), F(f"{path}username"))

    is_demo = models.BooleanField(_("demonstration account"), default=False, editable=False)

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class StaleVersionError(Exception):
    """Somebody else changed the record after it was read; nothing was written."""


class Versioned(models.Model):
    """A record that refuses a save made from an older copy of itself.

    `version` counts the saves. `save()` compares it in the database in the same statement that raises it, so two
    people cannot both write over the same copy, on SQLite or PostgreSQL.
    """

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, if nobody else has since the copy was read.

        Raises:
            StaleVersionError: the stored version is not the one this copy was read with.
        """
        if self._state.adding:
            super().save(*args, **kwargs)
            return
        read_version = self.version
        with transaction.atomic():
            stored = type(self)._base_manager.filter(pk=self.pk, version=read_version)
            if not stored.update(version=F("version") + 1):
                raise StaleVersionError(self)
            self.version = read_version + 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "version"}
            try:
                super().save(*args, **kwargs)
            except BaseException:
                self.version = read_version
                raise
