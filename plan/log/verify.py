"""Check the hash chains of plans: name every entry that is changed, missing, added or moved behind the site."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Model, Q

from assignments.models import User
from plan.log.chain import CHAINED, new_link, value_at
from plan.log.content import digest, write_content
from plan.models import LogLink, Plan, ProgressUpdate, RemovedUpdate
from plan.revision import WATCHED

AT_ONCE = 500  # rows of a query that looks up keys


class What(StrEnum):
    """What is wrong with an entry of a log."""

    CHANGED = "changed after it was recorded"
    MISSING = "missing"
    ADDED = "added without a link in the chain"
    MOVED = "its link was changed, moved, or added, or one before it is missing"


class Head(NamedTuple):
    """The end of a plan's chain: the number of its links, and the hash that covers them all."""

    plan: int
    name: str
    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.name}\t{self.number}\t{self.hash or '-'}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An entry that is not as it was recorded: its kind and key, what it is about, its author and its moment."""

    what: What
    kind: str
    entry: int
    ref: str
    who: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A checked chain."""

    head: Head
    findings: Sequence[Finding]


def _names() -> dict[int, str]:
    """Return key → slug of all plans, also of those that are removed."""
    names = dict(Plan.history.order_by("history_id").values_list("id", "slug"))
    return names | dict(Plan.objects.values_list("pk", "slug"))


def verify_chains(slug: str = "") -> Iterator[Verified]:
    """Check the chain of each plan, also of plans that are removed; of one plan with a slug.

    Every entry is read once; memory grows with the entries of one plan.
    """
    names = _names()
    plans = {*names, *LogLink.objects.values_list("plan", flat=True).distinct()}
    for plan in sorted(plans):
        if slug in ("", names.get(plan, "")):
            yield _verify(plan, names.get(plan, f"#{plan}"))


def _verify(plan: int, name: str) -> Verified:
    stored = {
        (model._meta.label, record.pk): digest(write_content(record))
        for model in CHAINED
        for record in model._base_manager.filter(**{WATCHED[model][0]: plan}).iterator()
    }
    findings: list[Finding] = []
    lost: list[LogLink] = []
    number, before = 0, ""
    for link in LogLink.objects.filter(plan=plan).order_by("number").select_related("by").iterator():
        if link.number != number + 1 or link.hash != link.compute_hash(before):
            findings.append(_finding(What.MOVED, link, str(link.by)))
        number, before = link.number, link.hash
        content = stored.pop((link.kind, link.entry), None)
        if content is None:
            lost.append(link)
        elif content != link.content:
            findings.append(_finding(What.CHANGED, link, str(link.by)))
    findings += [*_judge_lost(lost), *_judge_unlinked(stored)]
    return Verified(head=Head(plan, name, number, before), findings=findings)


def _judge_lost(links: Sequence[LogLink]) -> Iterator[Finding]:
    """Judge links whose entry is not in the plan: removed by undo with its content kept, moved elsewhere, or gone."""
    models = {model._meta.label: model for model in CHAINED}
    for start in range(0, len(links), AT_ONCE):
        part = links[start : start + AT_ONCE]
        updates = RemovedUpdate.objects.filter(update_id__in=_keys(part, ProgressUpdate))
        removed = dict(updates.values_list("update_id", "content"))
        elsewhere = {
            (label, pk)
            for label, model in models.items()
            for pk in model._base_manager.filter(pk__in=_keys(part, model)).values_list("pk", flat=True)
        }
        for link in part:
            kept = removed.get(link.entry) if link.kind == ProgressUpdate._meta.label else None
            if (link.kind, link.entry) in elsewhere or (kept is not None and digest(kept) != link.content):
                yield _finding(What.CHANGED, link, str(link.by))
            elif kept is None:
                yield _finding(What.MISSING, link, str(link.by))


def _judge_unlinked(stored: dict[tuple[str, int], str]) -> Iterator[Finding]:
    """Judge entries without a link in the plan's chain; one with a link in another chain is judged there."""
    models = {model._meta.label: model for model in CHAINED}
    keys = sorted(stored)
    for start in range(0, len(keys), AT_ONCE):
        for label, pk in keys[start : start + AT_ONCE]:
            if not LogLink.objects.filter(Q(kind=label, entry=pk)).exists():
                record = models[label]._base_manager.get(pk=pk)
                link = new_link(value_at(record, WATCHED[models[label]][0]), 0, record)
                yield _finding(What.ADDED, link, str(User.objects.filter(pk=link.by_id).first() or link.by_id))


def _keys(links: Sequence[LogLink], model: type[Model]) -> list[int]:
    return [link.entry for link in links if link.kind == model._meta.label]


def _finding(what: What, link: LogLink, who: str) -> Finding:
    return Finding(what=what, kind=link.kind, entry=link.entry, ref=link.ref, who=who, at=link.at)
