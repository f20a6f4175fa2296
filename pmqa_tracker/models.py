"""Base model of records that users edit: every save checks the version. And the models of background tasks."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.tasks.models import BackgroundTask, WorkerProcess
from pmqa_tracker.transactions import write_transaction
from pmqa_tracker.write_once import StaleVersionError, compare_and_set

__all__ = ["BackgroundTask", "Versioned", "WorkerProcess"]


class Versioned(models.Model):
    """A record that refuses a save from an outdated copy.

    `version` counts the saves. `save()` compares and raises it in one SQL statement, so two users cannot both save
    their change to the same copy, on SQLite or PostgreSQL.
    """

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the record, unless it was saved since this copy was read.

        Raises:
            StaleVersionError: the stored version differs from the version of this copy.
        """
        if self._state.adding:
            with write_transaction(savepoint=False):
                super().save(*args, **kwargs)
            return
        read_version = self.version
        with write_transaction():
            if not compare_and_set(type(self)._base_manager.filter(pk=self.pk), read_version):
                raise StaleVersionError(self)
            self.version = read_version + 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "version"}
            try:
                super().save(*args, **kwargs)
            except BaseException:
                self.version = read_version
                raise
