"""One sheet of the plan form: the table of a category, split into printed pages."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
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
    TITLE_SIZE,
    Style,
    line_height,
    rich,
    row_heights,
    set_up_page,
    split_text,
    text_height,
    write,
    write_box,
)

INDENT = 1.5  # characters, which a cell without an indent has for its text
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
class ActionRow:
    """An action with its text and result, or the part of them on one page; None where a level has no action."""

    action: ActionItem | None
    text: str
    result: str


@dataclass(frozen=True)
class PagePart:
    """Part of a block on one page: rows of actions, their heights, paragraphs of the requirement, verdict."""

    rows: Sequence[ActionRow]
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
        layout, width = self.layout, self.layout.width(1, self.layout.last)
        heading_style = FORM_TITLE.replace(size=HEADING_SIZE)
        self._write_line(plan.title, FORM_TITLE, text_height(plan.title, width, TITLE_SIZE, bold=True))
        name = plan.organization.name
        if name not in plan.title:
            self._write_line(name, heading_style, text_height(name, width, HEADING_SIZE, bold=True))
        heading = f"หมวด {category_number(category.number)} {category.name}"
        bases = {action.schedule_basis == action.Basis.INFERRED for action in actions if action.first_period_id}
        legends = [LEGENDS[is_inferred] for is_inferred in sorted(bases)] if layout.periods else []
        heights = [text_height(text, layout.width(layout.FIRST_PERIOD + 1, layout.last), SMALL) for _, text in legends]
        first, *others = heights or [0.0]
        need = text_height(heading, layout.width(1, layout.ACTION), HEADING_SIZE, bold=True)
        row = self._add_row(max(need, first))
        write_box(self.sheet, (row, 1, row, layout.ACTION), heading, heading_style.replace(horizontal="left", indent=1))
        for height in others:
            self._add_row(height)
        for number, (style, text) in enumerate(legends, start=row):
            head = self._arrow_head(style)
            write(self.sheet.cell(number, layout.FIRST_PERIOD), head, style.replace(horizontal="right"))
            box = (number, layout.FIRST_PERIOD + 1, number, layout.last)
            write_box(self.sheet, box, text, FORM_NOTE.replace(indent=1))

    def _write_header(self) -> None:
        layout = self.layout
        upper, lower = self._period_headings()
        upper.append((layout.lead, layout.support, "ผู้รับผิดชอบ", FORM_HEADER))
        lower += [(layout.lead, "หลัก", FORM_HEADER), (layout.support, "สนับสนุน", FORM_HEADER)]
        if layout.with_status:
            heading = f"สถานะ ณ วันที่ {thai.format_date(self.as_of.day)}"
            upper.append((layout.status, layout.last, heading, FORM_HEADER))
            headings = ("สถานะ", "ร้อยละ", "ผลการดำเนินการล่าสุด", "ปรับปรุงล่าสุด")
            lower += [(column, heading, FORM_HEADER) for column, heading in enumerate(headings, start=layout.status)]
        top = self._add_row(
            max(text_height(text, layout.width(*span) + INDENT, style.size, bold=True) for *span, text, style in upper)
        )
        bottom = self._add_row(
            max(
                text_height(text, layout.width(column) + INDENT, style.size, bold=True) for column, text, style in lower
            )
        )
        for first, last, text, style in upper:
            write_box(self.sheet, (top, first, top, last), text, style)
        for column, text, style in lower:
            write(self.sheet.cell(bottom, column), text, style)
        for column, heading in (
            (layout.REQUIREMENT, "ระดับดำเนินการ"),
            (layout.VERDICT, "ความเห็น\nผู้ตรวจประเมิน"),
            (layout.ACTION, "สิ่งที่ต้องดำเนินการเพิ่มเติม"),
        ):
            write_box(self.sheet, (top, column, bottom, column), heading, FORM_HEADER)
        self.repeated = sum(self.sheet.row_dimensions[row].height for row in (top, bottom))
        self.sheet.freeze_panes = f"A{self.row}"
        self.sheet.sheet_view.showGridLines = False
        set_up_page(self.sheet, header_rows=f"{top}:{bottom}", footer=as_of_text(self.as_of))

    def _period_headings(self) -> tuple[list[tuple[int, int, str, Style]], list[tuple[int, str, Style]]]:
        """Return the headings of the periods: (first column, last column, year, style), (column, months, style)."""
        layout = self.layout
        small = FORM_HEADER.replace(size=SMALL)
        years, column = [], layout.FIRST_PERIOD
        for year, periods in groupby(self.as_of.periods, key=lambda period: period.fiscal_year):
            count = len(list(periods))
            heading = f"ปี พ.ศ. {year}" if count > 1 else f"ปี พ.ศ.\n{year}"
            years.append((column, column + count - 1, heading, FORM_HEADER if count > 1 else small))
            column += count
        labels = [period.months_label for period in self.as_of.periods]
        if layout.is_narrow:
            labels = [label.replace("–", "–\n") for label in labels]
        return years, [(column, label, small) for column, label in enumerate(labels, start=layout.FIRST_PERIOD)]

    # Headings and blocks.

    def _write_headings(self) -> None:
        for entry in self.waiting:
            heading = f"{entry.criterion}{'  (ผ่าน)' if entry.is_passed else ''}"
            style = FORM_HEADING.replace(indent=3 if entry.criterion.parent_id else 1, bold=not entry.is_passed)
            self._write_line(heading, style, self._heading_height(entry))
        self.waiting = []

    def _heading_height(self, entry: FormCriterion) -> float:
        return text_height(str(entry.criterion), self.layout.width(1, self.layout.last) - 8, bold=True) + 2

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
        headings = self._headings_height
        page = layout.page_height - self.repeated
        rows = [
            row
            for number, action in enumerate(block.actions or [None])
            for row in self._split_action(action, page if number else page - headings)
        ]
        heights = self._with_units(rows, [self._row_height(row) for row in rows])
        is_on_new_page, shares = share_pages(heights, text_heights, need, self._room - headings, page - headings)
        if is_on_new_page:
            self._break_page()
        self._write_headings()
        for number, (count, text_count) in enumerate(shares):
            if number:
                self._break_page()
            part = PagePart(
                rows[:count] or [ActionRow(None, "", "")],
                heights[:count] or [line_height()],
                texts[:text_count] or [[(f"{levels_text(block)} (ต่อ)", True)]],
                "" if number else verdict,
            )
            self._write_part(part, max(sum(text_heights[:text_count]) + PADDING, 0 if number else need))
            rows, heights = rows[count:], heights[count:]
            texts, text_heights = texts[text_count:], text_heights[text_count:]

    @property
    def _room(self) -> float:
        """Height left on this page, in points."""
        return self.layout.page_height - self.used

    def _split_action(self, action: ActionItem | None, page: float) -> list[ActionRow]:
        """Return the row of an action, or several if it is higher than a page."""
        layout = self.layout
        row = ActionRow(action, action_text(action), result_text(action) if layout.with_status and action else "")
        if self._row_height(row) <= page:
            return [row]
        texts = split_text(row.text, layout.width(layout.ACTION), page)
        results = split_text(row.result, layout.width(layout.status + 2), page) if row.result else []
        return [ActionRow(action, *parts) for parts in zip_longest(texts, results, fillvalue="")]

    def _row_height(self, row: ActionRow) -> float:
        layout = self.layout
        texts = [(row.text, layout.ACTION)]
        if layout.with_status and row.action:
            texts += [(status_text(row.action), layout.status), (row.result, layout.status + 2)]
        return max(text_height(text, layout.width(column)) for text, column in texts)

    def _with_units(self, rows: Sequence[ActionRow], heights: Sequence[float]) -> list[float]:
        """Return the heights, increased where the names of the units need more room.

        Adjacent actions with the same units share one cell.
        """
        heights = list(heights)
        for column, text_of in self._unit_columns:
            for text, run in group_runs(rows, text_of):
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
        heights = self._with_units(part.rows, part.heights)
        stretch = max(need - sum(heights), 0) / len(heights)
        boxes = []
        for height in heights:
            numbers = [self._add_row(each) for each in row_heights(height + stretch)]
            boxes.append((numbers[0], numbers[-1]))
        for index, (row, box) in enumerate(zip(part.rows, boxes, strict=True)):
            edges = {"top": "hair" if index else "", "bottom": "" if box is boxes[-1] else "hair"}
            self._write_action(row, *box, edges)
        for column, text_of in self._unit_columns:
            for text, run in group_runs(part.rows, text_of):
                write_box(self.sheet, (boxes[run[0]][0], column, boxes[run[-1]][1], column), text, CENTERED)
        bottom = self.row - 1
        text = rich(*join_paragraphs(part.texts))
        write_box(self.sheet, (top, layout.REQUIREMENT, bottom, layout.REQUIREMENT), text, CELL)
        write_box(self.sheet, (top, layout.VERDICT, bottom, layout.VERDICT), part.verdict, CELL)

    def _write_action(self, row: ActionRow, first: int, last: int, edges: dict[str, str]) -> None:
        layout, action = self.layout, row.action

        def put(column: int, value: Any, style: Style) -> None:
            write_box(self.sheet, (first, column, last, column), value, style.replace(**edges))

        put(layout.ACTION, row.text, CELL)
        for column, text, style in self._period_cells(action):
            put(column, text, style)
        if action and not action.first_period_id and layout.periods:
            box = (first, layout.FIRST_PERIOD, last, layout.lead - 1)
            write_box(self.sheet, box, "ไม่ปรากฏในเอกสาร", UNSCHEDULED.replace(**edges))
        if layout.with_status:
            for column, (value, style) in enumerate(status_cells(action, row.result), start=layout.status):
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


def group_runs(rows: Sequence[ActionRow], text_of: Callable[[ActionItem | None], str]) -> list[tuple[str, list[int]]]:
    """Return (text, indexes) of each run of adjacent rows whose actions have the same text."""
    groups = groupby(range(len(rows)), key=lambda index: text_of(rows[index].action))
    return [(text, list(indexes)) for text, indexes in groups]
