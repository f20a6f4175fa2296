"""Add the entries of a plan's log to its hash chain, right before their transaction commits.

By then `plan.revision` has locked the plan, so nobody else adds to its chain at the same moment. An entry costs two
statements: reading the last link, and writing the new ones.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Model, OuterRef, Subquery

from plan.log.content import digest, write_content
from plan.models import Evidence, EvidenceWithdrawal, LogLink, PlanStep, ProgressUpdate, RemovedUpdate
from plan.revision import WATCHED
from pmqa_tracker.append_only import records_added
from pmqa_tracker.transactions import before_commit, mark_changed


class Kind(NamedTuple):
    """How a link names an entry: paths to its author and moment, and what it is about."""

    author: str
    moment: str
    ref: Callable[[Any], str]


CHAINED: dict[type[Model], Kind] = {}  # in the order in which a transaction writes them


def chain(model: type[Model], *, author: str, ref: Callable[[Any], str], moment: str = "at") -> None:
    """Keep the rows of an append-only model in the chain of their plan; `plan.revision` must watch the model.

    Args:
        model: the entries.
        author: path from an entry to the key of its author, as in "by_id".
        ref: returns what an entry is about, for people; without a query.
        moment: path from an entry to its moment.
    """
    CHAINED[model] = Kind(author, moment, ref)
    records_added.connect(_after_adding, sender=model, dispatch_uid=f"chain {model._meta.label}")


def _after_adding(records: list[Model], **kwargs: Any) -> None:
    mark_changed(records)  # the revision is raised first, which locks the plan
    for record in records:
        before_commit(_append, record)


def _append(records: set[Model]) -> None:
    """Add links for new entries to the end of the chains of their plans."""
    LogLink.objects.bulk_create(links_of(records))


def links_of(records: Iterable[Model]) -> list[LogLink]:
    """Return unsaved links for new entries, which follow the last links of their plans."""
    ranks = {model: rank for rank, model in enumerate(CHAINED)}
    by_plan = defaultdict(list)
    for record in sorted(records, key=lambda each: (ranks[type(each)], each.pk)):
        by_plan[value_at(record, WATCHED[type(record)][0])].append(record)
    newest = LogLink.objects.filter(plan=OuterRef("plan")).order_by("-number").values("number")[:1]
    ends = LogLink.objects.filter(plan__in=by_plan, number=Subquery(newest))
    last = {plan: (number, end) for plan, number, end in ends.values_list("plan", "number", "hash")}
    links = []
    for plan, added in sorted(by_plan.items()):
        length, before = last.get(plan, (0, ""))
        for number, record in enumerate(added, start=length + 1):
            link = new_link(plan, number, record)
            before = link.hash = link.compute_hash(before)
            links.append(link)
    return links


def new_link(plan: int, number: int, record: Model) -> LogLink:
    """Return an unsaved link of an entry, without its hash; `plan` is a key."""
    kind = CHAINED[type(record)]
    return LogLink(
        plan_id=plan,
        number=number,
        kind=record._meta.label,
        entry=record.pk,
        ref=kind.ref(record)[:200],
        by_id=value_at(record, kind.author),
        at=LogLink._meta.get_field("at").to_python(value_at(record, kind.moment)),
        content=digest(write_content(record)),
    )


def value_at(record: Model, path: str) -> Any:
    """Return the value at a path of relations, such as "action__plan_id"."""
    return attrgetter(path.replace("__", "."))(record)


chain(ProgressUpdate, author="author_id", ref=lambda update: f"{update.action.ref} v{update.version}")
chain(Evidence, author="added_by_id", ref=lambda evidence: evidence.action.ref)
chain(EvidenceWithdrawal, author="by_id", ref=lambda withdrawal: withdrawal.evidence.action.ref)
chain(RemovedUpdate, author="by_id", ref=lambda removed: f"{removed.update_id}")
chain(PlanStep, author="by_id", ref=lambda step: f"{step.state_from} → {step.state_to}")
