"""Checks of a page at rest: axe-core violations and horizontal overflow."""

import time
from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests import sizes

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # leaving out passed rules halves the time
}


# A bar that sticks to the edge of the screen covers what is scrolled under it, to axe as too small a target.
UNSTUCK = """() => {
  for (const each of document.querySelectorAll("main *")) {
    if (getComputedStyle(each).position === "sticky") each.style.position = "static";
  }
}"""


# The contrast of each text was two thirds of axe's time. Texts with the same element, class, colours, font and
# backgrounds have the same contrast: the first and the last of them are measured, in a full run all.
ONE_TEXT_OF_EACH_LOOK = """() => {
  const behind = new Map(), found = new Map();
  const backgrounds = (each) => {
    if (!each) return "";
    if (!behind.has(each)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(each);
      const own = `${backgroundColor} ${backgroundImage} ${opacity}`;
      behind.set(each, backgrounds(each.parentElement) + (own === "rgba(0, 0, 0, 0) none 1" ? "" : `/${own}`));
    }
    return behind.get(each);
  };
  for (const each of document.querySelectorAll("body *")) {
    const isText = [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!(isText || each.value) || !each.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight, position, textShadow } = getComputedStyle(each);
    const look = [each.tagName, each.className, each.parentElement.className, each.disabled, color, fontSize,
      fontWeight, position, textShadow, backgrounds(each)].join();
    const [first] = found.get(look) ?? [each];
    found.set(look, [first, each]);
  }
  document.querySelectorAll("[data-measured]").forEach((each) => { delete each.dataset.measured; });
  [...found.values()].flat().forEach((each) => { each.dataset.measured = ""; });
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-measured]" }] });
}"""
AXE = Axe().axe_script


# All charts of the page are drawn; their library may still be on its way.
DRAWN = "() => window.Chart && [...document.querySelectorAll('canvas.chart')].every((each) => Chart.getChart(each))"
AT_REST = """() => document.readyState === "complete" && document.fonts.status === "loaded"
  && document.getAnimations().every((each) =>
    each.playState !== "running" || each.effect?.getComputedTiming().endTime === Infinity)"""


def becomes(page: Page, condition: str, *, seconds: float = 30) -> bool:
    """Whether a JavaScript function returns true within the time.

    For states that `expect` has no word for. Playwright's own wait_for_function needs eval, which the CSP forbids.
    """
    return page.evaluate(f"""async () => {{
        const holds = {condition}, end = Date.now() + {seconds * 1000};
        while (!holds()) {{
            if (Date.now() > end) return false;
            await new Promise((next) => setTimeout(next, 20));
        }}
        return true;
    }}""")


def violations(page: Page) -> list[tuple[str, str]]:
    """Return (rule, first offending HTML) of each violation of WCAG 2.2 AA and axe's best practices."""
    assert becomes(page, AT_REST)
    page.evaluate(UNSTUCK)
    page.evaluate(AXE)
    if not sizes.IS_FULL:
        page.evaluate(ONE_TEXT_OF_EACH_LOOK)
    found = page.evaluate("rules => axe.run(rules)", RULES)["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def fits_the_screen(page: Page) -> bool:
    """Whether the page becomes no wider than its screen."""
    return becomes(page, "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def check(page: Page, state: str, *, axe_at: int = 1280) -> None:
    """Assert that the page fits phone and desktop width and that axe finds no violation.

    axe looks once at each state, at the width `axe_at`; in a full run at every width. The screen is as wide afterwards
    as before.
    """
    before = page.viewport_size
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": before["height"]})
        assert becomes(page, AT_REST)
        assert fits_the_screen(page), (state, width)
        if sizes.IS_FULL or width == axe_at:
            assert violations(page) == [], (state, width)
    page.set_viewport_size(before)


def has_drafts(page: Page, count: int) -> bool:
    """Whether the browser stores this many drafts."""
    return becomes(
        page, f"() => Object.keys(localStorage).filter((key) => key.startsWith('draft/')).length === {count}"
    )


def comes_true(condition: Callable[[], bool], *, seconds: float = 30) -> bool:
    """Whether a condition becomes true within the time, polled from Python: pages without scripts have no timers."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
