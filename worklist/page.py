"""The content of งานของฉัน (my work): its rows, sections and counters for a filter."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from assignments.access import Access
from assignments.models import Role
from criteria.models import Criterion
from plan.actions.requirements import read_requirements
from plan.as_of import AsOf, on_day
from plan.models import ActionItem, Due, Plan, Status
from plan.updates.views import UpdatePanel
from pmqa_tracker import clock
from submissions.grid import read_submission_grid
from worklist.queue import PageRow, Work, WorkRow, build_work, read_rows
from worklist.work_filter import WorkFilter, my_url, row_form_urls, unchanged_url, with_query


def as_of_now(plan: Plan) -> AsOf:
    """Return today as the day of the plan, with all updates until now."""
    return on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())


@dataclass(frozen=True, kw_only=True)
class MyWork:
    """The work of a user's units as a filter shows it.

    Attributes:
        as_of: today.
        work_filter: the filter, changed where it would hide the action to show.
        access: the user's access, as a member of the filter's unit only.
        rows: all rows of the units, in the plan's order.
        work: sections with the rows that match the filter, and counters of all rows.
    """

    as_of: AsOf
    work_filter: WorkFilter
    access: Access
    rows: list[PageRow]
    work: Work

    def row_of(self, action: ActionItem) -> PageRow:
        """Return the row of an action."""
        return next(row for row in self.rows if row.action == action)


def read_my_work(
    plan: Plan,
    access: Access,
    work_filter: WorkFilter,
    *,
    action: ActionItem | None = None,
    panel: UpdatePanel | None = None,
) -> MyWork:
    """Read the work of the user's units; the filter never hides `action`, whose form is `panel`."""
    as_of = as_of_now(plan)
    work_filter = work_filter.showing(action, access) if action else work_filter
    access = work_filter.narrow(access)
    found = read_rows(plan, access, as_of) if access.unit_ids else []
    for row in found:
        if row.action == action and work_filter.role not in row.parts:
            work_filter = replace(work_filter, role=next(iter(row.parts)))
    if work_filter.criterion not in {each.code for each in _criteria_of(found, work_filter.role)}:
        work_filter = replace(work_filter, criterion="")
    rows = [page_row(row, plan, access, work_filter, panel if row.action == action else None) for row in found]
    kept = [row for row in rows if row.action == action or work_filter.matches(row.action)]
    work = build_work(rows, work_filter.role, kept=kept)
    return MyWork(as_of=as_of, work_filter=work_filter, access=access, rows=rows, work=work)


def read_my_page(
    plan: Plan,
    access: Access,
    work_filter: WorkFilter,
    *,
    action: ActionItem | None = None,
    panel: UpdatePanel | None = None,
    folds: Collection[str] = (),
    refs: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the context of the page.

    Args:
        plan: the plan.
        access: the access of the user.
        work_filter: the filter of the URL.
        action: the row to open, or to show if it is in a fold.
        panel: the form of that row.
        folds: keys of the folds to open, see `Section`.
        refs: actions whose folds are to be opened.
    """
    shown = read_my_work(plan, access, work_filter, action=action, panel=panel)
    work, work_filter = shown.work.with_open_folds(folds, {*refs, *([action.ref] if action else [])}), shown.work_filter
    return {
        "as_of": shown.as_of,
        "work_filter": work_filter,
        "row_messages": {},
        "criteria": _criteria_of(shown.rows, work_filter.role),
        "statuses": Status.choices,
        "tabs": [
            (role == Role.LEAD, my_url(plan, replace(work_filter, role=role)), count, role == work.role)
            for role, count in work.tabs
        ],
        "whole_url": my_url(plan, work_filter.widest),
        "query_string": with_query("", work_filter.query),
        "unchanged_url": unchanged_url(plan, work_filter),
        "fold_url": my_url(plan, work_filter, show=""),
        "units": access.units,
        "grid": read_submission_grid(plan, shown.as_of, access.units) if access.units else None,
        "work": work,
        "can_confirm_any": any(row.unit_choices for row in shown.rows),
    }


def _criteria_of(rows: Iterable[WorkRow], role: str) -> list[Criterion]:
    """Return the criteria of the rows of a role, in the plan's order."""
    return list({row.action.criterion.pk: row.action.criterion for row in rows if role in row.parts}.values())


def page_row(row: WorkRow, plan: Plan, access: Access, work_filter: WorkFilter, panel: UpdatePanel | None) -> PageRow:
    """Return a row as the page shows it in the filter's role, with its form in `panel` if it is open."""
    action, is_lead = row.action, work_filter.role == Role.LEAD
    if panel:
        read_requirements([panel.action])
    has_all_updates = is_lead and row.has_all_updates
    parts = [part for part in action.assignments.all() if part.role == work_filter.role]
    collective = next((part.unit for part in parts if part.unit_id in access.represented_units), None)
    can_confirm = (
        is_lead
        and access.may_change_status(action)
        and not has_all_updates
        and row.section in (Due.OVERDUE, Due.NOW, Due.UNSCHEDULED)
    )
    waiting = [duty.unit for duty in row.duties if duty.update is None and can_confirm]
    return PageRow(
        **vars(row),
        collective=None if row.parts.get(work_filter.role, True) else collective,
        updated_on=max(duty.update.at for duty in row.duties) if has_all_updates else None,
        shown_duties=[duty for duty in row.duties if is_lead and (duty.update or row.is_at_work)],
        names_duties=has_all_updates or len(access.units) > 1 or row.parts.get(work_filter.role) is False,
        form_urls=row_form_urls(plan, action, work_filter),
        can_report=access.may_add_result(action),
        unit_choices=[(unit, f"{action.ref}|{action.version}|{uuid4().hex}@{unit.pk}") for unit in waiting],
        panel=panel,
    )
