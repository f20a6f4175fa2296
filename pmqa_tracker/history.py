"""Describe the changes that others made to a record since the user opened it."""

from datetime import date
from types import SimpleNamespace
from typing import Any

from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from simple_history.models import HistoricalRecords
from simple_history.template_utils import HistoricalRecordContextHelper

from pmqa_tracker import thai
from pmqa_tracker.client_address import client_address
from pmqa_tracker.models import Versioned
from pmqa_tracker.scope import is_own
from pmqa_tracker.templatetags.thai import be_date

MAX_QUOTED = 120  # characters of a changed value in a sentence


def is_changed_only_by(user: Any, record: Versioned, version: int) -> bool:
    """Return whether `user` made every change of `record` after `version`.

    A version without a history row comes from a progress update, of any user.
    """
    rows = list(record.history.filter(version__gt=version).order_by("version", "history_id"))
    is_complete = bool(rows) and rows[-1].version >= record.version
    return is_complete and user is not None and all(row.history_user_id == user.pk for row in rows)


def current_request() -> Any:
    """Return the request that this thread answers; None outside a request."""
    return getattr(HistoricalRecords.context, "request", None)


def current_address() -> str:
    """Return the network address of the request that this thread answers; "" outside a request."""
    request = current_request()
    return client_address(request) if request else ""


def current_user() -> Any:
    """Return the user of the current request; None outside a request."""
    return getattr(current_request(), "user", None)


def changes_since(record: Versioned, version: int) -> list[str]:
    """Return one sentence for each change of `record` after `version`: user, time and new values.

    A version without a history row comes from a progress update, which has its own log.
    """
    rows = list(record.history.filter(version__gt=version).order_by("version", "history_id"))
    before = record.history.filter(version__lte=version).order_by("version", "history_id").last()
    sentences = []
    for row in rows:
        fields = _differences(row, before) if before else []
        sentences.append(
            _("%(who)s changed it on %(when)s: %(what)s")
            % {
                "who": who_changed(row),
                "when": thai.format_datetime(row.history_date),
                "what": "; ".join(fields) or _("its parts"),
            }
        )
        before = row
    if not sentences or rows[-1].version < record.version:
        sentences.append(_("Its progress was updated in the meantime; that update is kept."))
    return sentences


def who_changed(row: models.Model) -> str:
    """Return who made a change; the user of the request gets no name of a person in another organization."""
    if row.history_user is None:
        return _("The system")
    return _("Somebody in another organization") if _is_by_stranger(row) else str(row.history_user)


def why_changed(row: models.Model) -> str:
    """Return the reason of a change, such as the name of an imported file; "" if another organization made it."""
    return "" if _is_by_stranger(row) else row.history_change_reason or ""


def _is_by_stranger(row: models.Model) -> bool:
    person, user = row.history_user, current_user()
    if person is None or user is None:
        return False
    return not is_own(person, user) and person.organization_id is not None


def _differences(row: models.Model, before: models.Model) -> list[str]:
    changes = row.diff_against(
        before, excluded_fields=uneditable_fields(row.instance_type), foreign_keys_are_objs=True
    ).changes
    values = ReadableChanges(row.instance_type, row).context_for_delta_changes(SimpleNamespace(changes=changes))
    return [f"{each['field']} = “{Truncator(each['new']).chars(MAX_QUOTED)}”" for each in values]


def uneditable_fields(model: type[models.Model]) -> list[str]:
    """Return the fields that users do not edit, such as the status of an action, which updates set."""
    return [field.name for field in model._meta.concrete_fields if not field.editable]


class ReadableChanges(HistoricalRecordContextHelper):
    """Format old and new values for people: days in the Buddhist era, labels of choices, texts in full."""

    def __init__(self, model: type[models.Model], record: models.Model) -> None:
        super().__init__(model, record, max_displayed_delta_change_chars=100_000)

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        field = self.model._meta.get_field(change.field)
        value = super().prepare_delta_change_value(change, value)
        if isinstance(value, list):
            return ", ".join(map(str, value))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, date):
            return be_date(value)
        return dict(field.flatchoices).get(value, "" if value is None else value)
