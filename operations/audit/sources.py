"""Where the audit reads: the histories of records, the logs of plans, and the events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.text import capfirst

from assignments.models import Assignment, Organization, Unit
from audit.models import Event
from criteria.models import Assessment, Category, Criterion, Framework, Requirement, Verdict
from plan.models import (
    ActionItem,
    Evidence,
    EvidenceWithdrawal,
    Meeting,
    Period,
    Plan,
    PlanStep,
    ProgressUpdate,
    RemovedUpdate,
)
from submissions.models import SubmissionStep

SEPARATOR = Value(" · ", output_field=TextField())


@dataclass(frozen=True, kw_only=True)
class Source:
    """A table that the audit reads.

    Attributes:
        model: model of its rows.
        at, person: names of the fields with the moment and the person.
        about: paths to the texts that say what a row is about.
        record: the model whose history it is; None for a log.
    """

    model: type[Model]
    at: str
    person: str
    about: tuple[str, ...]
    record: type[Model] | None = None

    @property
    def name(self) -> str:
        """Name in the filter's URL, such as "plan.actionitem"."""
        return (self.record or self.model)._meta.label_lower

    @property
    def label(self) -> str:
        """Name for users."""
        return str(capfirst((self.record or self.model)._meta.verbose_name))

    @property
    def is_for_all(self) -> bool:
        """Whether its rows belong to no organization; only administrators see them."""
        return not hasattr(self.record or self.model, "ORGANIZATION")

    def visible_to(self, user: Any) -> QuerySet[Any]:
        """Return the rows that an administrator or a coordinator may see: of all organizations, or of their own."""
        rows = self.model._base_manager.all()
        if user.is_superuser:
            return rows
        if self.model is Event:
            rows = rows.exclude(kind__in=Event.OF_LOGINS)
        path = self.organization
        return rows.filter(**{path: user.organization_id}) if path and user.organization_id else rows.none()

    @property
    def organization(self) -> str:
        """Path to the organization of a row; "" if it has none."""
        path = getattr(self.record or self.model, "ORGANIZATION", "")
        return "id" if path == "pk" else path

    def about_expression(self) -> Any:
        """Return what a row is about as a text, joined from its paths."""
        texts = [Coalesce(Cast(F(path), TextField()), Value("", output_field=TextField())) for path in self.about]
        parts = [part for text in texts for part in (SEPARATOR, text)][1:]
        return Concat(*parts, output_field=TextField()) if len(parts) > 1 else parts[0]


def _history(record: Any, *about: str) -> Source:
    return Source(model=record.history.model, at="history_date", person="history_user", about=about, record=record)


def _log(model: type[Model], person: str, *about: str) -> Source:
    return Source(model=model, at="at", person=person, about=about)


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        _log(ProgressUpdate, "author", "action__plan__slug", "action__ref"),
        _log(Evidence, "added_by", "action__plan__slug", "action__ref"),
        _log(EvidenceWithdrawal, "by", "evidence__action__plan__slug", "evidence__action__ref"),
        _log(SubmissionStep, "by", "submission__period__plan__slug", "submission__unit__abbreviation"),
        _log(PlanStep, "by", "plan__slug"),
        _log(RemovedUpdate, "by", "plan__slug"),
        _history(ActionItem, "plan__slug", "ref"),
        _history(Assignment, "action__ref", "unit__abbreviation"),
        _history(Plan, "slug"),
        _history(Period, "plan__slug", "number"),
        _history(Meeting, "plan__slug", "name"),
        _history(Unit, "abbreviation"),
        _history(Organization, "short_name"),
        _history(Assessment, "name"),
        _history(Verdict, "requirement__criterion__code"),
        _history(Framework, "slug"),
        _history(Category, "number"),
        _history(Criterion, "code"),
        _history(Requirement, "criterion__code"),
        _log(Event, "person", "about"),
    )
}


def offered_sources(user: Any) -> Iterator[tuple[str, str]]:
    """Yield (name, label) of the sources that a user may see, and of each kind of event."""
    for name, source in SOURCES.items():
        if source.model is not Event and (user.is_superuser or not source.is_for_all):
            yield name, source.label
    for kind in Event.Kind:
        if user.is_superuser or kind not in Event.OF_LOGINS:
            yield kind.value, str(kind.label)
