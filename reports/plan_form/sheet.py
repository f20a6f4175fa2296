"""One sheet of the plan form: the table of a category, split into printed pages."""

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
    action_text,
    as_of_text,
    category_number,
    join_paragraphs,
    lead_text,
    levels_text,
    requirement_texts,
    result_text,
    runs_to_text,
    status_cells,
    status_text,
    support_text,
    verdict_text,
)
from reports.plan_form.layout import Layout, share_pages
from reports.plan_form.rows import FormBlock, FormCriterion
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

FORM_HEADING = Style(bold=True, vertical="center")
FORM_NOTE = Style(size=SMALL, border="", vertical="center")
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
    """Part of a block on one page: actions, their heights, paragraphs of the requirement, verdict."""

    actions: Sequence[ActionItem | None]
    heights: Sequence[float]
    texts: Sequence[TextRuns]
    verdict: str


class CategorySheet:
    """Writer of a category from the top of a sheet down; it tracks the height used on the printed page."""

    def __init__(self, sheet: Worksheet, layout: Layout, as_of: AsOf) -> None:
        self.sheet = sheet
        self.layout = layout
        self.as_of = as_of
        self.period_indexes = {period.pk: index for index, period in enumerate(as_of.periods)}
        self.row = 1
        self.used = 0.0  # height used on this page, in points
        self.repeated = 0.0  # height of the header rows, which every page repeats, in points
        self.waiting: list[FormCriterion] = []  # headings kept on the same page as the next block
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
        """Write a row that is one cell over the whole width."""
        row = self._add_row(height)
        write_box(self.sheet, (row, 1, row, self.layout.last), value, style)

    # Title and header.

    def _write_title(self, plan: Plan, category: Category, actions: Sequence[ActionItem]) -> None:
        width = self.layout.width(1, self.layout.last)
        self._write_line(plan.title, FORM_TITLE, text_height(plan.title, width, FORM_TITLE.size))
        if plan.organization.name not in plan.title:
            self._write_line(
                plan.organization.name, FORM_TITLE.replace(size=HEADING_SIZE), line_height(HEADING_SIZE) + PADDING
            )
        heading = f"หมวด {category_number(category.number)} {category.name}"
        row = self._add_row(line_height(HEADING_SIZE) + 5)
        style = FORM_TITLE.replace(size=HEADING_SIZE, horizontal="left", indent=1)
        write_box(self.sheet, (row, 1, row, self.layout.ACTION), heading, style)
        bases = {action.schedule_basis == action.Basis.INFERRED for action in actions if action.first_period_id}
        for index, is_inferred in enumerate(sorted(bases)):
            row = self._add_row(line_height(SMALL) + PADDING) if index else row
            self._write_legend(row, *LEGENDS[is_inferred])

    def _write_legend(self, row: int, style: Style, text: str) -> None:
        layout = self.layout
        if layout.periods:
            write(self.sheet.cell(row, layout.FIRST_PERIOD), self._arrow_head(style), style.replace(horizontal="right"))
            write_box(self.sheet, (row, layout.FIRST_PERIOD + 1, row, layout.last), text, FORM_NOTE.replace(indent=1))

    def _write_header(self) -> None:
        layout, top = self.layout, self.row
        months = [period.months_label for period in self.as_of.periods]
        if layout.is_narrow:
            months = [label.replace("–", "–\n") for label in months]
        lines = max([1, *(label.count("\n") + 1 for label in months)])
        self._add_row(2 * line_height() + 4)
        bottom = self._add_row(lines * line_height(SMALL) + 6)
        for column, heading in (
            (layout.REQUIREMENT, "ระดับดำเนินการ"),
            (layout.VERDICT, "ความเห็น\nผู้ตรวจประเมิน"),
            (layout.ACTION, "สิ่งที่ต้องดำเนินการเพิ่มเติม"),
        ):
            write_box(self.sheet, (top, column, bottom, column), heading, FORM_HEADER)
        column = layout.FIRST_PERIOD
        for year, periods in groupby(self.as_of.periods, key=lambda period: period.fiscal_year):
            count = len(list(periods))
            heading = f"ปี พ.ศ. {year}" if count > 1 else f"ปี พ.ศ.\n{year}"
            style = FORM_HEADER.replace(size=SMALL) if count == 1 and layout.is_narrow else FORM_HEADER
            write_box(self.sheet, (top, column, top, column + count - 1), heading, style)
            column += count
        for column, label in enumerate(months, start=layout.FIRST_PERIOD):
            write(self.sheet.cell(bottom, column), label, FORM_HEADER.replace(size=SMALL))
        write_box(self.sheet, (top, layout.lead, top, layout.support), "ผู้รับผิดชอบ", FORM_HEADER)
        write(self.sheet.cell(bottom, layout.lead), "หลัก", FORM_HEADER)
        write(self.sheet.cell(bottom, layout.support), "สนับสนุน", FORM_HEADER)
        if layout.with_status:
            heading = f"สถานะ ณ วันที่ {thai.format_date(self.as_of.day)}"
            write_box(self.sheet, (top, layout.status, top, layout.last), heading, FORM_HEADER)
            headings = ("สถานะ", "ร้อยละ", "ผลการดำเนินการล่าสุด", "ปรับปรุงล่าสุด")
            for column, heading in enumerate(headings, start=layout.status):
                write(self.sheet.cell(bottom, column), heading, FORM_HEADER)
        self.repeated = sum(self.sheet.row_dimensions[row].height for row in (top, bottom))
        self.sheet.freeze_panes = f"A{self.row}"
        self.sheet.sheet_view.showGridLines = False
        set_up_page(self.sheet, header_rows=f"{top}:{bottom}", footer=as_of_text(self.as_of))

    # Headings and blocks.

    def _write_headings(self) -> None:
        for entry in self.waiting:
            heading = f"{entry.criterion}{'  (ผ่าน)' if entry.is_passed else ''}"
            style = FORM_HEADING.replace(indent=3 if entry.criterion.parent_id else 1, bold=not entry.is_passed)
            self._write_line(heading, style, self._heading_height(entry))
        self.waiting = []

    def _heading_height(self, entry: FormCriterion) -> float:
        return text_height(str(entry.criterion), self.layout.width(1, self.layout.last) - 8) + 2

    @property
    def _headings_height(self) -> float:
        return sum(self._heading_height(entry) for entry in self.waiting)

    def _write_block(self, block: FormBlock) -> None:
        """Write a block, continued on the next pages if this page is full."""
        layout = self.layout
        texts = requirement_texts(block)
        text_heights = [text_height(runs_to_text(text), layout.width(layout.REQUIREMENT)) - PADDING for text in texts]
        text_heights[0] += PADDING
        verdict = verdict_text(block)
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
                texts[:text_count] or [[(f"{levels_text(block)} (ต่อ)", True)]],
                "" if number else verdict,
            )
            self._write_part(part, max(sum(text_heights[:text_count]) + PADDING, 0 if number else need))
            actions, heights = actions[count:], heights[count:]
            texts, text_heights = texts[text_count:], text_heights[text_count:]

    @property
    def _room(self) -> float:
        """Height left on this page, in points."""
        return self.layout.page_height - self.used

    def _action_heights(self, actions: Sequence[ActionItem | None]) -> list[float]:
        layout = self.layout
        heights = []
        for action in actions:
            texts = [(action_text(action), layout.ACTION)]
            if layout.with_status and action:
                texts += [(status_text(action), layout.status), (result_text(action), layout.status + 2)]
            heights.append(max(text_height(text, layout.width(column)) for text, column in texts))
        return self._with_units(actions, heights)

    def _with_units(self, actions: Sequence[ActionItem | None], heights: Sequence[float]) -> list[float]:
        """Return the heights, increased where the names of the units need more room.

        Adjacent actions with the same units share one cell.
        """
        heights = list(heights)
        for column, text_of in self._unit_columns:
            for text, run in group_runs(actions, text_of):
                missing = text_height(text, self.layout.width(column)) - sum(heights[index] for index in run)
                for index in run:
                    heights[index] += max(missing, 0) / len(run)
        return heights

    @property
    def _unit_columns(self) -> tuple[tuple[int, Callable[[ActionItem | None], str]], ...]:
        return (self.layout.lead, lead_text), (self.layout.support, support_text)

    def _write_part(self, part: PagePart, need: float) -> None:
        """Write the rows of a block on one page; `need` is the height of the text beside them."""
        layout, top = self.layout, self.row
        heights = self._with_units(part.actions, part.heights)
        stretch = max(need - sum(heights), 0) / len(heights)
        boxes = []
        for height in heights:
            count = math.ceil((height + stretch) / HIGHEST_ROW)
            rows = [self._add_row((height + stretch) / count) for _each in range(count)]
            boxes.append((rows[0], rows[-1]))
        for index, (action, box) in enumerate(zip(part.actions, boxes, strict=True)):
            edges = {"top": "hair" if index else "", "bottom": "" if box is boxes[-1] else "hair"}
            self._write_action(action, *box, edges)
        for column, text_of in self._unit_columns:
            for text, run in group_runs(part.actions, text_of):
                write_box(self.sheet, (boxes[run[0]][0], column, boxes[run[-1]][1], column), text, CENTERED)
        bottom = self.row - 1
        text = rich(*join_paragraphs(part.texts))
        write_box(self.sheet, (top, layout.REQUIREMENT, bottom, layout.REQUIREMENT), text, CELL)
        write_box(self.sheet, (top, layout.VERDICT, bottom, layout.VERDICT), part.verdict, CELL)

    def _write_action(self, action: ActionItem | None, first: int, last: int, edges: dict[str, str]) -> None:
        layout = self.layout

        def put(column: int, value: Any, style: Style) -> None:
            write_box(self.sheet, (first, column, last, column), value, style.replace(**edges))

        put(layout.ACTION, action_text(action), CELL)
        for column, text, style in self._period_cells(action):
            put(column, text, style)
        if action and not action.first_period_id and layout.periods:
            box = (first, layout.FIRST_PERIOD, last, layout.lead - 1)
            write_box(self.sheet, box, "ไม่ปรากฏในเอกสาร", UNSCHEDULED.replace(**edges))
        if layout.with_status:
            for column, (value, style) in enumerate(status_cells(action), start=layout.status):
                put(column, value, style)

    def _period_cells(self, action: ActionItem | None) -> Iterator[tuple[int, str, Style]]:
        """Yield (column, text, style) of the cell of each period; filled cells form the arrow."""
        if action and not action.first_period_id:
            return
        start = self.period_indexes.get(action.first_period_id) if action else None
        end = self.period_indexes.get(action.last_period_id) if action else None
        style = INFERRED if action and action.schedule_basis == action.Basis.INFERRED else STATED
        for index in range(self.layout.periods):
            column = self.layout.FIRST_PERIOD + index
            if start is None or end is None or not start <= index <= end:
                yield column, "", CELL
            elif index == end:
                yield column, self._arrow_head(style), style.replace(horizontal="right")
            else:
                yield column, arrow_shaft(style), style.replace(horizontal="fill")

    def _arrow_head(self, style: Style) -> str:
        room = self.layout.width(self.layout.FIRST_PERIOD) * POINTS_PER_CHARACTER - 16
        return arrow_shaft(style) * max(int(room / (3.1 if style is INFERRED else 6.5)), 0) + "►"


def arrow_shaft(style: Style) -> str:
    """Return the character of the shaft of an arrow: a broken line for an inferred schedule."""
    return "-" if style is INFERRED else "─"


def group_runs(
    actions: Sequence[ActionItem | None], text_of: Callable[[ActionItem | None], str]
) -> list[tuple[str, list[int]]]:
    """Return (text, indexes) of each run of adjacent actions with the same text."""
    groups = groupby(range(len(actions)), key=lambda index: text_of(actions[index]))
    return [(text, list(indexes)) for text, indexes in groups]
