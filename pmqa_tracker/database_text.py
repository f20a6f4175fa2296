"""Thai text in the database: searched by its key, whatever the spelling, on SQLite and on PostgreSQL."""

from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import CharField, Func, Lookup, TextField
from django.db.models.lookups import Contains
from django.dispatch import receiver

from pmqa_tracker import thai

# PostgreSQL lowers letters by the collation of the database, and only ASCII in C: this one knows them all.
ANY_LANGUAGE = "und-x-icu"


@receiver(connection_created)
def _teach_sqlite(connection: Any, **kwargs: Any) -> None:
    """Give a new connection to SQLite what PostgreSQL has, or can be written in its SQL."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("search_key", 1, _search_key, deterministic=True)


def _search_key(text: str | None) -> str | None:
    return None if text is None else thai.search_key(str(text))


class SearchKey(Func):
    """`thai.search_key` of a text in the database."""

    function = "search_key"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """The same rules as functions of PostgreSQL; the engines share the dialect of `thai.SPELLINGS`."""
        sql, params = compiler.compile(self.source_expressions[0])
        sql = f"regexp_replace(normalize(({sql})::text, NFKD), %s, '', 'g')"
        sql = f'translate(normalize(lower({sql} COLLATE "{ANY_LANGUAGE}"), NFKD), %s, %s)'
        params = [*params, thai.BLANK.pattern, *("".join(map(chr, part)) for part in (thai.ALIKE, thai.ALIKE.values()))]
        for pattern, spelling in thai.SPELLINGS:
            sql = f"regexp_replace({sql}, %s, %s, 'g')"
            params += [pattern, spelling]
        return sql, params


@CharField.register_lookup
@TextField.register_lookup
class Folded(Lookup):
    """`name__folded="เเผน"`: the text holds these words, however either is spelled."""

    lookup_name = "folded"

    def get_prep_lookup(self) -> str:
        return thai.search_key(str(self.rhs))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return compiler.compile(Contains(SearchKey(self.lhs), self.rhs))
