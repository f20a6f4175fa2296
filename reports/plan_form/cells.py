"""Texts and styles of the cells of the plan form, in the wording of the document."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from plan.as_of import AsOf
from plan.models import ActionItem, Due, Status
from plan.models.status import status_look
from pmqa_tracker import thai
from reports.plan_form.rows import FormBlock
from spreadsheets.styles import SMALL, TITLE_SIZE, Style

TextRuns = list[tuple[str, bool]]  # a paragraph in parts: (text, is bold)

SYMBOL_BULLET = "\uf0b7"  # bullet of the Symbol font; other fonts have no glyph for it

FORM_TITLE = Style(bold=True, size=TITLE_SIZE, horizontal="center", vertical="center", border="")
FORM_HEADER = Style(bold=True, horizontal="center", vertical="center", fill="ECEBF5")
CELL = Style(indent=1)
CENTERED = Style(horizontal="center")


def category_number(number: int) -> str:
    """Return a category number in Thai digits, as the document prints it: "๑"."""
    return str(number).translate(thai.TO_THAI)


def as_of_text(as_of: AsOf) -> str:
    """Return the line that names the day of the data."""
    return f"ข้อมูล ณ วันที่ {thai.format_date(as_of.day)}"


def requirement_texts(block: FormBlock) -> list[TextRuns]:
    """Return the paragraphs of the first column.

    The first paragraph of a level holds its name and the first line of its requirement; each further line is a
    paragraph of its own.
    """
    texts: list[TextRuns] = []
    for level, text, _verdict in block.levels:
        first, *rest = text.replace(SYMBOL_BULLET, "•").split("\n")
        gap = "\n" if texts else ""
        texts.append([(f"{gap}{level.label}\n", True), (first, False)])
        texts += [[(line, False)] for line in rest]
    return texts or [[("", False)]]


def join_paragraphs(texts: Iterable[TextRuns]) -> TextRuns:
    """Join paragraphs for one cell, each on a line of its own."""
    parts: TextRuns = []
    for text in texts:
        parts += [("\n", False), *text] if parts else [(part.lstrip("\n"), bold) for part, bold in text]
    return parts


def runs_to_text(text: TextRuns) -> str:
    """Return a paragraph as plain text."""
    return "".join(part for part, _bold in text)


def levels_text(block: FormBlock) -> str:
    """Return the names of the levels of a block."""
    return " / ".join(level.short for level, _text, _verdict in block.levels)


def verdict_text(block: FormBlock) -> str:
    """Return the verdicts and reasons of the assessor, as the document prints them."""
    verdicts = []
    for level, _text, verdict in block.levels:
        lines = [f"- {level.short}"]
        if verdict:
            lines.append("ผ่าน" if verdict.passed else "X ไม่ผ่าน")
        if verdict and verdict.reason:
            lines.append(f"เหตุผล : {verdict.reason}")
        verdicts.append("\n".join(lines))
    return "\n\n".join(verdicts)


def action_text(action: ActionItem | None) -> str:
    """Return the text of an action, after its printed number if it has one."""
    if action is None:
        return ""
    return f"{action.number}. {action.text}" if action.number else action.text


def lead_text(action: ActionItem | None) -> str:
    return " ".join(str(assignment.unit) for assignment in action.lead) if action else ""


def support_text(action: ActionItem | None) -> str:
    return " ".join(str(assignment.unit) for assignment in action.support) if action else ""


def status_text(action: ActionItem) -> str:
    """Return the status on the day, with a second line if the action was overdue."""
    label = str(Status(action.status_on).label)
    return f"{label}\n({Due.OVERDUE.label})" if action.due == Due.OVERDUE else label


def result_text(action: ActionItem) -> str:
    """Return the latest result and, if the action is blocked, the problem."""
    lines = [action.result_on or ""]
    if action.status_on == Status.BLOCKED and action.problem_on:
        lines.append(f"ปัญหา : {action.problem_on}")
    return "\n".join(line for line in lines if line)


def status_cells(action: ActionItem | None, result: str) -> list[tuple[Any, Style]]:
    """Return (value, style) of the four status columns; `result` is the part of the result on the page."""
    if action is None:
        return [("", CELL)] * 4
    colours = status_look(action.status_on, action.due).colours
    updated = thai.format_date(timezone.localdate(action.updated_at)) if action.updated_at else "–"
    return [
        (status_text(action), CENTERED.replace(size=SMALL, bold=True, color=colours.text, fill=colours.background)),
        (action.progress_on, CENTERED.replace(number_format='0"%"')),
        (result, CELL),
        (updated, CENTERED),
    ]
