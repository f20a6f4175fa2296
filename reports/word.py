"""How a Word file is written: A4, the Thai font for every script, tables whose heading repeats."""

from collections.abc import Sequence

from docx import Document
from docx.document import Document as WordFile
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from pmqa_tracker.cells import clean_text

# The font a Thai office writes in; where it is not installed, Word takes the one named as its alternative.
FONT, ALTERNATIVE = "TH Sarabun New", "Sarabun"
SIZE, SMALL = 16, 14  # points: TH Sarabun New is small for its size
INDIGO = RGBColor(0x2B, 0x2A, 0x6C)
FONT_TABLE = "/word/fontTable.xml"
HEADINGS = {"Title": 22, "Heading 1": 20, "Heading 2": 18}


def new_document(title: str, footer: str) -> WordFile:
    """An empty A4 document in the Thai font; the footer says `footer` and the page's number."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2)
    section.top_margin = section.bottom_margin = Cm(2)
    for style in document.styles:
        if style.type == WD_STYLE_TYPE.PARAGRAPH:
            set_font(style, HEADINGS.get(style.name, SIZE), bold=style.name in HEADINGS)
    for name in ("Normal", "List Bullet"):
        document.styles[name].paragraph_format.space_after = Pt(4)
        document.styles[name].paragraph_format.line_spacing = 1.0
    for name in HEADINGS:
        document.styles[name].font.color.rgb = INDIGO
        document.styles[name].paragraph_format.keep_with_next = True
    _name_alternative(document)
    document.core_properties.title = clean_text(title)
    line = section.footer.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    add_text(line, f"{footer}  ", size=SMALL)
    _add_field(line, "PAGE")
    return document


def set_font(style: ParagraphStyle, size: float, *, bold: bool = False) -> None:
    """Give a style the Thai font and a size in points, for Latin and for Thai, which Word keeps apart."""
    style.font.name, style.font.size, style.font.bold = FONT, Pt(size), bold
    properties = style.element.get_or_add_rPr()
    _set_scripts(properties, size, bold=bold)


def _set_scripts(properties: BaseOxmlElement, size: float, *, bold: bool) -> None:
    """The same for complex scripts, of which Thai is one: font, size, weight and language have names of their own."""
    fonts = properties.get_or_add_rFonts()
    for name in list(fonts.attrib):
        if name.endswith("Theme"):
            del fonts.attrib[name]
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), FONT)
    for tag, attributes in (
        ("w:szCs", {"w:val": str(round(size * 2))}),
        ("w:bCs", {"w:val": "1" if bold else "0"}),
        ("w:lang", {"w:val": "th-TH", "w:bidi": "th-TH"}),
    ):
        for old in properties.findall(qn(tag)):
            properties.remove(old)
        element = OxmlElement(tag)
        for name, value in attributes.items():
            element.set(qn(name), value)
        _insert(properties, element)


# The order in which the standard wants what a run's properties hold (ISO/IEC 29500-1, 17.3.2.28).
ORDER = (
    *("rStyle", "rFonts", "b", "bCs", "i", "iCs", "caps", "smallCaps", "strike", "dstrike", "outline", "shadow"),
    *("emboss", "imprint", "noProof", "snapToGrid", "vanish", "webHidden", "color", "spacing", "w", "kern", "position"),
    *("sz", "szCs", "highlight", "u", "effect", "bdr", "shd", "fitText", "vertAlign", "rtl", "cs", "em", "lang"),
)


def _insert(properties: BaseOxmlElement, element: BaseOxmlElement) -> None:
    """Put an element where the standard wants it."""
    place = ORDER.index(element.tag.rpartition("}")[2])
    for sibling in properties:
        name = sibling.tag.rpartition("}")[2]
        if name in ORDER and ORDER.index(name) > place:
            sibling.addprevious(element)
            return
    properties.append(element)


def add_text(
    paragraph: Paragraph, text: str, *, bold: bool = False, size: float = SIZE, color: RGBColor | None = None
) -> None:
    """Add text to a paragraph."""
    run = paragraph.add_run(clean_text(text))
    run.bold, run.font.size = bold, Pt(size)
    if color is not None:
        run.font.color.rgb = color
    _set_scripts(run._element.get_or_add_rPr(), size, bold=bold)


def add_table(
    document: WordFile,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    numbers: Sequence[int] = (),
    fills: Sequence[Sequence[str]] = (),
) -> None:
    """Add a table whose heading is repeated on each page and whose rows are not torn apart.

    Args:
        document: where.
        header: the headings.
        rows: the texts, row by row.
        widths: of the columns, in cm.
        numbers: the columns set to the right.
        fills: row by row, the cells' colours as RRGGBB; empty for none.
    """
    table = document.add_table(rows=0, cols=len(header))
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    _set_margins(table._tbl.tblPr)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Cm(width)
    for place, texts in enumerate([header, *rows]):
        row = table.add_row()
        _mark_row(row._tr, is_heading=place == 0)
        for column, text in enumerate(texts):
            cell = row.cells[column]
            cell.width = Cm(widths[column])
            line = cell.paragraphs[0]
            line.paragraph_format.space_after = Pt(0)
            line.paragraph_format.keep_with_next = place == 0
            if column in numbers:
                line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            add_text(line, text, bold=place == 0, size=SMALL)
            fill = "E6E5F4" if place == 0 else fills[place - 1][column] if fills else ""
            if fill:
                _shade(cell, fill)
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _set_margins(properties: BaseOxmlElement) -> None:
    """A millimetre left and right of the text of each cell."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "57")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    look = properties.find(qn("w:tblLook"))
    if look is None:
        properties.append(margins)
    else:
        look.addprevious(margins)


def _mark_row(row: BaseOxmlElement, *, is_heading: bool) -> None:
    properties = row.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if is_heading:
        properties.append(OxmlElement("w:tblHeader"))


def _shade(cell: _Cell, fill: str) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", fill)):
        shade.set(qn(name), value)
    cell._element.get_or_add_tcPr().append(shade)


def _add_field(paragraph: Paragraph, code: str) -> None:
    """A field Word computes, such as PAGE."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._element.append(field)


def _name_alternative(document: WordFile) -> None:
    """Name in the table of fonts what Word takes where the font is not installed."""
    for part in document.part.package.iter_parts():
        if str(part.partname) == FONT_TABLE:
            entry = f'<w:font w:name="{FONT}"><w:altName w:val="{ALTERNATIVE}"/><w:charset w:val="DE"/></w:font>'
            part._blob = part.blob.replace(b"</w:fonts>", entry.encode() + b"</w:fonts>")
