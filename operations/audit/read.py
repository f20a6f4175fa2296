"""Read the audit: one union of all sources in SQL, and what changed for the rows of one page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from assignments.models import User
from audit.models import Event
from operations.audit.changes import Change, Description, describe_rows
from operations.audit.sources import SOURCES, Source
from pmqa_tracker import thai
from pmqa_tracker.database_text import Folded

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """What to show; an empty value does not narrow it. `kind` is the name of a source or an Event.Kind."""

    person: str = ""
    kind: str = ""
    about: str = ""
    since: date | None = None
    until: date | None = None


class Place(NamedTuple):
    """A row of the union: the number of its source, its key, and what all sources have in common."""

    at: datetime
    source: int
    key: int
    person: int | None
    about: str
    address: str


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """A row of the audit: who did what, when and from where, with the values before and after."""

    at: datetime
    who: str
    kind: str
    about: str
    address: str
    what: str = ""
    changes: Sequence[Change] = field(default_factory=tuple)


def read_audit(user: Any, chosen: AuditFilter, start: int, stop: int) -> list[AuditRow]:
    """Return the rows from `start` to `stop`, newest first, that an administrator or coordinator may see.

    The number of queries depends on the sources that occur, not on the rows.
    """
    places = [Place(*row) for row in _union(user, chosen)[start:stop]]
    people = User.objects.in_bulk({place.person for place in places} - {None})
    sources = list(SOURCES.values())
    keys = defaultdict(list)
    for place in places:
        keys[place.source].append(place.key)
    described = {number: describe_rows(sources[number], found) for number, found in keys.items()}
    return [_row(place, people.get(place.person), described[place.source][place.key], user) for place in places]


def _row(place: Place, person: User | None, found: Description, user: Any) -> AuditRow:
    """Return a row; the user of an organization reads nothing that tells who somebody in another one is."""
    who, address, what = str(person or _("unknown, or the system")), place.address, found.what
    if person and not (user.is_superuser or person.organization_id in (None, user.organization_id)):
        who, address, what = _("Somebody in another organization"), "", ""
    return AuditRow(
        at=place.at, who=who, kind=found.kind, about=place.about, address=address, what=what, changes=found.changes
    )


def _union(user: Any, chosen: AuditFilter) -> QuerySet[Any]:
    """Return one query over all sources, newest first."""
    people = _people_named(chosen.person, user) if chosen.person else None
    parts = [
        _part(number, source, user, chosen, people)
        for number, source in enumerate(SOURCES.values())
        if _is_chosen(source, chosen.kind)
    ]
    whole = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return whole.order_by("-audit_at", "-audit_source", "-audit_key")


def _is_chosen(source: Source, kind: str) -> bool:
    return kind in ("", source.name) or (source.model is Event and kind in Event.Kind.values)


def _part(number: int, source: Source, user: Any, chosen: AuditFilter, people: Any) -> QuerySet[Any]:
    rows = source.visible_to(user).order_by()
    if chosen.kind in Event.Kind.values:
        rows = rows.filter(kind=chosen.kind)
    if people is not None:
        rows = rows.filter(**{f"{source.person}__in": people})
    if chosen.since:
        rows = rows.filter(**{f"{source.at}__gte": thai.start_of(chosen.since)})
    if chosen.until:
        rows = rows.filter(**{f"{source.at}__lt": thai.end_of(chosen.until)})
    rows = rows.annotate(audit_about=source.about_expression())
    if chosen.about:
        rows = rows.filter(**{f"audit_about__{Folded.lookup_name}": chosen.about})
    # No field of a model has these names.
    rows = rows.annotate(
        audit_at=F(source.at), audit_source=Value(number), audit_key=F("pk"), audit_person=F(f"{source.person}_id"),
        audit_address=Cast(F("address"), TextField()),
    )  # fmt: skip
    return rows.values_list(*(f"audit_{name}" for name in Place._fields))


def _people_named(text: str, user: Any) -> QuerySet[Any]:
    """Return the keys of people whose names contain a text; of those whose names the user reads."""
    names = ("first_name", "last_name", "username")
    one = Q()
    for word in text.split():
        one &= Q(*((f"{name}__{Folded.lookup_name}", word) for name in names), _connector=Q.OR)
    people = User.objects.filter(one)
    if not user.is_superuser:
        people = people.filter(Q(organization=None) | Q(organization=user.organization_id))
    return people.values("pk")
