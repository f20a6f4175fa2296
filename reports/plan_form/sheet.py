"""One sheet of the plan form: a category in the document's own table."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from criteria.models import Category
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from pmqa_tracker import thai
from reports.plan_form.cells import (
    CELL,
    CENTERED,
    FORM_HEADER,
    FORM_TITLE,
    TextRuns,
    action_words,
    as_of_words,
    category_number,
    joined,
    lead_words,
    level_words,
    requirement_texts,
    result_words,
    runs_to_text,
    status_cells,
    status_words,
    support_words,
    verdict_words,
)
from reports.plan_form.layout import Layout, share_pages
from reports.plan_form.rows import Block, FormCriterion
from spreadsheets.styles import (
    HEADING_SIZE,
    HIGHEST_ROW,
    PADDING,
    POINTS_PER_CHARACTER,
    QUIET,
    SMALL,
    Style,
    line_height,
    rich,
    set_up_page,
    text_height,
    write,
    write_box,
)

HEADING = Style(bold=True, vertical="center")
NOTE = Style(size=SMALL, border="", vertical="center")
UNSCHEDULED = Style(size=SMALL, italic=True, color=QUIET, horizontal="center", vertical="center")
ARROW = Style(font="Arial", size=9, bold=True, color="2B2A6C", vertical="center", wrap=False)
STATED = ARROW.replace(fill="DCDAF0")
INFERRED = ARROW.replace(fill="BDBBE0", pattern="lightUp")

LEGENDS = (
    (STATED, "ช่วงเวลาตามเอกสาร หรือผู้ประสานงานยืนยันแล้ว"),
    (INFERRED, "ช่วงเวลาอนุมานจากรูปแบบตารางของเอกสาร รอผู้ประสานงานยืนยัน"),
)


@dataclass(frozen=True)
class PagePart:
    """The part of a block on one page: its actions, their heights, its paragraphs, the verdict."""

    actions: Sequence[ActionItem | None]
    heights: Sequence[float]
    texts: Sequence[TextRuns]
    verdict: str


class CategorySheet:
    """Writes a category from the top of a sheet down, keeping count of what the printed page still holds."""

    def __init__(self, sheet: Worksheet, layout: Layout, as_of: AsOf) -> None:
        self.sheet = sheet
        self.layout = layout
        self.as_of = as_of
        self.places = {period.pk: place for place, period in enumerate(as_of.periods)}
        self.row = 1
        self.used = 0.0  # points of this page
        self.repeated = 0.0  # points of the header's rows, which every page begins with
        self.waiting: list[FormCriterion] = []  # headings not written yet: they stay with the block that follows
        for column, width in enumerate(layout.widths, start=1):
            sheet.column_dimensions[get_column_letter(column)].width = width

    def write(self, plan: Plan, category: Category, entries: Sequence[FormCriterion]) -> None:
        """Write the whole sheet."""
        actions = [action for entry in entries for block in entry.blocks for action in block.actions]
        self._write_title(plan, category, actions)
        self._write_header()
        for entry in entries:
            self.waiting.append(entry)
            for block in entry.blocks:
                self._write_block(block)
        if self.waiting and self._room < self._headings_height:
            self._break_page()
        self._write_headings()

    def _add_row(self, height: float) -> int:
        self.sheet.row_dimensions[self.row].height = min(height, HIGHEST_ROW)
        self.used += height
        self.row += 1
        return self.row - 1

    def _break_page(self) -> None:
        self.sheet.row_breaks.append(Break(id=self.row - 1))
        self.used = self.repeated

    def _write_line(self, value: Any, style: Style, height: float) -> None:
        """A row that is one cell over the whole width."""
        row = self._add_row(height)
        write_box(self.sheet, (row, 1, row, self.layout.last), value, style)

    # The top of the sheet.

    def _write_title(self, plan: Plan, category: Category, actions: Sequence[ActionItem]) -> None:
        width = self.layout.width(1, self.layout.last)
        self._write_line(plan.title, FORM_TITLE, text_height(plan.title, width, FORM_TITLE.size))
        if plan.organization not in plan.title:
            style = FORM_TITLE.replace(size=HEADING_SIZE)
            self._write_line(plan.organization, style, line_height(HEADING_SIZE) + PADDING)
        heading = f"หมวด {category_number(category.number)} {category.name}"
        row = self._add_row(line_height(HEADING_SIZE) + 5)
        style = FORM_TITLE.replace(size=HEADING_SIZE, horizontal="left", indent=1)
        write_box(self.sheet, (row, 1, row, self.layout.ACTION), heading, style)
        bases = {action.schedule_basis == action.Basis.INFERRED for action in actions if action.first_period_id}
        for place, is_inferred in enumerate(sorted(bases)):
            row = self._add_row(line_height(SMALL) + PADDING) if place else row
            self._write_legend(row, *LEGENDS[is_inferred])

    def _write_legend(self, row: int, style: Style, words: str) -> None:
        layout = self.layout
        if layout.periods:
            write(self.sheet.cell(row, layout.FIRST_PERIOD), self._arrow_head(style), style.replace(horizontal="right"))
            write_box(self.sheet, (row, layout.FIRST_PERIOD + 1, row, layout.last), words, NOTE.replace(indent=1))

    def _write_header(self) -> None:
        layout, top = self.layout, self.row
        months = [period.months_label for period in self.as_of.periods]
        if layout.is_narrow:
            months = [label.replace("–", "–\n") for label in months]
        lines = max([1, *(label.count("\n") + 1 for label in months)])
        self._add_row(2 * line_height() + 4)
        bottom = self._add_row(lines * line_height(SMALL) + 6)
        for column, words in (
            (layout.REQUIREMENT, "ระดับดำเนินการ"),
            (layout.VERDICT, "ความเห็น\nผู้ตรวจประเมิน"),
            (layout.ACTION, "สิ่งที่ต้องดำเนินการเพิ่มเติม"),
        ):
            write_box(self.sheet, (top, column, bottom, column), words, FORM_HEADER)
        column = layout.FIRST_PERIOD
        for year, periods in groupby(self.as_of.periods, key=lambda period: period.fiscal_year):
            count = len(list(periods))
            words = f"ปี พ.ศ. {year}" if count > 1 else f"ปี พ.ศ.\n{year}"
            style = FORM_HEADER.replace(size=SMALL) if count == 1 and layout.is_narrow else FORM_HEADER
            write_box(self.sheet, (top, column, top, column + count - 1), words, style)
            column += count
        for place, label in enumerate(months):
            write(self.sheet.cell(bottom, layout.FIRST_PERIOD + place), label, FORM_HEADER.replace(size=SMALL))
        write_box(self.sheet, (top, layout.lead, top, layout.support), "ผู้รับผิดชอบ", FORM_HEADER)
        write(self.sheet.cell(bottom, layout.lead), "หลัก", FORM_HEADER)
        write(self.sheet.cell(bottom, layout.support), "สนับสนุน", FORM_HEADER)
        if layout.with_status:
            words = f"สถานะ ณ วันที่ {thai.format_date(self.as_of.day)}"
            write_box(self.sheet, (top, layout.status, top, layout.last), words, FORM_HEADER)
            for place, words in enumerate(("สถานะ", "ร้อยละ", "ผลการดำเนินการล่าสุด", "ปรับปรุงล่าสุด")):
                write(self.sheet.cell(bottom, layout.status + place), words, FORM_HEADER)
        self.repeated = sum(self.sheet.row_dimensions[row].height for row in (top, bottom))
        self.sheet.freeze_panes = f"A{self.row}"
        self.sheet.sheet_view.showGridLines = False
        set_up_page(self.sheet, header_rows=f"{top}:{bottom}", footer=as_of_words(self.as_of))

    # The headings and the blocks.

    def _write_headings(self) -> None:
        for entry in self.waiting:
            words = f"{entry.criterion}{'  (ผ่าน)' if entry.is_passed else ''}"
            style = HEADING.replace(indent=3 if entry.criterion.parent_id else 1, bold=not entry.is_passed)
            self._write_line(words, style, self._heading_height(entry))
        self.waiting = []

    def _heading_height(self, entry: FormCriterion) -> float:
        return text_height(str(entry.criterion), self.layout.width(1, self.layout.last) - 8) + 2

    @property
    def _headings_height(self) -> float:
        return sum(self._heading_height(entry) for entry in self.waiting)

    def _write_block(self, block: Block) -> None:
        """Write a block; what this page does not hold goes on on the next."""
        layout = self.layout
        texts = requirement_texts(block)
        text_heights = [text_height(runs_to_text(text), layout.width(layout.REQUIREMENT)) - PADDING for text in texts]
        text_heights[0] += PADDING
        verdict = verdict_words(block)
        need = text_height(verdict, layout.width(layout.VERDICT))
        actions: list[ActionItem | None] = [*block.actions] or [None]
        heights = self._action_heights(actions)
        headings = self._headings_height
        page = layout.page_height - self.repeated
        is_on_new_page, shares = share_pages(heights, text_heights, need, self._room - headings, page - headings)
        if is_on_new_page:
            self._break_page()
        self._write_headings()
        for number, (count, text_count) in enumerate(shares):
            if number:
                self._break_page()
            part = PagePart(
                actions[:count] or [None],
                heights[:count] or [line_height()],
                texts[:text_count] or [[(f"{level_words(block)} (ต่อ)", True)]],
                "" if number else verdict,
            )
            self._write_part(part, max(sum(text_heights[:text_count]) + PADDING, 0 if number else need))
            actions, heights = actions[count:], heights[count:]
            texts, text_heights = texts[text_count:], text_heights[text_count:]

    @property
    def _room(self) -> float:
        """What this page still holds, in points."""
        return self.layout.page_height - self.used

    def _action_heights(self, actions: Sequence[ActionItem | None]) -> list[float]:
        layout = self.layout
        heights = []
        for action in actions:
            texts = [(action_words(action), layout.ACTION)]
            if layout.with_status and action:
                texts += [(status_words(action), layout.status), (result_words(action), layout.status + 2)]
            heights.append(max(text_height(words, layout.width(column)) for words, column in texts))
        return self._with_units(actions, heights)

    def _with_units(self, actions: Sequence[ActionItem | None], heights: Sequence[float]) -> list[float]:
        """`heights` made to hold the names of the units, which stand once beside the actions that share them."""
        heights = list(heights)
        for column, words_of in self._unit_columns:
            for words, run in runs(actions, words_of):
                missing = text_height(words, self.layout.width(column)) - sum(heights[place] for place in run)
                for place in run:
                    heights[place] += max(missing, 0) / len(run)
        return heights

    @property
    def _unit_columns(self) -> tuple[tuple[int, Callable[[ActionItem | None], str]], ...]:
        return (self.layout.lead, lead_words), (self.layout.support, support_words)

    def _write_part(self, part: PagePart, need: float) -> None:
        """The rows of a block that stand on one page; `need` is the height of the text beside them."""
        layout, top = self.layout, self.row
        heights = self._with_units(part.actions, part.heights)
        stretch = max(need - sum(heights), 0) / len(heights)
        boxes = []
        for height in heights:
            count = math.ceil((height + stretch) / HIGHEST_ROW)
            rows = [self._add_row((height + stretch) / count) for _each in range(count)]
            boxes.append((rows[0], rows[-1]))
        for place, (action, box) in enumerate(zip(part.actions, boxes, strict=True)):
            edges = {"top": "hair" if place else "", "bottom": "" if box is boxes[-1] else "hair"}
            self._write_action(action, *box, edges)
        for column, words_of in self._unit_columns:
            for words, run in runs(part.actions, words_of):
                write_box(self.sheet, (boxes[run[0]][0], column, boxes[run[-1]][1], column), words, CENTERED)
        bottom = self.row - 1
        words = rich(*joined(part.texts))
        write_box(self.sheet, (top, layout.REQUIREMENT, bottom, layout.REQUIREMENT), words, CELL)
        write_box(self.sheet, (top, layout.VERDICT, bottom, layout.VERDICT), part.verdict, CELL)

    def _write_action(self, action: ActionItem | None, first: int, last: int, edges: dict[str, str]) -> None:
        layout = self.layout

        def put(column: int, value: Any, style: Style) -> None:
            write_box(self.sheet, (first, column, last, column), value, style.replace(**edges))

        put(layout.ACTION, action_words(action), CELL)
        for column, words, style in self._period_cells(action):
            put(column, words, style)
        if action and not action.first_period_id and layout.periods:
            box = (first, layout.FIRST_PERIOD, last, layout.lead - 1)
            write_box(self.sheet, box, "ไม่ปรากฏในเอกสาร", UNSCHEDULED.replace(**edges))
        if layout.with_status:
            for place, (value, style) in enumerate(status_cells(action)):
                put(layout.status + place, value, style)

    def _period_cells(self, action: ActionItem | None) -> Iterator[tuple[int, str, Style]]:
        """(column, words, style) of each period's cell; the arrow is the filled ones."""
        if action and not action.first_period_id:
            return
        start = self.places.get(action.first_period_id) if action else None
        end = self.places.get(action.last_period_id) if action else None
        style = INFERRED if action and action.schedule_basis == action.Basis.INFERRED else STATED
        for place in range(self.layout.periods):
            column = self.layout.FIRST_PERIOD + place
            if start is None or end is None or not start <= place <= end:
                yield column, "", CELL
            elif place == end:
                yield column, self._arrow_head(style), style.replace(horizontal="right")
            else:
                yield column, shaft(style), style.replace(horizontal="fill")

    def _arrow_head(self, style: Style) -> str:
        room = self.layout.width(self.layout.FIRST_PERIOD) * POINTS_PER_CHARACTER - 16
        return shaft(style) * max(int(room / (3.1 if style is INFERRED else 6.5)), 0) + "►"


def shaft(style: Style) -> str:
    """A piece of an arrow's shaft: broken where its periods are inferred."""
    return "-" if style is INFERRED else "─"


def runs(
    actions: Sequence[ActionItem | None], words_of: Callable[[ActionItem | None], str]
) -> list[tuple[str, list[int]]]:
    """(words, the places of the actions in a row that share them)."""
    groups = groupby(range(len(actions)), key=lambda place: words_of(actions[place]))
    return [(words, list(places)) for words, places in groups]
