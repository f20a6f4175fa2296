"""What the cells of the plan form say, in the words the document uses."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from plan.as_of import AsOf
from plan.models import ActionItem, Due, Status
from plan.models.status import status_look
from pmqa_tracker import thai
from reports.plan_form.rows import Block
from spreadsheets.styles import SMALL, TITLE_SIZE, Style

TextRuns = list[tuple[str, bool]]  # a paragraph in parts: words, is bold

SYMBOL_BULLET = "\uf0b7"  # as a word processor keeps it; other fonts have nothing there

FORM_TITLE = Style(bold=True, size=TITLE_SIZE, horizontal="center", vertical="center", border="")
FORM_HEADER = Style(bold=True, horizontal="center", vertical="center", fill="ECEBF5")
CELL = Style(indent=1)
CENTERED = Style(horizontal="center")


def category_number(number: int) -> str:
    """A number as the document prints those of its categories: "๑"."""
    return str(number).translate(thai.TO_THAI)


def as_of_words(as_of: AsOf) -> str:
    """The day the workbook speaks of."""
    return f"ข้อมูล ณ วันที่ {thai.format_date(as_of.day)}"


def requirement_texts(block: Block) -> list[TextRuns]:
    """The paragraphs of the first column: the levels, each in one with the beginning of what it asks, and the rest."""
    texts: list[TextRuns] = []
    for level, text, _verdict in block.levels:
        first, *rest = text.replace(SYMBOL_BULLET, "•").split("\n")
        gap = "\n" if texts else ""
        texts.append([(f"{gap}{level.label}\n", True), (first, False)])
        texts += [[(words, False)] for words in rest]
    return texts or [[("", False)]]


def joined(texts: Iterable[TextRuns]) -> TextRuns:
    """Paragraphs in one cell, each on a line of its own."""
    parts: TextRuns = []
    for text in texts:
        parts += [("\n", False), *text] if parts else [(words.lstrip("\n"), bold) for words, bold in text]
    return parts


def runs_to_text(text: TextRuns) -> str:
    """The words of a paragraph."""
    return "".join(words for words, _bold in text)


def level_words(block: Block) -> str:
    """The names of its levels."""
    return " / ".join(level.short for level, _text, _verdict in block.levels)


def verdict_words(block: Block) -> str:
    """What the assessor said, as the document prints it."""
    told = []
    for level, _text, verdict in block.levels:
        lines = [f"- {level.short}"]
        if verdict:
            lines.append("ผ่าน" if verdict.passed else "X ไม่ผ่าน")
        if verdict and verdict.reason:
            lines.append(f"เหตุผล : {verdict.reason}")
        told.append("\n".join(lines))
    return "\n\n".join(told)


def action_words(action: ActionItem | None) -> str:
    """The text of an action behind its printed number, where it has one."""
    if action is None:
        return ""
    return f"{action.number}. {action.text}" if action.number else action.text


def lead_words(action: ActionItem | None) -> str:
    return " ".join(str(assignment.unit) for assignment in action.lead) if action else ""


def support_words(action: ActionItem | None) -> str:
    return " ".join(str(assignment.unit) for assignment in action.support) if action else ""


def status_words(action: ActionItem) -> str:
    """How it stood, with that it was overdue."""
    label = str(Status(action.status_on).label)
    return f"{label}\n({Due.OVERDUE.label})" if action.due == Due.OVERDUE else label


def result_words(action: ActionItem) -> str:
    """The last result told, and what holds it up where it is blocked."""
    told = [action.result_on or ""]
    if action.status_on == Status.BLOCKED and action.problem_on:
        told.append(f"ปัญหา : {action.problem_on}")
    return "\n".join(words for words in told if words)


def status_cells(action: ActionItem | None) -> list[tuple[Any, Style]]:
    """(value, style) of the four columns of the status."""
    if action is None:
        return [("", CELL)] * 4
    colours = status_look(action.status_on, action.due).colours
    updated = thai.format_date(timezone.localdate(action.updated_at)) if action.updated_at else "–"
    return [
        (status_words(action), CENTERED.replace(size=SMALL, bold=True, color=colours.text, fill=colours.background)),
        (action.progress_on, CENTERED.replace(number_format='0"%"')),
        (result_words(action), CELL),
        (updated, CENTERED),
    ]
