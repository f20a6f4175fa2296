"""The meeting pack as a Word file, for the coordinator to edit."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from docx.document import Document as WordFile

from criteria.models import Level
from plan.models import ActionItem, looks
from pmqa_tracker import thai
from pmqa_tracker.templatetags.page import percent, points
from reports.figures import Group
from reports.maturity import Cell, CellState, Row
from reports.meeting import Pack
from reports.sentences import status_then_and_now
from reports.templatetags.report_tags import signed
from reports.word import SMALL, add_table, add_text, new_document

FILLS = {
    CellState.PASSED: looks.GREEN.background,
    CellState.READY: looks.BLUE.background,
    CellState.FAILED: looks.RED.background,
    CellState.LOCKED: "F0ECE7",
    CellState.UNKNOWN: "",
}


def build_meeting_word(pack: Pack, *, notes: Sequence[str] = ()) -> WordFile:
    """The pack as a document: summary, figures, map, what is overdue, what changed; in the language that is active.

    `notes` under its title say what the address asked for and the pack does not show.
    """
    day = thai.format_date(pack.as_of.day)
    title = _("For the meeting: the improvement plan as of %(day)s") % {"day": day}
    document = new_document(title, day)
    document.add_heading(title, level=0)
    add_text(document.add_paragraph(), pack.plan.title)
    for note in notes:
        add_text(document.add_paragraph(), note, size=SMALL)
    document.add_heading(_("Summary"), level=1)
    for sentence in pack.sentences:
        add_text(document.add_paragraph(style="List Bullet"), sentence)
    document.add_heading(_("Overview"), level=1)
    _add_compared(document, pack)
    _add_groups(document, _("By category"), _("Category"), pack.overview.categories)
    _add_groups(document, _("By unit, as lead"), _("Unit"), pack.overview.leads)
    _add_map(document, pack)
    _add_overdue(document, pack)
    _add_changes(document, pack)
    return document


def _add_compared(document: WordFile, pack: Pack) -> None:
    overview = pack.overview
    rows = [[row.label, str(row.then.count), str(row.now.count), signed(row.difference)] for row in overview.compared]
    for label, then, now in (
        (_("Mean progress"), overview.then.progress, overview.whole.progress),
        (_("Expected"), overview.then.expected, overview.whole.expected),
    ):
        difference = None if then is None or now is None else now - then
        rows.append([label, percent(then), percent(now), signed(difference)])
    header = [_("Figure"), thai.format_date(pack.since.day), thai.format_date(pack.as_of.day), _("Difference")]
    add_table(document, header, rows, (7.1, 3.3, 3.3, 3.3), numbers=(1, 2, 3))


def _add_groups(document: WordFile, heading: str, subject: str, groups: list[Group]) -> None:
    groups = [group for group in groups if group.total.count]
    if not groups:
        return
    document.add_heading(heading, level=2)
    statuses = [label for _kind, _figure, label in groups[0].statuses]
    header = [subject, _("in all"), *map(str, statuses), _("overdue"), _("Progress")]
    rows = [
        [
            str(group.subject),
            str(group.total.count),
            *(str(figure.count) for _kind, figure, _label in group.statuses),
            str(group.overdue.count),
            percent(group.progress),
        ]
        for group in groups
    ]
    add_table(document, header, rows, (3.3, 1.6, 1.8, 1.8, 1.6, 1.8, 1.6, 1.5, 2), numbers=range(1, 9))


def _add_map(document: WordFile, pack: Pack) -> None:
    if pack.map.now.total is None:
        return
    document.add_heading(_("Maturity map"), level=1)
    rows, fills = [], []
    for part in pack.map.parts:
        rows.append([str(part.category), "", "", "", points(part.now)])
        fills.append(["F3F2FA"] * 5)
        for row in part.rows:
            rows.append(_map_row(row))
            fills.append(["", *(FILLS[cell.state] for cell in row.cells or [Cell(level) for level in Level]), ""])
    rows.append([_("Total"), "", "", "", points(pack.map.now.total)])
    fills.append(["E6E5F4"] * 5)
    header = [_("Criterion"), *(level.short for level in Level), _("Points")]
    add_table(document, header, rows, (6.2, 3, 3, 3.1, 1.7), numbers=(4,), fills=fills)
    if not pack.map.assessment.are_points_confirmed:
        text = _("These points are still to be confirmed by the coordinator against the standard.")
        add_text(document.add_paragraph(), text, size=SMALL)


def _map_row(row: Row) -> list[str]:
    cells = [""] * len(Level) if row.is_parent else [_cell_text(cell) for cell in row.cells]
    return [str(row.criterion), *cells, points(row.points)]


def _cell_text(cell: Cell) -> str:
    """The state in a word, and how many of its actions are done."""
    word = {
        CellState.PASSED: _("passed"),
        CellState.READY: _("ready"),
        CellState.FAILED: _("failed"),
        CellState.LOCKED: _("locked"),
        CellState.UNKNOWN: "–",
    }[cell.state]
    return f"{word} {cell.done}/{cell.total}" if cell.total else word


def _add_overdue(document: WordFile, pack: Pack) -> None:
    document.add_heading(_("Overdue"), level=1)
    if not pack.overdue:
        add_text(document.add_paragraph(), _("Nothing is overdue."))
        return
    header = [_("Ref"), _("What is to be done"), _("Lead"), _("Days late"), _("Progress"), _("Problem")]
    rows = [
        [
            action.ref,
            action.text,
            _leads(action),
            str(action.days_late),
            percent(action.progress_on),
            action.problem_on or "–",
        ]
        for action in pack.overdue
    ]
    add_table(document, header, rows, (2.2, 6, 2.1, 1.4, 2.1, 3.2), numbers=(3, 4))


def _add_changes(document: WordFile, pack: Pack) -> None:
    day = thai.format_date(pack.since.day)
    document.add_heading(_("What changed since %(day)s") % {"day": day}, level=1)
    if pack.since_name:
        add_text(document.add_paragraph(), pack.since_name)
    header = [_("Ref"), _("What is to be done"), _("Lead"), _("Status"), _("Progress")]
    for change, actions in pack.changed:
        document.add_heading(f"{change.label} ({len(actions)})", level=2)
        if not actions:
            add_text(document.add_paragraph(), _("None."))
            continue
        rows = [
            [
                action.ref,
                action.text,
                _leads(action),
                status_then_and_now(action.status_then, action.status_on),
                f"{percent(action.progress_then)} → {percent(action.progress_on)}",
            ]
            for action in actions
        ]
        add_table(document, header, rows, (2.2, 6.8, 2.1, 3.4, 2.5))
    count = sum(len(actions) for _unit, actions in pack.silent)
    document.add_heading(_("Should be moving, nothing told since (%(count)s)") % {"count": count}, level=2)
    if not count:
        add_text(document.add_paragraph(), _("None."))
        return
    rows = [[unit, str(len(actions)), ", ".join(each.ref for each in actions)] for unit, actions in pack.silent]
    add_table(document, [_("Lead"), _("in all"), _("Refs")], rows, (3, 2, 12), numbers=(1,))


def _leads(action: ActionItem) -> str:
    return " ".join(assignment.unit.abbreviation for assignment in action.lead) or "–"
