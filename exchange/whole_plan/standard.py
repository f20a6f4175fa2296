"""Write the edition of the standard of a whole-plan workbook: framework, categories, criteria and requirements.

All plans share an edition. One that exists with criteria must equal the file; a new one is added with all its rows.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from assignments.models import User
from criteria.models import Category, Criterion, Framework, Level, Requirement
from criteria.shared_admin import used_elsewhere
from exchange.findings import similar
from exchange.whole_plan.rows import PlanRow, RecordReader
from exchange.whole_plan.tables import CATEGORIES, CRITERIA
from pmqa_tracker import thai
from pmqa_tracker.database_text import find_named

# Name on the plan sheet → field of the framework.
FRAMEWORK_FIELDS = {
    "framework": "slug", "framework_name": "name", "edition": "edition", "fiscal_year": "fiscal_year",
    "basic_points": "basic_points", "advance_points": "advance_points", "significance_points": "significance_points",
    "are_points_confirmed": "are_points_confirmed",
}  # fmt: skip
NEEDED = ("framework_name", "edition", "fiscal_year")  # of a new framework


class StandardWriter:
    """Writes the records of one framework.

    Attributes:
        framework: the framework of the file, or a stand-in if its cells have errors.
        is_sound: whether its cells have no errors.
        is_open: whether the file may add categories, criteria and requirements: the framework has no criteria yet, and
            no other organization uses it.
        wrong_codes: codes of new criteria whose row has an error; rows that name them need no error of their own.
    """

    def __init__(self, records: RecordReader, head: PlanRow, user: User) -> None:
        self.records, self.head = records, head
        before = len(records.findings.errors)
        framework = self._find_or_add()
        self.is_sound = len(records.findings.errors) == before and records.is_complete(head, FRAMEWORK_FIELDS)
        self.framework = framework or self._stand_in()
        is_foreign = self.framework.pk in used_elsewhere(user)
        self.is_open = not is_foreign and not self.framework.criteria.exists()
        self.wrong_codes: set[str] = set()

    def _find_or_add(self) -> Framework | None:
        """The framework of the plan sheet; also one that exists with other values, with errors."""
        values = self.head.values
        if not values.get("framework"):
            return None
        record = find_named(Framework.objects.all(), "slug", values["framework"])
        given = {FRAMEWORK_FIELDS[name]: values.get(name) for name in FRAMEWORK_FIELDS if name != "framework"}
        given = {field: value for field, value in given.items() if value not in (None, "")}
        if before := self._find_previous():
            given["previous"] = before
        if record:
            self.records.find_or_add(self.head, record, given, record.slug)
            return record
        missing = [name for name in NEEDED if values.get(name, "missing") in (None, "")]
        near = similar(values["framework"], Framework.objects.values_list("slug", flat=True)) if missing else []
        for name in missing:
            text = _("The edition “%(slug)s” is not on the site yet, so this cell must not be empty.")
            self.records.add_error(self.head, name, text % {"slug": values["framework"]}, near)
        if missing or not self.records.is_complete(self.head, FRAMEWORK_FIELDS):
            return None
        return self.records.find_or_add(
            self.head, Framework(), given | {"slug": values["framework"]}, values["framework"]
        )

    def _find_previous(self) -> Framework | None:
        """The edition before, from the plan sheet."""
        slug = self.head.values.get("previous_framework")
        found = find_named(Framework.objects.all(), "slug", slug) if slug else None
        if slug and found is None:
            slugs = list(Framework.objects.in_order().values_list("slug", flat=True))
            text = _("There is no edition of the standard with this code.")
            self.records.add_error(self.head, "previous_framework", text, similar(slug, slugs) or slugs[:3])
        return found

    def _stand_in(self) -> Framework:
        year = self.head.values.get("fiscal_year") or 0
        slug = self.head.values.get("previous_framework")
        before = find_named(Framework.objects.all(), "slug", slug) if slug else None
        record = Framework(slug=uuid4().hex, name="–", edition="–", fiscal_year=year, previous=before)
        return self.records.stand_in(record)

    def may_add(self, row: PlanRow, name: str, label: str) -> bool:
        """Whether the file may add the record of a row; otherwise add an error at its cell."""
        if not self.is_open:
            text = _(
                "The edition “%(edition)s” has no %(record)s. If the standard has changed, enter the code of a new "
                "edition on the plan sheet."
            )
            self.records.add_error(row, name, text % {"edition": self.framework.slug, "record": label})
        return self.is_open

    def write_categories(self) -> dict[int, Category]:
        """Add the categories of the file; return all of the framework by number."""
        existing = {each.number: each for each in self.framework.categories.all()}
        seen: dict[Any, int] = {}
        for row in self.records.read_rows(CATEGORIES):
            if not self.records.is_complete(row):
                continue
            number = row.values["number"]
            if not self.records.is_first(row, seen, number, "number"):
                continue
            label = _("category %(number)s") % {"number": number}
            if number in existing or self.may_add(row, "number", label):
                category = existing.get(number) or Category(framework=self.framework)
                made = self.records.find_or_add(row, category, row.values, str(number), row.values["name"])
                if made:
                    existing[number] = made
        return existing

    def write_criteria(self, categories: Mapping[int, Category]) -> dict[str, Criterion]:
        """Add the criteria of the file; return all of the framework by code."""
        stored = self.framework.criteria.select_related("category", "parent").with_predecessors()
        existing = {each.code: each for each in stored}
        before = self.framework.previous
        earlier = {each.code: each for each in before.criteria.in_order()} if before else {}
        rows = sorted(self.records.read_rows(CRITERIA), key=lambda each: bool(each.values.get("parent")))
        seen: dict[Any, int] = {}
        self.wrong_codes = {row.values.get("code", "") for row in rows}
        # Headings before the criteria under them, in whatever order the file has them.
        for place, row in enumerate(rows, start=1):
            row.use_stored_spelling(existing, "code", "parent")
            if not self.records.is_complete(row) or not self.records.is_first(row, seen, row.values["code"], "code"):
                continue
            criterion = existing.get(row.values["code"])
            try:
                Criterion._meta.get_field("code").run_validators(row.values["code"])
            except ValidationError as error:
                self.records.add_error(row, "code", error.messages[0])
                continue
            label = _("criterion %(code)s") % {"code": row.values["code"]}
            if criterion is None and not self.may_add(row, "code", label):
                continue
            values = self._values(row, categories, existing, earlier)
            if values is None:
                continue
            made = self._criterion(row, criterion or Criterion(framework=self.framework), values, place)
            if made:
                existing[made.code] = made
        self.wrong_codes -= existing.keys()
        return existing

    def _values(
        self, row: PlanRow, categories: Mapping[int, Category], existing: Mapping[str, Criterion], earlier: Any
    ) -> dict[str, Any] | None:
        """The values of a criterion, with the records that its cells name; None if one does not exist."""
        values, errors = dict(row.values), len(self.records.findings.errors)
        values["category"] = categories.get(row.values["category"])
        if values["category"] is None:
            text = _("There is no category with this number; add it to the sheet of categories.")
            self.records.add_error(row, "category", text)
        values["parent"] = existing.get(row.values["parent"]) if row.values["parent"] else None
        if row.values["parent"] and values["parent"] is None:
            text = _("There is no criterion with this code.")
            self.records.add_error(row, "parent", text, similar(row.values["parent"], existing))
        codes = [thai.match_spelling(code, earlier) for code in row.values["predecessors"]]
        values["predecessors"] = [earlier[code] for code in codes if code in earlier]
        if unknown := [code for code in codes if code not in earlier]:
            text = _("The edition before has no criterion %(codes)s.") % {"codes": ", ".join(unknown)}
            if self.framework.previous is None:
                text = _("Name the edition before this one on the plan sheet; these are its codes.")
            self.records.add_error(row, "predecessors", text, similar(unknown[0], earlier))
        return values if len(self.records.findings.errors) == errors else None

    def _criterion(self, row: PlanRow, criterion: Criterion, values: dict[str, Any], place: int) -> Criterion | None:
        predecessors = values.pop("predecessors")
        if values["position"] is None:
            values["position"] = place if criterion.pk is None else criterion.position
        if criterion.pk is None:
            criterion.change = values["change"]
            try:
                criterion.clean_crosswalk(predecessors)
            except ValidationError as error:
                self.records.add_broken_rules(row, criterion, error)
        elif {each.pk for each in predecessors} != {each.pk for each in criterion.predecessors.all()}:
            shown = ", ".join(each.code for each in criterion.predecessors.all()) or "–"
            self.records.add_difference(row, criterion, "predecessors", shown)
        many = {"predecessors": predecessors}
        return self.records.find_or_add(row, criterion, values, values["code"], values["title"], **many)

    def requirement(
        self, row: PlanRow, criterion: Criterion, level: int, stored: Requirement | None
    ) -> Requirement | None:
        """The requirement of a row of verdicts: the stored one if it equals the row, or a new one."""
        name = f"{criterion.code} {Level(level).short}"
        label = _("requirement %(name)s") % {"name": name}
        if stored is None and not self.may_add(row, "level", label):
            return None
        requirement = stored or Requirement(criterion=criterion, level=level)
        return self.records.find_or_add(row, requirement, {"text": row.values["text"]}, name)
