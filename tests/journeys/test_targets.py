"""Sizes of touch targets on a phone, and digits on charts."""

import pytest

from plan.models import Plan
from tests.journeys.looks import AT_REST, becomes
from tests.pages import addresses

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
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


# The pages of a reader that hold something else than the coordinator's.
OF_READERS = ("my", "owed", "action", "reports", "reporting", "period_report")


@pytest.mark.parametrize("username", ["staff", "manager", "coordinator"])
def test_touch_targets_are_large_enough_and_not_covered(enter, live_server, username):
    page = enter(username, "my/")
    small, moved, covered = [], [], []
    plan = Plan.objects.get()
    asked = addresses(plan) | {"waiting_report": f"/plans/{plan.slug}/reporting/กน./3/"}
    for name, address in asked.items():
        if username == "manager" and name not in OF_READERS:
            continue
        page.goto(f"{live_server.url}{address}")
        assert becomes(page, AT_REST)
        if username == "coordinator":
            covered += [f"{name}: {each}" for each in page.evaluate(OVERLAPS)]
        page.set_viewport_size({"width": 360, "height": 800})
        page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true })")
        assert becomes(page, AT_REST)
        small += [f"{name}: {each}" for each in page.evaluate(MEASURE, [LEAST, OFTEN, ", ".join(TAPPED_MOST)])]
        moved += [f"{name}: {each}" for each in page.evaluate(MOVED)]
        page.set_viewport_size({"width": 1280, "height": 800})
    assert not covered, "\n".join(covered)
    assert not small, "\n".join(small)
    assert not moved, "\n".join(moved)


def test_touch_targets_of_an_open_row_are_large_enough(enter):
    page = enter("staff")
    page.set_viewport_size({"width": 360, "height": 800})
    page.locator(".work-buttons .button").first.click()
    page.locator(".status-choice label").first.wait_for()
    assert becomes(page, AT_REST)
    assert page.evaluate(MEASURE, [LEAST, OFTEN, ", ".join(TAPPED_MOST)]) == []


@pytest.mark.parametrize("locale", ["th-TH-u-nu-thai", "ar-EG"])
def test_numbers_on_charts_are_in_arabic_digits(enter, browser, locale):
    """Whatever digits the browser's language uses."""
    page = enter("manager", on=browser.new_context(locale=locale).new_page())
    assert page.evaluate("new Intl.NumberFormat().format(25)") != "25"
    assert becomes(page, "() => [...document.querySelectorAll('canvas.chart')].every((each) => Chart.getChart(each))")
    assert becomes(page, AT_REST)
    labels = page.evaluate(
        "Object.values(Chart.instances).flatMap((chart) => Object.values(chart.scales)"
        ".flatMap((scale) => scale.ticks.map((tick) => String(tick.label))))"
    )
    assert any(label.strip(" %").isascii() and label.strip(" %").isdecimal() for label in labels)
    assert [label for label in labels if any(sign.isdecimal() and not sign.isascii() for sign in label)] == []
