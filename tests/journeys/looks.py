"""What a page looks like to everybody: what axe-core finds wrong, and whether it fits its screen."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # what passed is not written down: half the time
}


# A bar that sticks to the edge of the screen covers what is scrolled under it, to axe as too small a target.
UNSTUCK = """() => {
  for (const each of document.querySelectorAll("main *")) {
    if (getComputedStyle(each).position === "sticky") each.style.position = "static";
  }
}"""


def violations(page: Page) -> list[tuple[str, str]]:
    """(rule, the first piece of HTML that breaks it) of WCAG 2.2 AA and axe's best practice; none is right."""
    page.evaluate(UNSTUCK)
    found = Axe().run(page, options=RULES).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def widths(page: Page) -> tuple[int, int]:
    """How wide what the page holds is, and its screen, in CSS pixels."""
    wide, screen = page.locator("html").evaluate("node => [node.scrollWidth, node.clientWidth]")
    return wide, screen


def check(page: Page, state: str) -> None:
    """Nothing is wrong with the page in this state, and it does not scroll sideways."""
    wide, screen = widths(page)
    assert (violations(page), wide <= screen) == ([], True), state
