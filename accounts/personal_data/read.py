"""Everything the database holds about a person: their account, and each record that names them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from assignments.models import User
from pmqa_tracker import thai
from pmqa_tracker.database_text import by_thai

# Values that open something, or that only the machine uses.
SECRET = re.compile(r"password|session_key|session_data|token|secret|(^|_)key$|op_id|sha256|^data$|^version$")
TEXTS = (models.CharField, models.TextField)
SHOWN = (*TEXTS, models.BooleanField, models.IntegerField, models.DateField)


@dataclass
class PersonalRecords:
    """The records of one kind that name the person, as a table."""

    title: str
    headings: list[str]
    rows: list[tuple[Any, ...]]


def personal_records(person: User) -> list[PersonalRecords]:
    """Return the account of a person and all records that name them, without secrets.

    A model with a relation to `User` appears by itself. Of the history of plans only the moment and the kind of a
    change are personal data; its content belongs to the plan.
    """
    found = [_account(person)]
    for relation in _relations():
        records = _read(relation, person)
        if records.rows:
            found.append(records)
    return found


def _relations() -> Iterator[models.ForeignKey]:
    """Yield each foreign key to a user, those of automatic tables left out."""
    for relation in User._meta.get_fields(include_hidden=True):
        model = relation.related_model
        if relation.auto_created and not relation.concrete and model and not model._meta.auto_created:
            yield relation.field


def _account(person: User) -> PersonalRecords:
    """Return the account itself, one line for each of its fields."""
    shown = [field for field in User._meta.concrete_fields if _is_shown(field)]
    rows = [(capfirst(str(field.verbose_name)), _value(field, getattr(person, field.attname))) for field in shown]
    rows.append((_("Organization"), str(person.organization or "")))
    rows.append((_("Roles"), ", ".join(_(name) for name in sorted(person.role_names))))
    return PersonalRecords(_("Account"), [_("Field"), _("Value")], rows)


def _read(relation: models.ForeignKey, person: User) -> PersonalRecords:
    """Return the records of one model that name the person in one of its fields, in two queries at most."""
    model = relation.model
    columns = [
        (heading, path, field)
        for field in model._meta.concrete_fields
        if field is not relation and _belongs(model, field) and not SECRET.search(field.name)
        for heading, path in _paths(field)
    ]
    pk = model._meta.pk
    query = model._base_manager.filter(**{relation.name: person})
    query = query.order_by(by_thai(pk.name) if isinstance(pk, TEXTS) else "pk")
    rows = [
        tuple(_value(field, value) for value, (_heading, _path, field) in zip(row, columns, strict=True))
        for row in query.values_list(*(path for _heading, path, _field in columns))
    ]
    title = f"{model._meta.verbose_name_plural} · {relation.verbose_name}"
    return PersonalRecords(title, [heading for heading, _path, _field in columns], rows)


def _belongs(model: type[models.Model], field: models.Field) -> bool:
    """Return whether a field is about the person; see `personal_records`."""
    return not hasattr(model, "history_user") or field.name in ("history_date", "history_type", "history_change_reason")


def _is_shown(field: models.Field) -> bool:
    return isinstance(field, SHOWN) and not field.related_model and not SECRET.search(field.name)


def _paths(field: models.Field) -> Iterator[tuple[str, str]]:
    """Yield the heading of a field and what to read; of a relation, the name that users see."""
    heading = capfirst(str(field.verbose_name))
    if _is_shown(field):
        yield heading, field.attname
    elif field.related_model is User:
        yield heading, f"{field.name}__username"
    elif isinstance(shown_by := getattr(field.related_model, "DISPLAY_FIELD", None), str):
        yield heading, f"{field.name}__{shown_by}"


def _value(field: models.Field, value: Any) -> Any:
    """Return a value as a person reads it."""
    if isinstance(value, datetime):
        return thai.format_datetime(timezone.localtime(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.choices and not field.related_model:
        return str(dict(field.flatchoices).get(value, value))
    return "" if value is None else value
