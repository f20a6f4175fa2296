"""What others changed in a record since a person opened it, in words."""

from django.db import models
from django.utils.translation import gettext as _

from pmqa_tracker import thai
from pmqa_tracker.models import Versioned

SHOWN = 120  # characters of a changed text


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
    changes = row.diff_against(before, excluded_fields=["version"], foreign_keys_are_objs=True).changes
    model = row.instance_type
    return [f"{model._meta.get_field(each.field).verbose_name} = “{_shown(each.new)}”" for each in changes]


def _shown(value: object) -> str:
    text = str(len(value)) if isinstance(value, list) else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
