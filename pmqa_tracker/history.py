"""What others changed in a record since a person opened it, in words."""

from datetime import date
from types import SimpleNamespace
from typing import Any

from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from simple_history.models import HistoricalRecords
from simple_history.template_utils import HistoricalRecordContextHelper

from pmqa_tracker import thai
from pmqa_tracker.models import Versioned
from pmqa_tracker.templatetags.thai import be_date

MAX_QUOTED = 120  # characters of a changed text


def is_changed_only_by(user: Any, record: Versioned, version: int) -> bool:
    """Whether every change of `record` after the copy with `version` is the user's own.

    A version that rose without a history row was raised by somebody's progress update.
    """
    rows = list(record.history.filter(version__gt=version).order_by("version", "history_id"))
    is_whole = bool(rows) and rows[-1].version >= record.version
    return is_whole and user is not None and all(row.history_user_id == user.pk for row in rows)


def current_user() -> Any:
    """The user of the request that is answered; None outside a request."""
    request = getattr(HistoricalRecords.context, "request", None)
    return getattr(request, "user", None)


def changes_since(record: Versioned, version: int) -> list[str]:
    """One sentence for each change of `record` after the copy with `version`: who, when, and what it says now.

    A version that rose without a history row was raised by a progress update, which has its own log.
    """
    rows = list(record.history.filter(version__gt=version).order_by("version", "history_id"))
    before = record.history.filter(version__lte=version).order_by("version", "history_id").last()
    told = []
    for row in rows:
        fields = _differences(row, before) if before else []
        told.append(
            _("%(who)s changed it on %(when)s: %(what)s")
            % {
                "who": row.history_user or _("The system"),
                "when": thai.format_datetime(row.history_date),
                "what": "; ".join(fields) or _("its parts"),
            }
        )
        before = row
    if not told or rows[-1].version < record.version:
        told.append(_("Progress was reported of it meanwhile; that is kept."))
    return told


def _differences(row: models.Model, before: models.Model) -> list[str]:
    changes = row.diff_against(
        before, excluded_fields=uneditable_fields(row.instance_type), foreign_keys_are_objs=True
    ).changes
    told = ReadableChanges(row.instance_type, row).context_for_delta_changes(SimpleNamespace(changes=changes))
    return [f"{each['field']} = “{Truncator(each['new']).chars(MAX_QUOTED)}”" for each in told]


def uneditable_fields(model: type[models.Model]) -> list[str]:
    """Fields no person edits. An action's status stands in the history as it was on the day, not as somebody set it."""
    return [field.name for field in model._meta.concrete_fields if not field.editable]


class ReadableChanges(HistoricalRecordContextHelper):
    """Old and new values as people read them: days in the Buddhist era, choices by their label, texts whole."""

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
