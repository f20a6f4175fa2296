"""Search and sort Thai text in the database: any spelling is found, in Thai order, on SQLite and PostgreSQL."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.backends.signals import connection_created
from django.db.models import CharField, F, Func, Lookup, Model, QuerySet, TextField
from django.db.models.functions import Collate
from django.db.models.lookups import Contains, Exact
from django.dispatch import receiver

from pmqa_tracker import thai

# PostgreSQL's `lower` depends on the collation; with "C" it knows only ASCII. This collation knows all letters.
ANY_LANGUAGE = "und-x-icu"
# A collation that every PostgreSQL has; SQLite gets one of the same name.
THAI_ORDER = "th-TH-x-icu"

Named = TypeVar("Named", bound=Model)


@receiver(connection_created)
def _teach_sqlite(connection: Any, **kwargs: Any) -> None:
    """Add the function and the collation that queries need to a new SQLite connection."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("search_key", 1, _search_key, deterministic=True)
        connection.connection.create_collation(THAI_ORDER, _compare)


def _search_key(text: str | None) -> str | None:
    return None if text is None else thai.search_key(str(text))


def _compare(one: str, other: str) -> int:
    first, second = thai.sort_key(one), thai.sort_key(other)
    return (first > second) - (first < second)


def by_thai(name: str) -> Collate:
    """Return a text field in Thai order: `order_by("position", by_thai("name"))`, `by_thai("name").desc()`."""
    return Collate(F(name), THAI_ORDER)


def in_thai_order(model: type[Model], ordering: Iterable[Any]) -> list[Any]:
    """Return an ordering in which every text field, also one with "-", sorts in Thai order.

    A relation sorts by the name that users see: the field or expression in `DISPLAY_FIELD` of its model.
    """
    return [_in_thai_order(model, each) if isinstance(each, str) else each for each in ordering]


def _in_thai_order(model: type[Model], name: str) -> Any:
    field, related = None, model
    for part in name.removeprefix("-").split("__"):
        if part == "pk" or related is None or part not in {each.name for each in related._meta.get_fields()}:
            return name
        field = related._meta.get_field(part)
        related = field.related_model
    shown_by = getattr(related, "DISPLAY_FIELD", None)
    if isinstance(shown_by, str):
        return _in_thai_order(model, f"{name}__{shown_by}")
    if shown_by is None and (not isinstance(field, (CharField, TextField)) or field.choices):
        return name
    path = name.removeprefix("-")
    order = Collate(shown_by(f"{path}__") if shown_by else F(path), THAI_ORDER)
    return order.desc() if name.startswith("-") else order


class SearchKey(Func):
    """`thai.search_key` as a database function."""

    function = "search_key"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Write the same rules in PostgreSQL's functions; the patterns in `thai.SPELLINGS` work in both engines."""
        sql, params = compiler.compile(self.source_expressions[0])
        sql = f"regexp_replace(normalize(({sql})::text, NFKD), %s, '', 'g')"
        sql = f'translate(normalize(lower({sql} COLLATE "{ANY_LANGUAGE}"), NFKC), %s, %s)'
        typed, same = ("".join(map(chr, part)) for part in (thai.SAME_CHARACTERS, thai.SAME_CHARACTERS.values()))
        params = [*params, thai.BLANK.pattern, typed, same]
        for pattern, spelling in thai.SPELLINGS:
            sql = f"regexp_replace({sql}, %s, %s, 'g')"
            params += [pattern, spelling]
        return sql, params


@CharField.register_lookup
@TextField.register_lookup
class Folded(Lookup):
    """`name__folded="เเผน"`: the text contains the value; spelling does not matter."""

    lookup_name = "folded"

    def get_prep_lookup(self) -> str:
        return thai.search_key(str(self.rhs))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return compiler.compile(Contains(SearchKey(self.lhs), self.rhs))


@CharField.register_lookup
@TextField.register_lookup
class Spelled(Folded):
    """`code__spelled="๑.๑"`: the text equals the value; spelling does not matter."""

    lookup_name = "spelled"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return compiler.compile(Exact(SearchKey(self.lhs), self.rhs))


def find_named(rows: QuerySet[Named], field: str, name: str) -> Named | None:
    """Return the row with this name in a text field, or the only row with another spelling of it."""
    found = rows.filter(**{field: name}).first()
    if found is None and thai.search_key(name):
        alike = list(rows.filter(**{f"{field}__spelled": name})[:2])
        found = alike[0] if len(alike) == 1 else None
    return found
