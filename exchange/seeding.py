"""Load roles, frameworks and plans from fixtures: add records that never existed, all or nothing.

`fixtures/` has a file of the roles and a folder for each framework and each plan: `roles.json`, `frameworks/<slug>/`,
`plans/<slug>/`.

A fixture file is a list of `{"model": …, "fields": {…}}` without primary keys. A relation gives the natural key of its
record: `["pmqa-2562", "1.1.3"]` for a criterion, with 2 added for its requirement at that level. The history
(django-simple-history) shows which records users have renamed or removed; these are neither overwritten nor restored.
"""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.apps import apps as django_apps
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, FieldDoesNotExist, ValidationError
from django.db import DataError, IntegrityError, models

from pmqa_tracker.constraints import explain_violation
from pmqa_tracker.transactions import write_transaction

# Model → fields of its natural key. A relation stands for the key of the related record.
KEYS = {
    "auth.group": ("name",),
    "auth.permission": ("codename", "content_type"),
    "contenttypes.contenttype": ("app_label", "model"),
    "assignments.organization": ("short_name",),
    "assignments.unit": ("organization", "abbreviation"),
    "assignments.assignment": ("action", "unit", "role"),
    "criteria.framework": ("slug",),
    "criteria.category": ("framework", "number"),
    "criteria.criterion": ("framework", "code"),
    "criteria.requirement": ("criterion", "level"),
    "criteria.assessment": ("organization", "name"),
    "criteria.verdict": ("assessment", "requirement"),
    "plan.plan": ("slug",),
    "plan.period": ("plan", "number"),
    "plan.actionitem": ("plan", "ref"),
}
FIXTURES = settings.BASE_DIR / "fixtures"
ROLES, FRAMEWORKS, PLANS = "roles.json", "frameworks/*/*.json", "plans/*/*.json"  # paths in a folder of fixtures
DELETED = None  # instead of the pk of a record that users removed


class FixtureError(Exception):
    """A fixture cannot be loaded; the message is one sentence with the file, the row and the error."""


@dataclass
class LoadSummary:
    """Counts of records that were added, existed already, or were skipped with a removed record they belong to."""

    added: int = 0
    kept: int = 0
    skipped: int = 0


@dataclass
class RecordIndex:
    """Natural key → pk for the records of one model, including keys in its history."""

    model: type[models.Model]
    by_key: dict[tuple[Hashable, ...], int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, model: type[models.Model]) -> "RecordIndex":
        """Read the index of a model."""
        names = [model._meta.get_field(name).attname for name in KEYS[model._meta.label_lower]]
        existing = {tuple(key): pk for pk, *key in model._base_manager.values_list("pk", *names)}
        index = cls(model, dict(existing))
        if hasattr(model, "history"):
            pks = set(existing.values())
            for pk, *key in model.history.order_by("history_id").values_list(model._meta.pk.name, *names):
                index.by_key.setdefault(tuple(key), pk if pk in pks else DELETED)
        return index


def load_fixtures(folder: Path = FIXTURES, patterns: Sequence[str] = ("*.json", FRAMEWORKS, PLANS)) -> LoadSummary:
    """Load the files of a folder: those of each pattern in turn, by name.

    Raises:
        FixtureError: a file cannot be read, or a row breaks a rule; nothing is written.
    """
    files = [file for pattern in patterns for file in sorted(folder.glob(pattern))]
    if not files:
        names = ", ".join(patterns)
        raise FixtureError(f"{folder} holds no fixture files ({names}). / ไม่พบไฟล์ข้อมูลตั้งต้น ({names}) ใน {folder}")
    rows = {str(file.relative_to(folder)): _rows(file, str(file.relative_to(folder))) for file in files}
    loader = Loader()
    with write_transaction():
        for name, rows_of_file in rows.items():
            for number, row in enumerate(rows_of_file, start=1):
                try:
                    loader.add(row)
                except (ValidationError, DataError, IntegrityError, LookupError, TypeError, ValueError) as error:
                    raise FixtureError(_sentence(name, number, error)) from error
    return loader.summary


def add_roles(*, apps: Any = django_apps, **_sent: Any) -> None:
    """Add the roles that are missing, after `migrate` has migrated every app; a handler of `post_migrate`.

    Args:
        apps: the apps as `migrate` leaves them, without those that are not migrated yet.
    """
    if {model._meta.app_label for model in django_apps.get_models()} <= apps.app_configs.keys():
        load_fixtures(patterns=(ROLES,))


def _save(record: models.Model) -> None:
    """Save a record in a savepoint.

    Raises:
        ValidationError: a constraint of the models is violated; the message is the constraint's.
        IntegrityError: the database refuses the record for another reason.
    """
    try:
        with write_transaction():
            record.save()
    except IntegrityError as error:
        raise explain_violation(error) or error from error


def _rows(file: Path, name: str) -> list[Any]:
    try:
        rows = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise FixtureError(f"{name} is not JSON: {error}. / {name} ไม่ใช่ไฟล์ JSON ที่ถูกต้อง") from error
    if not isinstance(rows, list):
        raise FixtureError(f"{name} must be a list of rows. / {name} ต้องเป็นรายการของแถวข้อมูล")
    return rows


def _sentence(file: str, number: int, error: Exception) -> str:
    if isinstance(error, ValidationError):
        by_field = getattr(error, "message_dict", {"": error.messages})
        named = [(name if name != NON_FIELD_ERRORS else "", texts) for name, texts in by_field.items()]
        reason = "; ".join(f"{name} {' '.join(texts)}".strip() for name, texts in named)
    elif isinstance(error, LookupError):
        reason = str(error.args[0]) if error.args else str(error)
    else:
        reason = str(error).strip().splitlines()[0]
    return (
        f"{file}, row {number}: {reason.rstrip('.')}; nothing was loaded. / "
        f"{file} แถวที่ {number} ไม่ถูกต้อง จึงไม่ได้นำเข้าข้อมูลใด"
    )


class Loader:
    """Adds fixture rows one by one and counts them."""

    def __init__(self) -> None:
        self.summary = LoadSummary()
        self.indexes: dict[str, RecordIndex] = {}

    def add(self, row: Any) -> None:
        """Add the record of a row, unless it exists, once existed, or belongs to a removed record."""
        if not isinstance(row, dict) or not isinstance(row.get("fields"), dict):
            raise ValueError('a row must be {"model": …, "fields": {…}}')
        model = self._model(row.get("model"))
        index = self._index(model)
        values, many = self._values(model, row["fields"])
        key_fields = [model._meta.get_field(name).attname for name in KEYS[model._meta.label_lower]]
        needed = [field.attname for field in model._meta.concrete_fields if field.is_relation and not field.null]
        is_orphan = any(name in values and values[name] is DELETED for name in needed)
        record = model(**values)
        if not is_orphan and not values.keys() >= set(key_fields):
            record.clean_fields()  # sets what follows from other fields: the framework of a criterion
        key = tuple(getattr(record, name) for name in key_fields)
        if key in index.by_key:
            self.summary.kept += 1
        elif is_orphan:
            self.summary.skipped += 1
        else:
            record.clean_fields()
            record.clean()
            _save(record)
            for name, pks in many.items():
                getattr(record, name).set(pks)
            index.by_key[key] = record.pk
            self.summary.added += 1

    def _model(self, label: Any) -> type[models.Model]:
        if label not in KEYS:
            raise LookupError(f"“{label}” is not a model that fixtures may hold")
        return django_apps.get_model(label)

    def _index(self, model: type[models.Model]) -> RecordIndex:
        label = model._meta.label_lower
        if label not in self.indexes:
            self.indexes[label] = RecordIndex.of(model)
        return self.indexes[label]

    def _values(self, model: type[models.Model], given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[int]]]:
        """Attname → value for the model, and many-to-many field → pks."""
        values: dict[str, Any] = {}
        many: dict[str, list[int]] = defaultdict(list)
        for name, value in given.items():
            try:
                field = model._meta.get_field(name)
            except FieldDoesNotExist:
                raise LookupError(f"{model._meta.label} has no field “{name}”") from None
            if field.many_to_many:
                found = [self._find(field.related_model, natural) for natural in value]
                many[name] = [pk for pk in found if pk is not DELETED]
            elif field.is_relation:
                values[field.attname] = None if value is None else self._find(field.related_model, value)
            else:
                values[field.attname] = value
        return values, many

    def _find(self, model: type[models.Model], natural: Iterable[Hashable]) -> int | None:
        """The pk of the record with a natural key; DELETED if users removed it."""
        if not isinstance(natural, list):
            raise TypeError(f"“{natural}” does not name a {model._meta.label}; write its key as a list")
        rest = list(natural)
        pk = self._find_by_parts(model, rest)
        if rest:
            raise LookupError(f"{natural} has too many parts to name a {model._meta.label}")
        return pk

    def _find_by_parts(self, model: type[models.Model], rest: list[Hashable]) -> int | None:
        """Find a record by the first parts of a natural key, and remove these parts from `rest`."""
        natural = tuple(rest)
        key = []
        for name in KEYS[model._meta.label_lower]:
            field = model._meta.get_field(name)
            if field.is_relation:
                key.append(self._find_by_parts(field.related_model, rest))
            elif rest:
                key.append(rest.pop(0))
            else:
                raise LookupError(f"{list(natural)} has too few parts to name a {model._meta.label}")
        if any(part is DELETED for part in key):
            return DELETED
        try:
            return self._index(model).by_key[tuple(key)]
        except KeyError:
            raise LookupError(f"there is no {model._meta.label} {list(natural)}") from None
