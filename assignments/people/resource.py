"""Export and import of people as a workbook: one row per person, identified by the e-mail address.

All errors of all rows are reported at once. All rows are written together, after the last one was read.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from import_export import fields

from assignments.access import Access
from assignments.models import User
from assignments.people.columns import HEADINGS, References, heading
from assignments.people.rights import managed_people
from assignments.people.rows import RowReader
from assignments.people.write import load_person, save_people
from pmqa_tracker import thai
from spreadsheets.admin_tables import TableMeta, TableResource


class Column(fields.Field):
    """A column of the workbook.

    Args:
        name: attribute of a person.
        write: returns the text of a person in the column.
    """

    def __init__(self, name: str, write: Callable[[User], str]) -> None:
        super().__init__(attribute=name, column_name=heading(name))
        self.write = write

    def export(self, instance: User, **kwargs: Any) -> str:
        return self.write(instance)


def digest(result: Any) -> str:
    """Return a text that is equal for two results that change the same cells in the same way."""
    return sha256(repr([(row.import_type, row.diff) for row in result.rows]).encode()).hexdigest()


class PeopleResource(TableResource):
    """The people whom a user manages.

    During an import a person has `unit_list` and `role_list`: the units and roles that the file gives them.
    """

    class Meta(TableMeta):
        model = User
        import_id_fields = ("email",)
        fields = ()  # made for each user
        use_bulk = True  # no savepoint for each row

    def __init__(self, *, access: Access, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.references = References(access)
        self.fields = {name: Column(name, self.references.writers[name]) for name in HEADINGS}
        self.new: list[User] = []
        self.changed: list[User] = []

    def is_shown(self, name: str) -> bool:
        """Return whether the workbook has a column; that of organizations only where there are several."""
        return name != "organization" or len(self.references.organizations) > 1

    def get_export_fields(self, selected_fields: Any = None) -> list[fields.Field]:
        return [self.fields[name] for name in HEADINGS if self.is_shown(name)]

    def get_import_fields(self) -> list[fields.Field]:
        return [self.fields[name] for name in HEADINGS if name != "version" and self.is_shown(name)]

    def filter_export(self, queryset: QuerySet[User], **kwargs: Any) -> QuerySet[User]:
        people = queryset.filter(pk__in=managed_people(self.references.access).values("pk"))
        return people.select_related("organization").prefetch_related("memberships__unit", "groups")

    def export_resource(self, instance: User, *args: Any, **kwargs: Any) -> list[str]:
        load_person(instance, self.references.role_names)
        return super().export_resource(instance, *args, **kwargs)

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        """Check the headings, and read everybody whom the rows may mean."""
        known = {spelling: names[0] for names in HEADINGS.values() for spelling in names}
        headers = [thai.match_spelling(header, known) for header in dataset.headers]
        dataset.headers = [known.get(header, header) for header in headers]
        super().before_import(dataset, **kwargs)
        self.reader = RowReader(self.references, dataset.dict)

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        """Accept numbers: no column holds codes that a spreadsheet may have changed."""

    def get_instance(self, instance_loader: Any, row: dict[str, Any]) -> User | None:
        return self.reader.find(row)

    def init_instance(self, row: Any = None) -> User:
        return self.reader.make()

    def after_init_instance(self, instance: User, new: bool, row: Any = None, **kwargs: Any) -> None:
        """Leave repeated rows to the reader, which reports them with all other errors."""

    def import_instance(self, instance: User, row: dict[str, Any], **kwargs: Any) -> None:
        self.reader.read(instance, row, kwargs["row_number"])

    def validate_instance(self, instance: User, import_validation_errors: Any = None, **kwargs: Any) -> None:
        """Raise the errors of the cells; the reader has checked what the model demands."""
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def save_instance(self, instance: User, is_create: bool, row: Any, **kwargs: Any) -> None:
        (self.new if is_create else self.changed).append(instance)

    def after_import(
        self, dataset: tablib.Dataset, result: Any, *, dry_run: bool = False, seen: str = "", **kwargs: Any
    ) -> None:
        """Write all rows, unless this is a preview or one of them is wrong.

        Args:
            seen: digest of the preview that the user confirmed.

        Raises:
            ValueError: the file would change something else than the preview showed, or somebody else has just added
                one of these people.
        """
        if dry_run or result.has_errors() or result.has_validation_errors():
            return
        if digest(result) != seen:
            raise ValueError(_("Somebody else is changing the same record at this moment."))
        try:
            save_people(self.new, self.changed)
        except IntegrityError as error:
            raise ValueError(_("Somebody else is changing the same record at this moment.")) from error
