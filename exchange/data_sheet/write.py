"""Write changes of actions in bulk, all or nothing, if nobody has changed the actions since they were read."""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Model

from assignments.models import Assignment
from exchange.data_sheet.changes import ActionChange, ChangeNote, records
from exchange.data_sheet.columns import FIELD_OF_COLUMN
from exchange.run import ChangedMeanwhileError
from plan.models import ActionItem, Plan, ProgressUpdate
from pmqa_tracker.transactions import mark_changed

STATUS_FIELDS = ("status", "progress", "version")  # of the action, that an update sets
Requirements = ActionItem.requirements.through


def write_changes(plan: Plan, changes: Sequence[ActionChange], note: ChangeNote) -> None:
    """Write changes of actions of one plan. The caller opens the transaction.

    Raises:
        ChangedMeanwhileError: another user has changed an action or its plan since it was read.
        IntegrityError: the database refuses a record, because another user was first.
    """
    links = lock_unchanged(plan, [change.before for change in changes if change.before])
    _write(changes, links, note)
    mark_changed(change.action for change in changes)


def lock_unchanged(plan: Plan, actions: Iterable[ActionItem]) -> dict[int, dict[int, int]]:
    """Lock actions in the order of their keys, and compare them with what was read, `with_details()`.

    SQLite locks all data as the transaction opens.

    Returns:
        Action pk → requirement pk → key of the link between them.

    Raises:
        ChangedMeanwhileError: one of them has changed, or their plan has another state.
    """
    before, state = {action.pk: action for action in actions}, plan.state
    versions = ActionItem.objects.filter(pk__in=before).order_by("pk").values_list("pk", "version")
    locked = dict(versions.select_for_update(no_key=True))
    plan.refresh_from_db(fields=["state"])
    parts = Assignment.objects.filter(action__in=before).values_list("action", "pk", "version")
    links: dict[int, dict[int, int]] = {pk: {} for pk in before}
    for key, action, requirement in Requirements.objects.filter(actionitem__in=before).values_list():
        links[action][requirement] = key
    is_same = (
        plan.state == state
        and locked == {pk: action.version for pk, action in before.items()}
        and {*parts} == _keys_of_parts(before)
        and all(links[pk].keys() == {each.pk for each in action.requirements.all()} for pk, action in before.items())
    )
    if not is_same:
        raise ChangedMeanwhileError(plan)
    return links


def _keys_of_parts(actions: Mapping[int, ActionItem]) -> set[tuple[int, int, int]]:
    """(Action pk, pk, version) of each assignment."""
    return {(pk, each.pk, each.version) for pk, action in actions.items() for each in action.assignments.all()}


def _write(changes: Sequence[ActionChange], links: dict[int, dict[int, int]], note: ChangeNote) -> None:
    """Write the records of the changes; `links` become those of the requirements that the actions have now."""
    new = [change for change in changes if change.before is None]
    edited = [change for change in changes if change.before and change.entry]
    _insert_actions(new)
    _overwrite((change.action for change in edited), (*FIELD_OF_COLUMN.values(), "search_text", *STATUS_FIELDS))
    _overwrite((change.action for change in changes if not change.entry), STATUS_FIELDS)
    _write_requirements([*new, *edited], links)
    _write_entries([*new, *edited], links)
    _write_assignments(changes, note)
    ProgressUpdate.objects.bulk_create(change.update for change in changes if change.update)


def _insert_actions(changes: Sequence[ActionChange]) -> None:
    """Insert new actions, and set their keys on the records that refer to them."""
    for change in changes:
        change.action.pk = None
    ActionItem.objects.bulk_create(change.action for change in changes)
    for change in changes:
        change.entry.id = change.action.pk
        for each in (*change.added, *filter(None, [change.update])):
            each.action = change.action


def _overwrite(changed: Iterable[Model], fields: Sequence[str]) -> None:
    """Write some fields of stored records, in few statements."""
    rows = list(changed)
    if rows:
        manager = type(rows[0])._base_manager
        manager.bulk_create(rows, update_conflicts=True, unique_fields=["pk"], update_fields=fields)


def _write_requirements(changes: Sequence[ActionChange], links: dict[int, dict[int, int]]) -> None:
    """Link the actions with their requirements."""
    wanted = {change.action.pk: {each.pk for each in change.action.requirements.all()} for change in changes}
    gone = [key for pk, pks in wanted.items() for each, key in links.get(pk, {}).items() if each not in pks]
    Requirements.objects.filter(pk__in=gone).delete()
    missing = [(pk, each) for pk, pks in wanted.items() for each in sorted(pks - links.get(pk, {}).keys())]
    added = Requirements.objects.bulk_create(
        Requirements(actionitem_id=pk, requirement_id=each) for pk, each in missing
    )
    for pk, pks in wanted.items():
        links[pk] = {each: key for each, key in links.get(pk, {}).items() if each in pks}
    for link in added:
        links[link.actionitem_id][link.requirement_id] = link.pk


def _write_entries(changes: Sequence[ActionChange], links: dict[int, dict[int, int]]) -> None:
    """Write the history of the actions, with the requirements of each entry."""
    entries = type(changes[0].entry).objects.bulk_create(change.entry for change in changes) if changes else []
    linked = ActionItem.history.model._meta.get_field("historicalactionitem_requirements").related_model
    linked.objects.bulk_create(
        linked(history=entry, id=key, actionitem_id=entry.id, requirement_id=requirement)
        for entry in entries
        for requirement, key in links[entry.id].items()
    )


def _write_assignments(changes: Sequence[ActionChange], note: ChangeNote) -> None:
    """Write the assignments with their history."""
    added, moved, removed = (records(changes, name) for name in ("added", "moved", "removed"))
    ended = Assignment.objects.filter(pk__in=[each.pk for each in removed])
    ended._raw_delete(ended.db)  # without signals, which write the history one by one
    Assignment.objects.bulk_create(added)
    _overwrite(moved, ("position", "version"))
    entries = [("+", added), ("~", moved), ("-", removed)]
    Assignment.history.bulk_create(note.entry(each, kind) for kind, parts in entries for each in parts)
