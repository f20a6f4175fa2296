"""Mark cells of an uploaded workbook with a fill, a border and a comment; everything else stays as it was.

The fill and the border are one conditional format over the marked cells, so that no cell and no style changes. Marks of
an earlier time are known by the formula of that format and by the first words of the comments; they are replaced. A
reader of cells sees neither.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string
from openpyxl.utils.exceptions import CellCoordinatesException

from spreadsheets.edited import (
    STRICT,
    TRANSITIONAL,
    EditedWorkbook,
    UneditableError,
    insert_in_order,
    local_name,
    namespace_of,
    parse,
    serialize,
)
from spreadsheets.note_shapes import NO_SHAPES, with_shapes
from spreadsheets.parts import PartsError
from spreadsheets.text import clean_text
from spreadsheets.values import list_sheets

AUTHOR = "PMQA Tracker"
SIGN = f"{AUTHOR}: "  # begins a comment; LibreOffice does not keep the author
ADDITION = f"\n\n{SIGN}"  # begins what is added to a comment of the user
RULE = 'N("PMQA Tracker")=0'  # always true; names the format
FILL, BORDER = "FFFFD9D2", "FFC0392B"
AREAS_PER_RULE = 200  # Excel writes no longer lists of cells
LATER_IN_SHEET = (
    "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup",
    "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags",
    "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls",
    "AlternateContent", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
LATER_IN_STYLES = ("dxfs", "tableStyles", "colors", "extLst")
CELLS = re.compile(rb"<((?:[\w.-]+:)?sheetData)\b(?:[^>]*/>|.*</\1\s*>)", re.DOTALL)
COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
SHAPES_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A cell to mark.

    Attributes:
        sheet: name of the sheet; one that the workbook does not have stands for the first visible sheet.
        row, column: numbers from 1; 0 for the whole sheet or the whole row, of which the first cell is marked.
        text: the comment; several for one cell are put together.
    """

    sheet: str
    row: int
    column: int
    text: str


def mark_workbook(data: bytes, marks: Sequence[Mark]) -> bytes:
    """Return a workbook with marked cells.

    Args:
        data: content of the file, which was read without an error before.
        marks: the cells to mark.

    Raises:
        UneditableError: the workbook cannot be edited without a guess at what it means.
    """
    book = EditedWorkbook(data)
    try:
        listed, _is_1904 = list_sheets(book.parts)
        sheets = {
            name.strip(): (part, state)
            for number, (name, state, relation) in enumerate(listed, start=1)
            if (part := book.parts.worksheet(relation, number))
        }
    except PartsError as error:
        raise UneditableError from error
    visible = next((part for part, state in sheets.values() if state not in ("hidden", "veryhidden")), None)
    texts: dict[str, dict[str, list[str]]] = {part: {} for part, _state in sheets.values()}
    for mark in sorted(marks, key=lambda mark: (mark.row, mark.column)):
        part = sheets.get(mark.sheet.strip(), (visible, ""))[0]
        if part is None:
            raise UneditableError(mark.sheet)
        address = f"{get_column_letter(mark.column or 1)}{mark.row or 1}"
        texts[part].setdefault(address, []).append(clean_text(mark.text))
    style = _add_style(book)
    for part, cells in texts.items():
        try:
            _mark_sheet(book, part, {address: "\n\n".join(each) for address, each in cells.items()}, style)
        except UneditableError:
            if cells:
                raise  # a broken sheet of the user is not read either
    return book.save()


def _add_style(book: EditedWorkbook) -> int | None:
    """Add the fill and the border to the styles, and return their number; None for a workbook without styles."""
    name = book.parts.styles
    if name is None:
        return None
    root = book.tree(name)
    space = namespace_of(root)
    styles = root.find(f"{{{space}}}dxfs")
    if styles is None:
        styles = etree.Element(f"{{{space}}}dxfs")
        insert_in_order(root, styles, LATER_IN_STYLES)
    sides = "".join(
        f'<{side} style="thin"><color rgb="{BORDER}"/></{side}>' for side in ("left", "right", "top", "bottom")
    )
    fill = f'<patternFill patternType="solid"><fgColor rgb="{FILL}"/><bgColor rgb="{FILL}"/></patternFill>'
    made = parse(f'<dxf xmlns="{space}"><fill>{fill}</fill><border>{sides}</border></dxf>'.encode())
    number = len(styles)
    styles.append(made)
    styles.set("count", str(number + 1))
    book.write(name, root)
    return number


def _mark_sheet(book: EditedWorkbook, part: str, texts: Mapping[str, str], style: int | None) -> None:
    """Mark the cells of one sheet; only take earlier marks away if it has none."""
    content = book.read(part)
    cells = CELLS.search(content)
    if cells is None:
        raise UneditableError(part)
    empty = b"<%s/>" % cells[1]
    # Most of a sheet is its cells: they keep their bytes, and only the rest becomes a tree.
    root = parse(content[: cells.start()] + empty + content[cells.end() :])
    is_changed = _set_rules(root, texts, style) | _set_comments(book, part, root, texts)
    if is_changed:
        made = serialize(root)
        if made.count(empty) != 1:
            raise UneditableError(part)
        book.changed[part] = made.replace(empty, cells[0])


def _set_rules(root: etree._Element, texts: Mapping[str, str], style: int | None) -> bool:
    """Replace the conditional formats of the marks; return whether the sheet has changed."""
    space = namespace_of(root)
    earlier = [each for each in root.iter(f"{{{space}}}cfRule") if each.findtext(f"{{{space}}}formula") == RULE]
    for rule in earlier:
        area = rule.getparent()
        area.remove(rule)
        if not area.findall(f"{{{space}}}cfRule"):
            area.getparent().remove(area)
    addresses = list(texts) if style is not None else []
    for start in range(0, len(addresses), AREAS_PER_RULE):
        area = etree.Element(f"{{{space}}}conditionalFormatting")
        area.set("sqref", " ".join(addresses[start : start + AREAS_PER_RULE]))
        rule = etree.SubElement(area, f"{{{space}}}cfRule", type="expression", dxfId=str(style), priority="1")
        etree.SubElement(rule, f"{{{space}}}formula").text = RULE
        insert_in_order(root, area, LATER_IN_SHEET)
    return bool(earlier or addresses)


def _set_comments(book: EditedWorkbook, part: str, root: etree._Element, texts: Mapping[str, str]) -> bool:
    """Replace the comments of the marks, with the shapes that show them; return whether the sheet has changed."""
    space = namespace_of(root)
    is_strict = space.startswith(STRICT)
    related = {each.id: each for each in book.parts.relations(part)}
    name = next((each.target for each in related.values() if each.kind == "comments"), None)
    if name is None and not texts:
        return False
    if name:
        comments = book.tree(name)
    else:
        comments = parse(f'<comments xmlns="{space}"><authors/><commentList/></comments>'.encode())
    before = etree.tostring(comments)
    gone, added = _edit_comments(comments, texts)
    if etree.tostring(comments) == before:
        return False
    if name is None:
        name = book.new_name("xl/comments{}.xml")
        book.relate(part, "comments", name, is_strict=is_strict)
        book.set_type(COMMENTS_TYPE, part=name)
    book.write(name, comments)
    drawing = root.find(f"{{{space}}}legacyDrawing")
    if drawing is not None:
        key = next((value for attribute, value in drawing.items() if attribute.endswith("}id")), "")
        if key in related:
            shapes = related[key].target
            book.changed[shapes] = with_shapes(book.read(shapes), gone, added)
            return True
        root.remove(drawing)  # it leads nowhere
    shapes = book.new_name("xl/drawings/vmlDrawing{}.vml")
    everything = {_place(each.get("ref", "")): "" for each in comments.iter(f"{{{space}}}comment")} | added
    book.changed[shapes] = with_shapes(NO_SHAPES, (), everything)
    book.set_type(SHAPES_TYPE, extension="vml")
    base = f"{STRICT}/officeDocument" if is_strict else f"{TRANSITIONAL}/officeDocument/2006"
    drawing = etree.Element(f"{{{space}}}legacyDrawing", nsmap={"r": f"{base}/relationships"})
    drawing.set(f"{{{base}/relationships}}id", book.relate(part, "vmlDrawing", shapes, is_strict=is_strict))
    insert_in_order(root, drawing, LATER_IN_SHEET)
    return True


def _edit_comments(
    comments: etree._Element, texts: Mapping[str, str]
) -> tuple[Collection[tuple[int, int]], Mapping[tuple[int, int], str]]:
    """Take the comments of earlier marks away and add new ones; to a comment of the user the text is added.

    Returns:
        The (row, column) of cells that have no comment any more, and of those that got one, with its text.
    """
    space = namespace_of(comments)
    authors, listed = comments.find(f"{{{space}}}authors"), comments.find(f"{{{space}}}commentList")
    if authors is None or listed is None:
        raise UneditableError("comments")
    names = [(each.text or "").strip() for each in authors]
    if texts and AUTHOR not in names:
        etree.SubElement(authors, f"{{{space}}}author").text = AUTHOR
        names.append(AUTHOR)
    ours = str(names.index(AUTHOR)) if texts else ""
    gone = set()
    theirs = {}
    for comment in [each for each in listed if local_name(each) == "comment"]:
        pieces = list(comment.iter(f"{{{space}}}t"))
        if "".join(piece.text or "" for piece in pieces).startswith(SIGN):
            listed.remove(comment)
            gone.add(_place(comment.get("ref", "")))
            continue
        theirs[comment.get("ref")] = comment
        for piece in pieces:
            piece.text = (piece.text or "").partition(ADDITION)[0]
    added = {}
    for address, text in texts.items():
        if address in theirs:
            body = theirs[address].find(f"{{{space}}}text")
            if body is None:
                raise UneditableError("comments")
            piece = etree.SubElement(etree.SubElement(body, f"{{{space}}}r"), f"{{{space}}}t")
            piece.text = ADDITION + text
        else:
            comment = etree.SubElement(listed, f"{{{space}}}comment", ref=address, authorId=ours)
            piece = etree.SubElement(etree.SubElement(comment, f"{{{space}}}text"), f"{{{space}}}t")
            piece.text = SIGN + text
            added[_place(address)] = text
        piece.set(SPACE, "preserve")
    return gone, added


def _place(address: str) -> tuple[int, int]:
    """The (row, column) of a cell, from 1."""
    try:
        column, row = coordinate_from_string(address)
    except (ValueError, CellCoordinatesException) as error:
        raise UneditableError(address) from error
    return row, column_index_from_string(column)
