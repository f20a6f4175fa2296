"""Icons and colours of statuses, for pages, charts, workbooks and mails.

`python manage.py status_css` writes it as `static/css/status.css`. Colours are RGB in hexadecimal, without "#".
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Colours:
    """A family of colours.

    Attributes:
        name: prefix of its CSS custom properties: "done" makes `--done`, `--done-soft`, `--done-tint`, `--done-chart`.
        text: text on white or on `background`.
        background: background of text.
        tint: stronger than `background`, but light enough for text in INK; fills the bars of the timeline.
        chart: fills a segment of a chart.
        on_chart: text on `chart`.
        lines: pattern on `chart`.
    """

    name: str
    text: str
    background: str
    tint: str
    chart: str
    on_chart: str
    lines: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """Icon, colours and pattern of a status; colour alone never identifies it.

    Attributes:
        icon: the name of a drawing in `static/img/icons.svg`.
        pattern: drawn on the fill of a chart: "rising", "falling", "crossed", "dotted" or none.
    """

    icon: str
    colours: Colours
    pattern: str = ""


WHITE, INK = "FFFFFF", "26231F"
GREEN = Colours(
    name="done", text="146B3C", background="E3F3EA", tint="B5DEC7", chart="146B3C", on_chart=WHITE, lines=WHITE
)
BLUE = Colours(
    name="in-progress", text="1F5FBF", background="E4EDFA", tint="B9D0F2",
    chart="1F5FBF", on_chart=WHITE, lines="4D86D8",
)  # fmt: skip
AMBER = Colours(
    name="blocked", text="9A5200", background="FDF0D9", tint="F3CF8D", chart="E39A2D", on_chart=INK, lines="B06A00"
)
RED = Colours(
    name="overdue", text="B3261E", background="FBE7E5", tint="F2BDB8", chart="B3261E", on_chart=WHITE, lines=WHITE
)
GREY = Colours(
    name="not-started", text="6A655F", background="EEEBE7", tint="EEEBE7", chart="C9C3BA", on_chart=INK, lines="A59C91"
)
PALE = Colours(
    name="cancelled", text="6A655F", background="F3F1EE", tint="F3F1EE", chart="8D867D", on_chart=INK, lines=WHITE
)
FAMILIES = (GREEN, BLUE, AMBER, RED, GREY, PALE)

DONE = Look(icon="done", colours=GREEN)
IN_PROGRESS = Look(icon="in_progress", colours=BLUE, pattern="rising")
BLOCKED = Look(icon="blocked", colours=AMBER, pattern="falling")
NOT_STARTED = Look(icon="not_started", colours=GREY, pattern="dotted")
CANCELLED = Look(icon="cancelled", colours=PALE, pattern="crossed")
OVERDUE = Look(icon="overdue", colours=RED)
ON_TRACK = Look(icon="on_track", colours=GREEN)
SLIPPING = Look(icon="slipping", colours=AMBER)
BEHIND = Look(icon="behind", colours=RED)
SILENT = Look(icon="silent", colours=AMBER)
NONE = Look(icon="none", colours=GREY)
