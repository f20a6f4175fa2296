"""The meeting pack as a Word file, made from a template that a coordinator edits in Word (docs/meeting-template.md)."""

import logging
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from docx.document import Document as WordFile
from docx.oxml.ns import qn
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree
from markupsafe import Markup, escape

from criteria.models import Level
from plan.models import ActionItem, looks
from plan.titles import title_of
from pmqa_tracker import thai
from pmqa_tracker.templatetags.page import percent, points
from reports.figures.groups import Group
from reports.figures.maturity import MapCell, MapCellState, MaturityMap
from reports.meeting.pack import MeetingPack
from reports.sentences import status_then_and_now
from reports.templatetags.report_tags import signed
from spreadsheets.text import clean_text

logger = logging.getLogger(__name__)
FILLS = {
    MapCellState.PASSED: looks.GREEN.background,
    MapCellState.READY: looks.BLUE.background,
    MapCellState.FAILED: looks.RED.background,
    MapCellState.LOCKED: "F0ECE7",
    MapCellState.UNKNOWN: "auto",
}
# Text directly inside these elements is the output of a tag in the wrong place; Word refuses such a file.
MISPLACED_TEXT = " | ".join(f"//w:{name}/text()[normalize-space()]" for name in ("body", "tbl", "tr", "tc", "p", "r"))


class BrokenTemplateError(ValidationError):
    """The Word template cannot be read or filled in; `messages` says why, in the language active when it is read."""


class MisplacedTagError(Exception):
    """A tag of the template left something that Word cannot open."""


def build_meeting_word(pack: MeetingPack, template: Path, *, notes: Sequence[str] = ()) -> WordFile:
    """The pack as a Word document, in the active language.

    Args:
        pack: data of the pack.
        template: a .docx file with the tags that docs/meeting-template.md lists.
        notes: lines below the title on what the request asked for and the pack does not show.

    Raises:
        BrokenTemplateError: the file is missing, is no .docx, or a tag in it is wrong.
    """
    word = _open(template)
    try:
        word.render(_context(pack, notes), _environment())
    except Exception as error:  # a template can fail in any way; all of them are mistakes in the file
        logger.warning("The meeting template %s cannot be filled in", template, exc_info=True)
        raise _explain(error, template) from error
    title = _("For the meeting: the improvement plan as of %(day)s") % {"day": thai.format_date(pack.as_of.day)}
    word.docx.core_properties.title = title
    return word.docx


def _open(path: Path) -> "_Template":
    try:
        word = _Template(BytesIO(path.read_bytes()))
    except OSError as error:
        logger.warning("The meeting template %s cannot be read: %s", path, error)
        message = gettext_lazy("The template “%(name)s” is missing or cannot be read.")
        raise BrokenTemplateError(message, params={"name": path.name}) from error
    try:
        word.init_docx()
    except Exception as error:  # the libraries raise many kinds of errors for a file of another kind
        logger.warning("The meeting template %s is not a Word file", path, exc_info=True)
        message = gettext_lazy("The template “%(name)s” is not a Word document (.docx).")
        raise BrokenTemplateError(message, params={"name": path.name}) from error
    return word


class _Template(DocxTemplate):
    """A template that rejects output Word cannot open; docxtpl itself repairs broken XML silently and loses text."""

    def fix_tables(self, xml: str) -> etree._Element:
        try:
            etree.fromstring(xml)
        except etree.XMLSyntaxError as error:
            raise MisplacedTagError(str(error)) from error
        tree = super().fix_tables(xml)
        if tree.xpath(MISPLACED_TEXT, namespaces=tree.nsmap):
            raise MisplacedTagError
        for shading in tree.iter(qn("w:shd")):  # {% cellbg %} puts it first; the standard wants it after the width
            for sibling in [*shading.itersiblings()]:
                if sibling.tag in (qn("w:tcW"), qn("w:gridSpan"), qn("w:vMerge"), qn("w:tcBorders")):
                    shading.addprevious(sibling)
        return tree


def _environment() -> ImmutableSandboxedEnvironment:
    """Jinja that runs no Python, reports unknown names, and outputs every value as plain text."""
    environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined, finalize=_as_text)
    del environment.filters["safe"]  # text typed by users is never XML
    return environment


def _as_text(value: Any) -> Markup:
    """A value as plain text: escaped, without control characters; docxtpl would turn "{_{" into "{{"."""
    return value if isinstance(value, Markup) else escape(clean_text(str(value))).replace("_", Markup("&#95;"))


def _explain(error: Exception, template: Path) -> BrokenTemplateError:
    """The error of a library as a message for the people who edit the template."""
    params = {"name": template.name, "reason": str(error).rstrip(".") or type(error).__name__}
    if isinstance(error, TemplateSyntaxError):
        message = gettext_lazy("The template “%(name)s” has a mistake near “%(text)s”: %(reason)s.")
        nearby = [*getattr(error, "docx_context", ())][: min(error.lineno, 4)]  # the last one is the mistaken paragraph
        params |= {"reason": error.message.rstrip("."), "text": nearby[-1].strip()[:120] if nearby else ""}
    elif isinstance(error, UndefinedError):
        message = gettext_lazy("The template “%(name)s” uses a name that does not exist: “%(reason)s”.")
        quoted = str(error).split("'")  # "'overdu' is undefined", "'dict object' has no attribute 'problm'"
        params["reason"] = quoted[-2] if len(quoted) > 2 else str(error)
    elif isinstance(error, MisplacedTagError):
        message = gettext_lazy(
            "The template “%(name)s” has a tag in the wrong place. A tag that begins in one paragraph or row and ends "
            "in another must be written as {%%p … %%} or {%%tr … %%}, alone in its paragraph or row. {{r … }} and "
            "{{p … }} cannot be used."
        )
    else:
        message = gettext_lazy("The template “%(name)s” has a tag that cannot be filled in: %(reason)s.")
    return BrokenTemplateError(message, params=params)


def _context(pack: MeetingPack, notes: Sequence[str]) -> dict[str, Any]:
    """The names a template can use, as texts and lists; no record of the database is among them."""
    overview = pack.overview
    return {
        "plan": title_of(pack.plan),
        "day": thai.format_date(pack.as_of.day),
        "since": thai.format_date(pack.since.day),
        "since_name": pack.since_name,
        "notes": notes,
        "sentences": pack.sentences,
        "figures": _figures(pack),
        "categories": [_group(group) for group in overview.categories if group.total.count],
        "units": [_group(group) for group in overview.leads if group.total.count],
        "map": _map(pack.map),
        "overdue": [
            _action(each) | {"days_late": each.days_late, "problem": each.problem_on or "–"} for each in pack.overdue
        ],
        "changes": [
            {"label": str(change.label), "total": len(actions), "actions": [_changed(each) for each in actions]}
            for change, actions in pack.changed
        ],
        "silent": [
            {"unit": unit, "total": len(actions), "refs": ", ".join(each.ref for each in actions)}
            for unit, actions in pack.silent
        ],
        "silent_total": sum(len(actions) for _unit, actions in pack.silent),
    }


def _figures(pack: MeetingPack) -> list[dict[str, Any]]:
    overview = pack.overview
    counts = [(str(row.label), row.then.count, row.now.count, row.difference) for row in overview.compared]
    shares = [
        (label, _percent(then), _percent(now), None if then is None or now is None else now - then)
        for label, then, now in (
            (_("Mean progress"), overview.then.progress, overview.whole.progress),
            (_("Expected"), overview.then.expected, overview.whole.expected),
        )
    ]
    return [
        {"label": label, "then": then, "now": now, "difference": signed(difference)}
        for label, then, now, difference in counts + shares
    ]


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": str(group.subject),
        "total": group.total.count,
        **{status: figure.count for status, figure, _label in group.statuses},
        "overdue": group.overdue.count,
        "progress": _percent(group.progress),
    }


def _map(the_map: MaturityMap) -> dict[str, Any] | None:
    """The maturity map, or None if nothing is assessed."""
    if the_map.now.total is None:
        return None
    return {
        "total": points(the_map.now.total),
        "are_points_confirmed": the_map.framework.are_points_confirmed,
        "categories": [
            {
                "name": str(part.category),
                "points": points(part.now),
                "criteria": [
                    {
                        "name": str(row.criterion),
                        "points": points(row.points),
                        **{level.name.lower(): {"text": "", "fill": "auto"} for level in Level},
                        **{cell.level.name.lower(): _cell(cell) for cell in row.cells},
                    }
                    for row in part.rows
                ],
            }
            for part in the_map.parts
        ],
    }


def _cell(cell: MapCell) -> dict[str, str]:
    """A cell of the map: its state, actions done and in all, and its colour."""
    label = {
        MapCellState.PASSED: _("passed"),
        MapCellState.READY: _("ready"),
        MapCellState.FAILED: _("failed"),
        MapCellState.LOCKED: _("locked"),
        MapCellState.UNKNOWN: "–",
    }[cell.state]
    return {"text": f"{label} {cell.done}/{cell.total}" if cell.total else label, "fill": FILLS[cell.state]}


def _action(action: ActionItem) -> dict[str, Any]:
    # One unit a line, because programs break a line inside an abbreviation such as ทุกหน่วยงาน.
    lead = "\n".join(assignment.unit.abbreviation for assignment in action.lead) or "–"
    return {"ref": action.ref, "text": action.text, "lead": lead, "progress": _percent(action.progress_on)}


def _percent(value: float | None) -> str:
    """A percentage that no line breaks."""
    return percent(value).replace(" ", "\u00a0")


def _changed(action: ActionItem) -> dict[str, Any]:
    return _action(action) | {
        "status": status_then_and_now(action.status_then, action.status_on),
        "progress": f"{_percent(action.progress_then)} → {_percent(action.progress_on)}",
    }
