"""The yellow boxes that show the comments of a sheet (VML, the only form that every Excel reads)."""

from collections.abc import Collection, Mapping

from lxml import etree

from spreadsheets.edited import parse

SPACES = {
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "x": "urn:schemas-microsoft-com:office:excel",
}
V, OFFICE, X = (f"{{{space}}}" for space in SPACES.values())
DECLARED = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
LAYOUT = '<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout>'
NO_SHAPES = f"<xml {DECLARED}>{LAYOUT}</xml>".encode()
SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
SHAPE_ID = "_x0000_s"
FIRST_NUMBER, BLOCK = 1025, 1024  # of a shape, as Excel counts; it lists the blocks of numbers in use
WIDTH, LINE_HEIGHT, LINE_LETTERS = 260, 16, 42  # points, and letters that fit into a line
MOST_LINES = 20
MOST_DIGITS = 10  # of a number in a drawing

Place = tuple[int, int]  # row and column of a cell, from 1


def with_shapes(drawing: bytes, gone: Collection[Place], added: Mapping[Place, str]) -> bytes:
    """Return the drawing of a sheet with the shapes of some comments removed and of others added.

    Args:
        drawing: the VML part, such as `NO_SHAPES`.
        gone: cells whose comment was removed.
        added: cells that got a comment → its text, which decides the size of the box.

    Raises:
        UneditableError: the drawing is broken.
    """
    root = parse(drawing)
    numbers = [FIRST_NUMBER - 1]
    for shape in root.findall(f"{V}shape"):
        if _place_of(shape) in gone or _place_of(shape) in added:
            root.remove(shape)
        numbers.append(_number((shape.get("id") or "").removeprefix(SHAPE_ID)) or 0)
    kinds = {each.get("id") for each in root.findall(f"{V}shapetype")}
    shapes = [_shape(number, place, text) for number, (place, text) in enumerate(added.items(), start=max(numbers) + 1)]
    blocks = {number // BLOCK for number in range(max(numbers) + 1, max(numbers) + 1 + len(added))}
    for used in root.iter(f"{OFFICE}idmap"):
        listed = set(map(_number, (used.get("data") or "1").split(","))) - {None}
        used.set("data", ",".join(map(str, sorted(blocks | listed))))
    root.extend(
        parse(f"<xml {DECLARED}>{'' if '_x0000_t202' in kinds else SHAPE_TYPE}{''.join(shapes)}</xml>".encode())
    )
    return etree.tostring(root, encoding="unicode").encode()  # Excel writes no declaration here


def _place_of(shape: etree._Element) -> Place | None:
    """The cell whose comment a shape shows; None for another shape."""
    row, column = (_number(shape.findtext(f"{X}ClientData/{X}{name}", "")) for name in ("Row", "Column"))
    return None if row is None or column is None else (row + 1, column + 1)


def _number(text: str) -> int | None:
    """The number that a text holds; None without one, or for one that no drawing can have."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def _shape(number: int, place: Place, text: str) -> str:
    lines = sum(1 + len(line) // LINE_LETTERS for line in text.splitlines())
    height = LINE_HEIGHT * min(max(lines, 2) + 1, MOST_LINES)
    row, column = place
    return (
        f'<v:shape id="{SHAPE_ID}{number}" type="#_x0000_t202" style="position:absolute;margin-left:60pt;'
        f'margin-top:2pt;width:{WIDTH}pt;height:{height}pt;z-index:1;visibility:hidden" fillcolor="#ffffe1" '
        'o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>'
        '<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div>'
        '</v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:AutoFill>False</x:AutoFill>'
        f"<x:Row>{row - 1}</x:Row><x:Column>{column - 1}</x:Column></x:ClientData></v:shape>"
    )
