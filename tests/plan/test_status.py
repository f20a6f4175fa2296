"""Status table: complete, with enough contrast, and the only place with names and colours of statuses."""

import ast
import re
from pathlib import Path

import pytest

from plan.management.commands.status_css import FILE, stylesheet
from plan.models import STATUSES, Change, Due, Health, Status
from plan.models.looks import FAMILIES, INK, WHITE
from tests.test_house import ROOT, committed

TABLE = {"plan/models/status.py", "plan/models/looks.py"}
# Background tasks have a DONE state too.
OTHER_MEANING = {("pmqa_tracker/tasks/models.py", "DONE")}


def product(*patterns: str) -> list[Path]:
    """Return the product's own files, without tests, measurements and migrations."""
    left_out = {"tests", "bench", "migrations", "vendor", "fixtures"}
    return [path for path in committed(*patterns) if not left_out.intersection(path.relative_to(ROOT).parts)]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it, 1 to 21."""

    def luminance(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_status_has_rules():
    assert set(STATUSES) == set(Status)
    assert {status for status in Status if not status.is_open} == {Status.DONE, Status.CANCELLED}


@pytest.mark.parametrize("choices", [Status, Health, Due, Change])
def test_every_look_has_an_icon(choices):
    drawings = set(re.findall(r'<symbol id="(\w+)"', (ROOT / "static/img/icons.svg").read_text()))
    assert {each.look.icon for each in choices} <= drawings


def test_the_stylesheet_is_made_from_the_table():
    assert FILE.read_text() == stylesheet(), "run make status-css"


@pytest.mark.parametrize("colours", FAMILIES, ids=lambda each: each.name)
def test_colours_have_enough_contrast(colours):
    grounds = [(colours.text, WHITE), (colours.text, colours.background), (INK, colours.tint)]
    grounds.append(
        (colours.on_chart, WHITE if colours.on_chart == INK else colours.chart)
    )  # dark text has a white plate
    assert [pair for pair in grounds if contrast(*pair) < 4.5] == []


def test_no_other_file_has_a_colour_of_a_status():
    known = {value for each in FAMILIES for value in (each.text, each.background, each.tint, each.chart, each.lines)}
    colour = re.compile(r"\b(?:" + "|".join(sorted(known - {WHITE})) + r")\b", re.IGNORECASE)
    found = {
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in product("*.py", "*.js", "*.css", "*.html")
        for match in colour.finditer(path.read_text())
        if str(path.relative_to(ROOT)) not in TABLE and path != FILE
    }
    assert found == set()


def test_no_other_module_spells_a_status():
    found = {
        (str(path.relative_to(ROOT)), node.value)
        for path in product("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in Status.values
    }
    assert {each for each in found if each[0] not in TABLE} == OTHER_MEANING


def test_no_script_spells_a_status():
    word = re.compile(r"\b(?:" + "|".join(Status.values) + r")\b")
    assert [path.name for path in product("static/*.js") if word.search(path.read_text())] == []
