"""Sizes and places of touch targets on a page at rest."""

from playwright.sync_api import Page

LEAST, OFTEN = 24, 44
# What staff and management tap most: its area is that of its label where it has one.
TAPPED_MOST = (
    ".site-nav a", ".tabs a", ".bell summary", ".user-menu summary", ".button", ".link-button", ".status-choice label",
    ".filter-form select", ".filter-form input", ".filter-form summary", "label.pick-area", ".chips a", ".state-link",
)  # fmt: skip

# The place of each thing that can be tapped, the part of a label that answers for it included; hidden ones left out.
MEASURE = """([least, often, most]) => {
  const found = [];
  for (const each of document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [tabindex='0']")) {
    if (!each.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (each.closest(".visually-hidden, .skip-link, svg")) continue;
    const box = (each.matches("[type=checkbox], [type=radio]") && each.closest("label") || each);
    const rects = [...box.getClientRects()];
    const width = Math.max(...rects.map((rect) => rect.width)), height = Math.max(...rects.map((rect) => rect.height));
    const isMost = each.matches(most) || box.matches(most);
    if (width + .5 < least || height + .5 < (isMost ? often : least))
      found.push(`${Math.round(width)} × ${Math.round(height)}: ${each.outerHTML.replace(/\\s+/g, " ").slice(0, 110)}`);
  }
  return found;
}"""

# Links that a margin moves out of their place: farther than their padding is wide, or with the box they are drawn as.
MOVED = """() => [...document.querySelectorAll("main a[href]")].filter((each) => {
  const style = getComputedStyle(each), [left, right] = [parseFloat(style.marginLeft), parseFloat(style.marginRight)];
  const isBox = style.borderRadius !== "0px" || style.backgroundColor !== "rgba(0, 0, 0, 0)";
  return left < (isBox ? 0 : -parseFloat(style.paddingLeft)) || right < (isBox ? 0 : -parseFloat(style.paddingRight));
}).map((each) => each.outerHTML.replace(/\\s+/g, " ").slice(0, 110))"""

# Links and buttons with a coloured box of their own that lie over one another.
OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll("main a[href], main button, main summary")].filter((each) => {
    const style = getComputedStyle(each);
    const isColoured = style.backgroundColor !== "rgba(0, 0, 0, 0)" || style.backgroundImage !== "none"
      || style.boxShadow !== "none";
    return isColoured && each.checkVisibility() && !["inline", "contents"].includes(style.display)
      && style.position !== "absolute" && !each.closest("svg, .visually-hidden");
  });
  const places = boxes.map((each) => each.getBoundingClientRect());
  return boxes.filter((each, one) => places.some((b, other) => {
    const a = places[one];
    return other > one && !each.contains(boxes[other])
      && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  })).map((each) => each.outerHTML.replace(/\\s+/g, " ").slice(0, 110));
}"""


def small_or_moved(page: Page) -> list[str]:
    """Return the touch targets of a phone's page that are too small or moved out of their place."""
    return page.evaluate(MEASURE, [LEAST, OFTEN, ", ".join(TAPPED_MOST)]) + page.evaluate(MOVED)


def covered(page: Page) -> list[str]:
    """Return the links and buttons that others cover."""
    return page.evaluate(OVERLAPS)
