"""Pages of a PDF by LibreOffice: their text in the order of the cells, and the texts that do not fit into their cells.

LibreOffice prints a text that fits into its cell without a clip. It clips a text that does not fit to the cell, and
leaves out lines that are wholly outside. So the PDF tells exactly what a reader of the paper does not see.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# Parts of letters that count as cut off, in em above and below the line they stand on.
TOP, BOTTOM = 0.5, 0.12
SLACK = 1.0  # points

OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\s*(.*?)\nendobj", re.DOTALL)
NUMBER = r"(-?[\d.]+)"
# Operators that begin with a number come last, and only at its first digit: a page is mostly numbers.
OPERATOR = re.compile(
    r"(?P<save>\bq\b)|(?P<restore>\bQ\b)|(?P<begin>\bBT\b)|(?P<end>\bEMC\b)"
    rf"|(?P<font>/(F\d+) {NUMBER} Tf)|(?P<actual>ActualText<FEFF([0-9A-F]+)>)"
    r"|(?P<show>\[[^\]]*\]\s*TJ|<[0-9A-F]+>\s*Tj)"
    rf"|(?<![\d.-])(?:(?P<box>{NUMBER} {NUMBER} {NUMBER} {NUMBER} re\s+W\*? n)"
    rf"|(?P<move>{NUMBER} {NUMBER} Td\b)|(?P<turn>{NUMBER} {NUMBER} {NUMBER} {NUMBER} {NUMBER} {NUMBER} Tm\b))"
)
SHOWN = re.compile(r"<([0-9A-F]+)>|(-?[\d.]+)")


@dataclass(frozen=True)
class Box:
    """A clip, in points from the lower left corner of the page."""

    left: float = 0
    bottom: float = 0
    right: float = 10_000
    top: float = 10_000


@dataclass
class PdfFont:
    """A font of a PDF: number of bytes of a code, code → letters, code → width in em."""

    size: int = 1
    letters: dict[int, str] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)


@dataclass
class Run:
    """Letters printed in one go: where they begin and end on their line, their size, the clip around them.

    A text that is turned, as beside the axis of a chart, has no place on a line.
    """

    text: str
    left: float
    right: float
    line: float
    size: float
    clip: Box
    is_turned: bool = False

    @property
    def is_on_line(self) -> bool:
        """Whether it has letters to see on a line."""
        return bool(self.text.strip()) and not self.is_turned

    @property
    def is_cut(self) -> bool:
        """Whether a part of a letter is outside the clip."""
        return self.is_on_line and (
            self.line - BOTTOM * self.size < self.clip.bottom - SLACK
            or self.line + TOP * self.size > self.clip.top + SLACK
            or self.left < self.clip.left - SLACK
            or self.right > self.clip.right + SLACK
        )


class Pdf:
    """A PDF that LibreOffice wrote."""

    def __init__(self, data: bytes) -> None:
        self.objects = {int(number): body for number, body in OBJECT.findall(data)}
        self.fonts: dict[bytes, PdfFont] = {}

    def pages(self) -> Iterator[list[Run]]:
        """Yield the runs of text of each page, in the order in which they are printed."""
        for number in self._page_numbers():
            body = self.objects[number]
            resources = self._referred(rb"/Resources (\d+) 0 R", body)
            fonts = self._referred(rb"/Font (\d+) 0 R", resources)
            known = {name.decode(): self._font(int(each)) for name, each in re.findall(rb"/(F\d+) (\d+) 0 R", fonts)}
            yield list(read_runs(self._stream(self._referred(rb"/Contents (\d+) 0 R", body)).decode("latin1"), known))

    def _page_numbers(self) -> list[int]:
        """Return the numbers of the objects of the pages, in order."""
        tree = next(body for body in self.objects.values() if b"/Type/Pages" in body)
        (kids,) = re.findall(rb"/Kids\[(.*?)\]", tree, re.DOTALL)
        return [int(each) for each in re.findall(rb"(\d+) 0 R", kids)]

    def _referred(self, pattern: bytes, body: bytes) -> bytes:
        """Return the object that a pattern finds in another; empty if there is none."""
        found = re.search(pattern, body)
        return self.objects[int(found[1])] if found else b""

    def _stream(self, body: bytes) -> bytes:
        """Return the unpacked stream of an object."""
        return zlib.decompressobj().decompress(re.split(rb"stream\r?\n", body, maxsplit=1)[1])

    def _font(self, number: int) -> PdfFont:
        """Read a font of one byte a letter."""
        body = self.objects[number]
        first = re.search(rb"/FirstChar (\d+)", body)
        widths = re.search(rb"/Widths\[(.*?)\]", body, re.DOTALL)
        font = PdfFont()
        if first and widths:
            font.widths = {code: int(width) / 1000 for code, width in enumerate(widths[1].split(), start=int(first[1]))}
        letters = self._referred(rb"/ToUnicode (\d+) 0 R", body)
        if letters:
            for code, text in re.findall(rb"<([0-9A-F]{2})> <((?:[0-9A-F]{4})+)>\n", self._stream(letters)):
                font.letters[int(code, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
        return font


def read_runs(content: str, fonts: Mapping[str, PdfFont]) -> Iterator[Run]:
    """Yield the runs of text of a page."""
    clips, clip = [], Box()
    x = y = size = 0.0
    font, actual, is_turned = PdfFont(), None, False
    for found in OPERATOR.finditer(content):
        kind, values = found.lastgroup, [each for each in found.groups() if each is not None][1:]
        if kind == "save":
            clips.append(clip)
        elif kind == "restore":
            clip = clips.pop()
        elif kind == "box":
            left, bottom, width, height = map(float, values)
            clip = Box(
                max(clip.left, left), max(clip.bottom, bottom),
                min(clip.right, left + width), min(clip.top, bottom + height),
            )  # fmt: skip
        elif kind == "move":
            x, y = map(float, values)
            is_turned = False
        elif kind == "turn":
            *turn, x, y = map(float, values)
            is_turned = turn[1:3] != [0, 0]
        elif kind == "font":
            font, size = fonts[values[0]], float(values[1])
        elif kind == "actual":
            actual = bytes.fromhex(values[0]).decode("utf-16-be")
        elif kind == "end":
            actual = None
        elif kind == "show":
            text, width = "", 0.0
            for codes, kern in SHOWN.findall(found["show"]):
                for code in bytes.fromhex(codes):
                    text += font.letters.get(code, "")
                    width += font.widths.get(code, 0)
                width -= float(kern or 0) / 1000
            text, actual = (text, actual) if actual is None else (actual, "")
            yield Run(text, x, x + width * size, y, size, clip, is_turned)
            x += width * size


def overlapping(runs: list[Run]) -> list[tuple[str, str]]:
    """Return pairs of texts that are printed over each other."""
    found, lines = [], sorted((run for run in runs if run.is_on_line), key=lambda run: run.line)
    for index, run in enumerate(lines):
        for other in lines[index + 1 :]:
            distance = other.line - run.line
            if distance > TOP * run.size:
                break
            if distance > SLACK and run.left + SLACK < other.right and other.left + SLACK < run.right:
                found.append((run.text, other.text))
    return found
