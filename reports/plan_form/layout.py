"""Columns of a sheet of the plan form, and how its blocks are split into printed pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from spreadsheets.styles import POINTS_PER_CHARACTER

PRINTABLE_WIDTH, PRINTABLE_HEIGHT = 784.0, 503.0  # points of A4 landscape inside the margins of `set_up_page`


@dataclass(frozen=True)
class Layout:
    """Numbers of the columns, counted from 1, and their widths in characters."""

    widths: tuple[float, ...]
    periods: int
    with_status: bool

    REQUIREMENT, VERDICT, ACTION, FIRST_PERIOD = 1, 2, 3, 4

    @classmethod
    def of(cls, periods: int, *, with_status: bool) -> "Layout":
        """Return the columns for a number of periods; all periods together are as wide as five."""
        each = max((36 if with_status else 43) / max(periods, 1), 5.2)
        if with_status:
            return cls((34, 20, 50, *[each] * periods, 11.5, 16.5, 14.5, 8, 31, 13), periods, with_status)
        return cls((39, 23, 58, *[each] * periods, 13.5, 17), periods, with_status)

    @property
    def is_narrow(self) -> bool:
        """Whether the column of a period is too narrow for "ต.ค.–ธ.ค." on one line."""
        return self.width(self.FIRST_PERIOD) < 7.5

    @property
    def lead(self) -> int:
        return self.FIRST_PERIOD + self.periods

    @property
    def support(self) -> int:
        return self.lead + 1

    @property
    def status(self) -> int:
        """The first of the four status columns."""
        return self.support + 1

    @property
    def last(self) -> int:
        return len(self.widths)

    def width(self, first: int, last: int | None = None) -> float:
        """Return the width of a column, or of the columns `first` to `last`."""
        return sum(self.widths[first - 1 : last or first])

    @property
    def page_height(self) -> float:
        """Height of the rows on a page, in points, after the sheet is shrunk to the width of the page."""
        return PRINTABLE_HEIGHT * max(sum(self.widths) * POINTS_PER_CHARACTER / PRINTABLE_WIDTH, 1)


def share_pages(
    actions: Sequence[float], texts: Sequence[float], need: float, room: float, page: float
) -> tuple[bool, list[tuple[int, int]]]:
    """Split a block into pages, between actions and between paragraphs of the requirement.

    Args:
        actions: heights of the actions, in points.
        texts: heights of the paragraphs.
        need: height of the verdict, which is printed on the first page only.
        room: height left on the current page.
        page: height of a new page.

    Returns:
        Whether the block starts on a new page, and (number of actions, number of paragraphs) per page. An action or
        paragraph higher than a page runs over the end of the page.
    """
    highest = max(sum(actions), sum(texts), need)
    if highest <= room:
        return False, [(len(actions), len(texts))]
    beginning = max(actions[0], texts[0], need)
    if beginning <= room or beginning > page:
        shares = _fill_pages(actions, texts, room, page)
        if highest > page or all(count for count, _texts in shares):
            return False, shares
    return room < page, _fill_pages(actions, texts, page, page)


def _fill_pages(actions: Sequence[float], texts: Sequence[float], room: float, page: float) -> list[tuple[int, int]]:
    shares = []
    while actions or texts:
        count, text_count = _fitting(actions, room), _fitting(texts, room)
        if not count and (not text_count or not shares):
            count = min(len(actions), 1)
        if not text_count and (not count or not shares):
            text_count = min(len(texts), 1)
        if 1 < count == len(actions) and text_count < len(texts):
            count -= 1  # leave an action for the text on the next page
        shares.append((count, text_count))
        actions, texts, room = actions[count:], texts[text_count:], page
    return shares


def _fitting(heights: Sequence[float], room: float) -> int:
    return sum(1 for height in accumulate(heights) if height <= room)
