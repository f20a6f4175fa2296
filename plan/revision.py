"""The revision of a plan: a number that rises in every transaction that can change one of its pages or figures.

`watch` names the models that the pages of a plan read, and the plans that show a record. A save, a deletion and a
change of a many-to-many relation raise the revision of these plans, once for each transaction and right before it
commits. `QuerySet.update` and `bulk_create` send no signals: call `pmqa_tracker.transactions.mark_changed` with their
records, unless the same transaction also saves one that the same plans show.

`Plan.figures_revision` is the revision at which a record last changed that the summary of the plan is counted from
(`plan.models.PlanSummary`). Texts of the standard, people and evidence change often and are not counted.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import reduce
from operator import attrgetter, or_
from typing import Any, NamedTuple

from django.contrib.auth.models import Group
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
NAMES = ("first_name", "last_name", "username")  # pages of a plan name the people who have written in it
NOT_SHOWN = {"last_login", "password", "login_key"}  # fields of watched models that no page of a plan shows


class Watched(NamedTuple):
    """How a model changes plans: see `watch`."""

    path: str
    lookups: tuple[str, ...]
    is_counted: bool


WATCHED: dict[type[Model], Watched] = {}


def raise_revision(plans: Collection[int], counted: Collection[int] = ()) -> None:
    """Raise the revision of some plans by one, and that of the figures of those in `counted`; both are keys.

    PostgreSQL locks them until the transaction commits: several plans always in the order of their keys.
    """
    chosen = Plan.objects.filter(pk__in=plans)
    raised = F("revision") + 1
    with transaction.atomic(savepoint=False):
        if len(plans) > 1:
            list(chosen.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        if others := set(plans) - set(counted):
            Plan.objects.filter(pk__in=others).update(revision=raised)
        if counted:
            Plan.objects.filter(pk__in=counted).update(revision=raised, figures_revision=raised)


def watch(model: type[Model], path: str, *lookups: str, is_counted: bool = True) -> None:
    """Raise the revision of plans with every change of a model.

    Args:
        model: records that a page of a plan shows, or that a figure depends on.
        path: path from a record to a value, as in a query.
        lookups: lookups from a plan; those with the value show the record. All plans do if the value is None, unless
            it is the key of a plan.
        is_counted: the summary of the plan is counted from it.
    """
    WATCHED[model] = Watched(path, lookups, is_counted)
    for signal, method in ((pre_save, _before_save), (post_save, _after_save), (pre_delete, _before_delete)):
        signal.connect(method, sender=model, dispatch_uid=f"revision {model._meta.label}")
    for field in model._meta.local_many_to_many:
        uid = f"revision {model._meta.label} {field.name}"
        m2m_changed.connect(_after_m2m, sender=field.remote_field.through, dispatch_uid=uid)


def _mark_record(record: Model) -> None:
    watched = WATCHED[record._meta.model]  # `request.user` has another type
    is_everywhere = getattr(record, "has_new_name", False)  # also in plans of other organizations
    _mark(None if is_everywhere else attrgetter(watched.path.replace("__", "."))(record), watched)


def _mark(value: Any, watched: Watched) -> None:
    for lookup in watched.lookups:
        before_commit(_raise_marked, (lookup, value, watched.is_counted))


def _raise_marked(marked: set[tuple[str, Any, bool]]) -> None:
    """Raise the revision of the plans that have one of these (lookup, value), and of the figures of those counted."""
    shown = {(lookup, value) for lookup, value, _is_counted in marked}
    counted = {(lookup, value) for lookup, value, is_counted in marked if is_counted}
    plans = _plans_with(shown)
    raise_revision(plans, plans if counted == shown else _plans_with(counted))


def _plans_with(pairs: Collection[tuple[str, Any]]) -> set[int]:
    """Return the keys of the plans that have one of these (lookup, value)."""
    values = defaultdict(set)
    for lookup, value in pairs:
        values[lookup].add(value)
    plans = values.pop(PLAN, set()) - {None}
    if values:
        is_every = any(None in each for each in values.values())
        shown = Q() if is_every else reduce(or_, (Q(**{f"{lookup}__in": values[lookup]}) for lookup in values))
        plans |= set(Plan.objects.filter(shown).values_list("pk", flat=True))
    return plans


def _before_save(sender: type[Model], instance: Model, update_fields: Any = None, **kwargs: Any) -> None:
    """Mark the plans that have shown the record so far: it may move to another plan."""
    watched = WATCHED[sender]
    if watched.path != "pk" and not instance._state.adding and _is_shown(update_fields):
        for value in sender._base_manager.filter(pk=instance.pk).values_list(watched.path, flat=True):
            _mark(value, watched)


def _after_save(instance: Model, update_fields: Any = None, **kwargs: Any) -> None:
    if _is_shown(update_fields):
        _mark_record(instance)


@receiver(pre_save, sender=User)
def _before_rename(sender: type[User], instance: Any, update_fields: Any = None, **kwargs: Any) -> None:
    """Note on the record whether the person gets another name, for `_mark_record`; `bulk_update` notes it itself."""
    instance.has_new_name = False
    if not instance._state.adding and _is_shown(update_fields):
        names = sender._base_manager.filter(pk=instance.pk).values_list(*NAMES).first()
        instance.has_new_name = names not in (None, attrgetter(*NAMES)(instance))


def _before_delete(instance: Model, **kwargs: Any) -> None:
    _mark_record(instance)


@receiver(pre_delete, sender=Group)
def _before_role_is_removed(**kwargs: Any) -> None:
    """Mark all plans: people lose a role, and Django sends no signal for it."""
    _mark(None, Watched("pk", (ORGANIZATION,), is_counted=False))


def _after_m2m(instance: Model, action: str, reverse: bool, **kwargs: Any) -> None:
    if not action.startswith("post_"):
        return
    if reverse:  # `instance` is what the watched records are related to, in any plan
        _mark(None, Watched("pk", (ORGANIZATION,), is_counted=True))
    else:
        _mark_record(instance)


@receiver(records_changed)
def _after_bulk(records: Iterable[Model], **kwargs: Any) -> None:
    for record in records:
        _mark_record(record)


def _is_shown(update_fields: Any) -> bool:
    return update_fields is None or not set(update_fields) <= NOT_SHOWN


watch(Plan, "organization_id", ORGANIZATION)  # every page lists the plans of its organization
watch(PlanStep, "plan_id", PLAN, is_counted=False)
watch(Period, "plan_id", PLAN)
watch(Meeting, "plan_id", PLAN, is_counted=False)
watch(ActionItem, "plan_id", PLAN)
watch(Assignment, "action__plan_id", PLAN)
watch(ProgressUpdate, "action__plan_id", PLAN)
watch(RemovedUpdate, "plan_id", PLAN)
watch(Evidence, "action__plan_id", PLAN, is_counted=False)
watch(EvidenceWithdrawal, "evidence__action__plan_id", PLAN, is_counted=False)
watch(Assessment, "pk", ASSESSMENT, is_counted=False)
watch(Verdict, "assessment_id", ASSESSMENT, is_counted=False)
watch(Framework, "pk", FRAMEWORK, SUCCESSOR, is_counted=False)
watch(Category, "framework_id", FRAMEWORK, SUCCESSOR, is_counted=False)
watch(Criterion, "framework_id", FRAMEWORK, SUCCESSOR, is_counted=False)
watch(Requirement, "criterion__framework_id", FRAMEWORK, SUCCESSOR, is_counted=False)
# An organization that moves takes those below it along: other users see their plans.
watch(Organization, "pk", ORGANIZATION, f"{ORGANIZATION}__parent", f"{ORGANIZATION}__parent__parent")
watch(Unit, "organization_id", ORGANIZATION)
# A user without an organization may write in all plans. A new name raises all plans.
watch(User, "organization_id", ORGANIZATION, is_counted=False)
watch(Membership, "unit_id", f"{ORGANIZATION}__units", is_counted=False)
