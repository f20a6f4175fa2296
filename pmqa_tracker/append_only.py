"""Models whose rows are only ever added: logs, and the histories of records.

Python refuses a change early; the database refuses it for good, by the triggers of `pmqa_tracker.append_only_triggers`.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from pmqa_tracker.history import current_address
from pmqa_tracker.transactions import write_transaction

records_added = Signal()  # sent with the `records` of one model, once they have their keys


class KeptForGood(models.Model):
    """A row that the database neither changes nor deletes.

    `REMOVABLE_WHEN` is the SQL condition, by vendor, under which a row `OLD` may be deleted all the same.
    """

    REMOVABLE_WHEN: dict[str, str] = {}

    class Meta:
        abstract = True


class Located(KeptForGood):
    """A row that is kept for good, with the network address of the request in which it was written."""

    address = models.CharField(_("network address"), max_length=45, blank=True, default=current_address, editable=False)

    class Meta:
        abstract = True


class History(HistoricalRecords):
    """The history of a model: its entries are kept for good, and so are the users that they name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, bases=(Located,), m2m_bases=(KeptForGood,), **kwargs)

    def _get_history_user_fields(self) -> dict[str, Any]:
        fields = super()._get_history_user_fields()
        fields["history_user"].remote_field.on_delete = models.PROTECT
        return fields


class AppendOnlyError(TypeError):
    """Code tried to change or delete an append-only row."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **kwargs: Any) -> int:
        raise AppendOnlyError("These rows are only ever added.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("These rows are only ever added.")

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Insert rows in few statements; what follows from a new row follows from each of them."""
        records = list(objs)
        with write_transaction(savepoint=False):
            added = super().bulk_create(records, *args, **kwargs)
            if added:
                records_added.send(sender=self.model, records=added)
        return added

    def newest_first(self) -> "AppendOnlyQuerySet":
        return self.order_by("-at", "-pk")


class AppendOnly(Located):
    """A row that is saved once and never changed or deleted."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("This row was saved before; add a new one.")
        with write_transaction(savepoint=False):
            super().save(*args, **kwargs)
            records_added.send(sender=type(self), records=[self])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("These rows are only ever added.")

    def validate_constraints(self, exclude: Any = None) -> None:
        """Skip these queries: the database checks the constraints on save; see `pmqa_tracker.constraints`."""
