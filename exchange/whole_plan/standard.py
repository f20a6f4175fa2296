"""Plan the edition of the standard of a whole-plan workbook: framework, categories, criteria and requirements.

All plans share an edition. One that exists with criteria must equal the file; a new one is added with all its rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from assignments.models import User
from criteria.models import Category, Criterion, Framework
from criteria.shared_admin import used_elsewhere
from exchange.whole_plan.records import FIELDS, PlannedRecords
from exchange.whole_plan.references import Find, Register, Spellings
from exchange.whole_plan.rows import EMPTY, PlanRow, PlanSheets
from exchange.whole_plan.tables import CATEGORIES, CRITERIA
from pmqa_tracker import thai
from pmqa_tracker.database_text import find_named
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.nearest import nearest

FRAMEWORK_LINES = tuple(FIELDS[Framework].values())
EDITION_LINES = ("framework", "previous_framework")
NEEDED = ("framework_name", "edition", "fiscal_year")  # of a new framework


class StandardPlanner:
    """Plans the records of one framework.

    Attributes:
        framework: the framework of the file, also if its lines have errors.
        is_open: whether the file may add categories, criteria and requirements: the framework has no criteria yet, and
            no other organization uses it.
        earlier: the criteria of the edition before.
    """

    def __init__(self, records: PlannedRecords, sheets: PlanSheets, user: User) -> None:
        self.records, self.sheets, self.head = records, sheets, sheets.head
        self.framework = self._framework()
        self.is_stored = not self.framework._state.adding
        criteria = self.framework.criteria.select_related("category", "parent").with_predecessors
        self.stored_criteria = list(criteria()) if self.is_stored else []
        self.is_open = self.framework.pk not in used_elsewhere(user) and not self.stored_criteria
        self.earlier = self.register(["code"], _find_predecessor, EDITION_LINES)

    def register(
        self, names: Sequence[str], index: Callable[[Sequence[Any]], Find], lines: Sequence[str] = FRAMEWORK_LINES
    ) -> Register:
        """A register of records of the framework."""
        return Register(names=names, index=index, unsound=self.records.unsound, owner=(self.head, lines))

    def _framework(self) -> Framework:
        """The framework of the plan sheet; also one that exists with other values, with errors."""
        values, head = self.head.values, self.head
        slug = values.get("framework") or ""
        record = find_named(Framework.objects.all(), "slug", slug) if slug else None
        self._find_previous()
        empty = [field for field, name in FIELDS[Framework].items() if values.get(name, field) in EMPTY]
        if record:
            given = {field: getattr(record, field) for field in (*empty, "slug")}
            self._compare(head, record, given)
            return record
        missing = [name for name in NEEDED if values.get(name, "missing") in EMPTY] if slug else []
        near = nearest(slug, Framework.objects.values_list("slug", flat=True)) if missing else []
        for name in missing:
            text = _("The edition “%(slug)s” is not on the site yet, so this cell must not be empty.")
            head.add_error(name, text % {"slug": slug}, near)
            del values[name]
        optional = (
            {*empty} - {"previous", "slug"} - {field for field, name in FIELDS[Framework].items() if name in missing}
        )
        defaults = {name: Framework._meta.get_field(name).get_default() for name in optional}
        record = Framework()
        self.records.add(head, record, slug, given=defaults)
        return record

    def _find_previous(self) -> None:
        """Find the edition before, which the plan sheet names."""
        slug = self.head.values.get("previous_framework")
        found = find_named(Framework.objects.all(), "slug", slug) if slug else None
        if slug and found is None:
            slugs = list(Framework.objects.in_order().values_list("slug", flat=True))
            text = _("There is no edition of the standard with this code.")
            self.head.add_error("previous_framework", text, nearest(slug, slugs) or slugs[:3])
        elif slug is not None:
            self.head.found["previous_framework"] = found

    def _compare(self, row: PlanRow, record: Any, given: Mapping[str, Any]) -> None:
        """Compare a stored record with its row, and count it if it is equal."""
        self.records.findings.unchanged += self.records.compare(row, record, given=given)

    def check_open(self, row: PlanRow, name: str, label: str) -> None:
        """Add an error at a cell of a row, unless the file may add its record."""
        if not self.is_open:
            text = _(
                "The edition “%(edition)s” has no %(record)s. If the standard has changed, enter the code of a new "
                "edition on the plan sheet."
            )
            row.add_error(name, text % {"edition": self.framework.slug, "record": label})

    def plan_categories(self) -> Register:
        """The categories of the framework, with those that the file adds."""
        categories, seen = self.register(["number"], _find_category), {}
        existing = {each.number: each for each in self.framework.categories.all()} if self.is_stored else {}
        for category in existing.values():
            categories.add(category)
        for row in self.sheets.rows[CATEGORIES]:
            number = row.values.get("number")
            is_first = row.is_first(seen, ("row", row.number) if number is None else number, "number")
            category = existing.get(number) if is_first else None
            if category:
                self._compare(row, category, {})
            else:
                if is_first and number is not None:
                    self.check_open(row, "number", _("category %(number)s") % {"number": number})
                category = Category()
                given = {"framework": self.framework}
                self.records.add(row, category, str(number), row.values.get("name", ""), given=given)
                categories.add(category, row)
        return categories

    def plan_criteria(self, categories: Register) -> Register:
        """The criteria of the framework, with those that the file adds."""
        register = self.register(["code"], _find_criterion)
        by_code = Spellings({each.code: each for each in self.stored_criteria})
        for criterion in self.stored_criteria:
            register.add(criterion)
        rows = _headings_first(self.sheets.rows[CRITERIA])
        seen, criteria = {}, []
        for row in rows:
            code = row.values.get("code", "")
            is_first = row.is_first(seen, thai.search_key(code) or row.number, "code")
            criterion = by_code.find(code) if is_first else None
            if "category" in row.values:
                categories.find(row, "category", row.values["category"])
            if criterion:
                row.values["code"] = criterion.code
            else:
                criterion = Criterion(framework=self.framework, code=code, category=row.found.get("category"))
                self.records.keep(criterion)
                with suppress(ValidationError):  # `records.add` says what is wrong with the code
                    Criterion._meta.get_field("code").run_validators(code)
                    if is_first and code:
                        self.check_open(row, "code", _("criterion %(code)s") % {"code": code})
                register.add(criterion, row)
            criteria.append(criterion)
        self._add_earlier(rows)
        for place, (row, criterion) in enumerate(zip(rows, criteria, strict=True), start=1):
            self._criterion(row, criterion, place, register)
        return register

    def _add_earlier(self, rows: Sequence[PlanRow]) -> None:
        """Add the criteria of the edition before, which rows name as predecessors."""
        before = self.framework.previous if self.framework.previous_id else None
        for criterion in before.criteria.in_order() if before else ():
            self.earlier.add(criterion)
        is_named = any(row.values.get("predecessors") for row in rows)
        if before is None and is_named and not self.head.has_error(EDITION_LINES):
            text = _("Name the edition before this one here; the sheet of criteria holds its codes.")
            self.head.add_error("previous_framework", text)

    def _criterion(self, row: PlanRow, criterion: Criterion, place: int, register: Register) -> None:
        """Add or compare a criterion with its parent and predecessors."""
        if row.values.get("parent"):
            register.find(row, "parent", row.values["parent"])
        elif "parent" in row.values:
            row.found["parent"] = None
        codes = row.values.get("predecessors")
        named = [self.earlier.find(row, "predecessors", code) for code in codes or ()]
        predecessors = None if codes is None or None in named else named
        is_new = criterion._state.adding
        given: dict[str, Any] = {"framework": self.framework} if is_new else {}
        if row.values.get("position", "") is None:
            given["position"] = place if is_new else criterion.position
        if is_new:
            self._check_crosswalk(row, predecessors)
            code, title = row.values.get("code", ""), row.values.get("title", "")
            self.records.add(row, criterion, code, title, given=given, many={"predecessors": predecessors})
            return
        stored = list(criterion.predecessors.all())
        if predecessors is not None and {each.pk for each in predecessors} != {each.pk for each in stored}:
            row.add_difference(criterion, "predecessors", ", ".join(each.code for each in stored) or "–")
        self._compare(row, criterion, given)

    def _check_crosswalk(self, row: PlanRow, predecessors: Sequence[Criterion] | None) -> None:
        """Check how a new criterion came out of the edition before, unless a cell about it is wrong."""
        if predecessors is None or "change" not in row.values:
            return
        try:
            Criterion(framework=self.framework, change=row.values["change"]).clean_crosswalk(predecessors)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                for message in messages:
                    row.add_error(name, message)


def _headings_first(rows: Iterable[PlanRow]) -> list[PlanRow]:
    """Headings before the criteria under them, in whatever order the file has them."""
    parents = {thai.search_key(row.values.get("code", "")): row.values.get("parent", "") for row in rows}

    def depth(row: PlanRow) -> int:
        parent = row.values.get("parent", "")
        return bool(parent) + bool(parent and parents.get(thai.search_key(parent)))

    return sorted(rows, key=depth)


def _find_category(categories: Sequence[Category]) -> Find:
    by_number = {each.number: each for each in reversed(categories)}

    def find(number: int) -> Category:
        if number not in by_number:
            raise UnreadableError(_("There is no category with this number; add it to the sheet of categories."))
        return by_number[number]

    return find


def _find_criterion(criteria: Sequence[Criterion]) -> Find:
    by_code = Spellings({each.code: each for each in reversed(criteria)})

    def find(code: str) -> Criterion:
        found = by_code.find(code)
        if found is None:
            raise UnreadableError(_("There is no criterion with this code."), nearest(code, by_code.by_name))
        return found

    return find


def _find_predecessor(criteria: Sequence[Criterion]) -> Find:
    by_code = Spellings({each.code: each for each in criteria})

    def find(code: str) -> Criterion:
        found = by_code.find(code)
        if found is None:
            text = _("The edition before has no criterion %(codes)s.")
            raise UnreadableError(text % {"codes": code}, nearest(code, by_code.by_name))
        return found

    return find
