"""The revision of a plan: a number that rises in every transaction that can change one of its pages or figures.

`watch` names the models that the pages of a plan read, and the plans that show a record. A save, a deletion and a
change of a many-to-many relation raise the revision of these plans, once for each transaction and right before it
commits. `QuerySet.update` and `bulk_create` send no signals: call `pmqa_tracker.transactions.mark_changed` with their
records, unless the same transaction also saves one that the same plans show.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import reduce
from operator import attrgetter, or_
from typing import Any

from django.db import transaction
from django.db.models import F, Model, Q
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save
from django.dispatch import receiver

from assignments.models import Assignment, Membership, Organization, Unit, User
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
from pmqa_tracker.transactions import before_commit, records_changed

# Lookups from a plan to what its pages show: its own records, its assessment, its organization, its edition of the
# standard, and the edition before, whose criteria are named as predecessors.
PLAN, ASSESSMENT, ORGANIZATION, FRAMEWORK = "pk", "assessment", "organization", "assessment__framework"
SUCCESSOR = "assessment__framework__categories__criteria__predecessors__framework"
NOT_SHOWN = {"last_login", "password", "login_key"}  # fields of watched models that no page of a plan shows

# Model → path from a record to a value, and the lookups by which plans with this value show the record.
WATCHED: dict[type[Model], tuple[str, tuple[str, ...]]] = {}


def raise_revision(plans: Collection[int]) -> None:
    """Raise the revision of some plans by one; `plans` are their keys.

    PostgreSQL locks them until the transaction commits: several plans always in the order of their keys.
    """
    chosen = Plan.objects.filter(pk__in=plans)
    with transaction.atomic(savepoint=False):
        if len(plans) > 1:
            list(chosen.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        chosen.update(revision=F("revision") + 1)


def watch(model: type[Model], path: str, *lookups: str) -> None:
    """Raise the revision of plans with every change of a model.

    Args:
        model: records that a page of a plan shows, or that a figure depends on.
        path: path from a record to a value, as in a query.
        lookups: lookups from a plan; those with the value show the record. All plans do if the value is None, unless
            it is the key of a plan.
    """
    WATCHED[model] = path, lookups
    for signal, method in ((pre_save, _before_save), (post_save, _after_save), (pre_delete, _before_delete)):
        signal.connect(method, sender=model, dispatch_uid=f"revision {model._meta.label}")
    for field in model._meta.local_many_to_many:
        uid = f"revision {model._meta.label} {field.name}"
        m2m_changed.connect(_after_m2m, sender=field.remote_field.through, dispatch_uid=uid)


def _mark_record(record: Model) -> None:
    path, lookups = WATCHED[record._meta.model]  # `request.user` has another type
    _mark(attrgetter(path.replace("__", "."))(record), lookups)


def _mark(value: Any, lookups: tuple[str, ...]) -> None:
    for lookup in lookups:
        before_commit(_raise_marked, (lookup, value))


def _raise_marked(marked: set[tuple[str, Any]]) -> None:
    """Raise the revision of the plans that have one of these (lookup, value)."""
    values = defaultdict(set)
    for lookup, value in marked:
        values[lookup].add(value)
    plans = values.pop(PLAN, set()) - {None}
    if values:
        is_every = any(None in each for each in values.values())
        shown = Q() if is_every else reduce(or_, (Q(**{f"{lookup}__in": values[lookup]}) for lookup in values))
        plans |= set(Plan.objects.filter(shown).values_list("pk", flat=True))
    raise_revision(plans)


def _before_save(sender: type[Model], instance: Model, update_fields: Any = None, **kwargs: Any) -> None:
    """Mark the plans that have shown the record so far: it may move to another plan."""
    path, lookups = WATCHED[sender]
    if path != "pk" and not instance._state.adding and _is_shown(update_fields):
        for value in sender._base_manager.filter(pk=instance.pk).values_list(path, flat=True):
            _mark(value, lookups)


def _after_save(instance: Model, update_fields: Any = None, **kwargs: Any) -> None:
    if _is_shown(update_fields):
        _mark_record(instance)


def _before_delete(instance: Model, **kwargs: Any) -> None:
    _mark_record(instance)


def _after_m2m(instance: Model, action: str, reverse: bool, **kwargs: Any) -> None:
    if not action.startswith("post_"):
        return
    if reverse:  # `instance` is what the watched records are related to, in any plan
        _mark(None, (ORGANIZATION,))
    else:
        _mark_record(instance)


@receiver(records_changed)
def _after_bulk(records: Iterable[Model], **kwargs: Any) -> None:
    for record in records:
        _mark_record(record)


def _is_shown(update_fields: Any) -> bool:
    return update_fields is None or not set(update_fields) <= NOT_SHOWN


watch(Plan, "organization_id", ORGANIZATION)  # every page lists the plans of its organization
watch(PlanStep, "plan_id", PLAN)
watch(Period, "plan_id", PLAN)
watch(Meeting, "plan_id", PLAN)
watch(ActionItem, "plan_id", PLAN)
watch(Assignment, "action__plan_id", PLAN)
watch(ProgressUpdate, "action__plan_id", PLAN)
watch(RemovedUpdate, "plan_id", PLAN)
watch(Evidence, "action__plan_id", PLAN)
watch(EvidenceWithdrawal, "evidence__action__plan_id", PLAN)
watch(Assessment, "pk", ASSESSMENT)
watch(Verdict, "assessment_id", ASSESSMENT)
watch(Framework, "pk", FRAMEWORK, SUCCESSOR)
watch(Category, "framework_id", FRAMEWORK, SUCCESSOR)
watch(Criterion, "framework_id", FRAMEWORK, SUCCESSOR)
watch(Requirement, "criterion__framework_id", FRAMEWORK, SUCCESSOR)
watch(Organization, "pk", ORGANIZATION)
watch(Unit, "organization_id", ORGANIZATION)
watch(User, "organization_id", ORGANIZATION)  # pages name authors; one without an organization may write in all plans
watch(Membership, "unit_id", f"{ORGANIZATION}__units")
