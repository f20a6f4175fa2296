"""Rows of several plans, written together, so that the number of statements grows only with the number of batches."""

from collections import Counter
from datetime import datetime

from django.db.models import Model

from assignments.models import Assignment
from criteria.models import Assessment, Verdict
from demo.world.insert import insert
from demo.world.options import start_of
from plan.log.chain import CHAINED, links_of
from plan.models import ActionItem, Evidence, EvidenceWithdrawal, LogLink, Meeting, Period, Plan, ProgressUpdate, Status
from pmqa_tracker.transactions import mark_changed
from submissions.models import Submission, SubmissionLine, SubmissionStep

ActionRequirement = ActionItem.requirements.through
# Each model after the models that it has relations to.
ORDER = (
    Assessment, Verdict, Plan, Period, Meeting, ActionItem, ActionRequirement, Assignment, ProgressUpdate, Evidence,
    EvidenceWithdrawal, Submission, SubmissionStep, SubmissionLine,
)  # fmt: skip
ROWS_PER_STATEMENT = 1000  # SQLite takes fewer
AS_ADDED = {"version": 1, "status": Status.NOT_STARTED, "progress": 0}  # an action before its first update


def update(model: type[Model], records: list[Model], field: str) -> None:
    """Save one field of records in a few statements."""
    model._base_manager.bulk_update(records, [field], batch_size=ROWS_PER_STATEMENT)


class Batch:
    """Unsaved rows of some plans; their relations are instances, which get their keys when they are saved."""

    def __init__(self) -> None:
        self.rows: dict[type[Model], list[Model]] = {model: [] for model in ORDER}
        self.successions: list[tuple[Plan, Plan]] = []  # (plan, the plan before it)

    def add(self, *records: Model) -> None:
        """Add rows of any of the models in `ORDER`."""
        for record in records:
            self.rows[type(record)].append(record)

    def save(self, at: datetime) -> Counter[str]:
        """Insert the rows and the first entries of histories; return the number of rows by name of the model.

        Only plans and actions get an entry: the data sheet tells from it which cells of an action somebody edited
        later. The site describes the first edit of any other record without it. The entry has the first day of the
        plan, or `at` if that is earlier.
        """
        for model, records in self.rows.items():
            insert(model, records)
        insert(LogLink, links_of([record for model in CHAINED for record in self.rows.get(model, ())]))
        mark_changed(self.rows[Plan])
        for plan, previous in self.successions:
            plan.previous = previous
        update(Plan, [plan for plan, _previous in self.successions], "previous")
        self._insert_history(Plan, at)
        entries = {entry.id: entry for entry in self._insert_history(ActionItem, at, **AS_ADDED)}
        link = ActionItem.history.model.requirements.model
        insert(
            link,
            [
                link(
                    id=row.pk,
                    history=entries[row.actionitem_id],
                    actionitem_id=row.actionitem_id,
                    requirement=row.requirement,
                )
                for row in self.rows[ActionRequirement]
            ],
        )
        return Counter({model.__name__: len(self.rows[model]) for model in ORDER if not model._meta.auto_created})

    def _insert_history(self, model: type[Model], at: datetime, **as_added: object) -> list[Model]:
        entry = model.history.model
        names = [field.attname for field in entry.tracked_fields]
        return insert(
            entry,
            [
                entry(
                    **{name: getattr(record, name) for name in names} | as_added,
                    history_type="+",
                    history_date=min(at, start_of(getattr(record, "plan", record).starts_on)),
                )
                for record in self.rows[model]
            ],
        )
