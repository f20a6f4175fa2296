"""Excel charts of the progress report, drawn from cells, in the colours of the site."""

from collections.abc import Sequence

from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Font, Paragraph, ParagraphProperties, RichTextProperties
from openpyxl.worksheet.worksheet import Worksheet

from spreadsheets.styles import FONT

EXPECTED, ACTUAL, FORECAST, EARLIER = "6B645B", "2B2A6C", "8F8DC9", "B9B2A8"
CHART_FONT_SIZE = 1200  # hundredths of a point


def build_bar_chart(
    sheet: Worksheet, title: str, header_row: int, rows: tuple[int, int], columns: Sequence[int], colours: Sequence[str]
) -> BarChart:
    """Build a stacked bar chart with a bar per row of a table; the first column names the bars.

    Args:
        sheet: the sheet with the table.
        title: title of the chart.
        header_row: row with the headings, which name the parts of a bar.
        rows: first and last row of the table.
        columns: columns with the parts of a bar.
        colours: colour of each part.
    """
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "bar", "stacked", 100, 55
    for column, colour in zip(columns, colours, strict=True):
        chart.add_data(Reference(sheet, min_col=column, min_row=header_row, max_row=rows[1]), titles_from_data=True)
        chart.series[-1].graphicalProperties = GraphicalProperties(solidFill=colour)
    chart.set_categories(Reference(sheet, min_col=1, min_row=rows[0], max_row=rows[1]))
    chart.x_axis.scaling.orientation = "maxMin"  # the first row on top
    chart.y_axis.crosses = "max"  # so the numbers stand below the bars
    chart.y_axis.majorUnit = None
    _set_style(chart, title, "จำนวนรายการ")
    chart.width, chart.height = 33.0, min(max(8.0, 0.8 * (rows[1] - rows[0] + 1) + 4), 17.0)
    return chart


def build_column_chart(
    sheet: Worksheet, title: str, header_row: int, rows: tuple[int, int], column: int, colour: str
) -> BarChart:
    """Build a chart of upright bars from one column of a table."""
    chart = BarChart()
    chart.type, chart.gapWidth = "col", 60
    chart.add_data(Reference(sheet, min_col=column, min_row=header_row, max_row=rows[1]), titles_from_data=True)
    chart.series[0].graphicalProperties = GraphicalProperties(solidFill=colour)
    chart.set_categories(Reference(sheet, min_col=1, min_row=rows[0], max_row=rows[1]))
    _set_style(chart, title, "จำนวนรายการ")
    chart.legend = None
    return chart


def build_days_chart(sheet: Worksheet, title: str, header_row: int, rows: tuple[int, int]) -> BarChart:
    """Build a bar chart from columns 2 and 3 of a table: figures on the earlier day and now."""
    chart = BarChart()
    chart.type, chart.gapWidth, chart.overlap = "bar", 60, 0
    for column, colour in ((2, EARLIER), (3, ACTUAL)):
        chart.add_data(Reference(sheet, min_col=column, min_row=rows[0], max_row=rows[1]))
        name = Reference(sheet, min_col=column, min_row=header_row)
        chart.series[-1].tx = SeriesLabel(strRef=StrRef(str(name)))
        chart.series[-1].graphicalProperties = GraphicalProperties(solidFill=colour)
    chart.set_categories(Reference(sheet, min_col=1, min_row=rows[0], max_row=rows[1]))
    chart.x_axis.scaling.orientation = "maxMin"  # the first row on top
    chart.y_axis.crosses = "max"  # so the numbers stand below the bars
    _set_style(chart, title, "")
    return chart


def build_curve_chart(
    sheet: Worksheet, title: str, header_row: int, rows: tuple[int, int], first_column: int
) -> LineChart:
    """Build a line chart from four columns of a table: month, expected, actual and forecast."""
    chart = LineChart()
    for place, colour in enumerate((EXPECTED, ACTUAL, FORECAST), start=1):
        column = first_column + place
        chart.add_data(Reference(sheet, min_col=column, min_row=header_row, max_row=rows[1]), titles_from_data=True)
        line = LineProperties(solidFill=colour, w=30_000, prstDash="solid" if colour == ACTUAL else "dash")
        chart.series[-1].graphicalProperties = GraphicalProperties(ln=line)
        chart.series[-1].smooth = False
    chart.set_categories(Reference(sheet, min_col=first_column, min_row=rows[0], max_row=rows[1]))
    _set_style(chart, title, "ร้อยละ")
    chart.x_axis.txPr = _rich_text(1000)  # the months of a year in one line
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0, 100
    chart.dispBlanksAs = "gap"
    return chart


def _set_style(chart: BarChart | LineChart, title: str, values: str) -> None:
    """Set the titles, axes, size and fonts of a chart."""
    chart.title, chart.y_axis.title = title, values or None
    chart.width, chart.height = 21.0, 10.5
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.numFmt = "0"
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="E3DDD5"))
    chart.legend.position = "b"
    for part in (chart.x_axis, chart.y_axis, chart.legend):
        part.txPr = _rich_text(CHART_FONT_SIZE)
    for text, size in ((chart.title, 1500), (chart.y_axis.title, CHART_FONT_SIZE)):
        for paragraph in text.tx.rich.p if text else ():
            paragraph.pPr = ParagraphProperties(defRPr=_font(size))
            for run in paragraph.r or ():
                run.rPr = _font(size)


def _font(size: int) -> CharacterProperties:
    font = Font(typeface=FONT)
    return CharacterProperties(sz=size, b=size > CHART_FONT_SIZE, latin=font, cs=font)


def _rich_text(size: int) -> RichText:
    return RichText(
        bodyPr=RichTextProperties(), p=[Paragraph(pPr=ParagraphProperties(defRPr=_font(size)), endParaRPr=_font(size))]
    )
