"""The form in a row on a phone: its buttons are in view and never cover the focused element."""

import pytest
from playwright.sync_api import expect

from assignments.models import Unit, User
from plan.models import ActionItem
from tests import sizes
from tests.journeys.looks import comes_true
from tests.journeys.sessions import log_in

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
BOXES = """() => {
  const box = (element) => { const { top, bottom } = element.getBoundingClientRect(); return [top, bottom]; };
  return { bar: box(document.querySelector('.form-buttons.is-in-view')), focus: box(document.activeElement),
           name: document.activeElement.name || document.activeElement.tagName,
           isBar: !!document.activeElement.closest('.is-in-view'), height: innerHeight };
}"""


def is_in_view(boxes):
    """Whether the whole bar is on the screen."""
    top, bottom = boxes["bar"]
    return 0 <= top < bottom <= boxes["height"] + 1


def is_clear(boxes, scripts):
    """Whether the focused element is in the bar or above it.

    Without scripts the browser brings the line with the cursor into view, not the whole text box.
    """
    top, bottom = boxes["focus"]
    return boxes["isBar"] or (bottom if scripts else top + 30) <= boxes["bar"][0] + 1


@pytest.mark.parametrize(
    ("scripts", "role", "language"),
    [
        pytest.param(True, "LEAD", "th", id="scripts-lead"),
        pytest.param(False, "SUPPORT", "th", id="no scripts-support"),
        *([pytest.param(True, "SUPPORT", "en", id="scripts-support")] if sizes.IS_FULL else []),
        *([pytest.param(False, "LEAD", "en", id="no scripts-lead")] if sizes.IS_FULL else []),
    ],
)
def test_the_button_is_in_view_and_covers_nothing(
    browser, live_server, department, role, language, scripts, report_progress
):
    # Without motion: what is measured is where a scroll ends.
    screen = {"viewport": {"width": 360, "height": 800}, "reduced_motion": "reduce"}
    context = browser.new_context(**screen, java_script_enabled=scripts)
    context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    log_in(context, live_server.url, "staff")
    unit = Unit.objects.get(abbreviation="สพม.")
    units = [unit] if role == "LEAD" else [unit, *unit.collectives.all()]
    actions = ActionItem.objects.filter(assignments__unit__in=units, assignments__role=role)
    action = actions.exclude(status__in=("DONE", "CANCELLED")).distinct().order_by("-ref").first()
    report_progress(action, User.objects.get(username="coordinator"), result="รายงานก่อนหน้า")
    page = context.new_page()
    page.goto(f"{live_server.url}/plans/2562-2563/my/{action.ref}/?closed=1&role={role}")  # in an open fold
    row = page.locator(f'[id="row-{action.ref}"]')
    row.locator(".work-buttons a.button").click()
    button = row.locator(".form-send")
    expect(button).to_be_visible()
    expect(row.locator(".last-report")).to_contain_text("รายงานก่อนหน้า")
    assert comes_true(lambda: is_in_view(page.evaluate(BOXES)))
    boxes = page.evaluate(BOXES)
    assert boxes["bar"][1] - boxes["bar"][0] < 100
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    row.locator("form.update-form :is(input, textarea):visible").first.focus()
    seen = set()
    for _step in range(14):
        assert comes_true(lambda: is_clear(page.evaluate(BOXES), scripts)), page.evaluate(BOXES)
        boxes = page.evaluate(BOXES)
        if boxes["isBar"]:
            break
        seen.add(boxes["name"])
        page.keyboard.press("Tab")
    assert "result" in seen
    assert boxes["isBar"]
    context.close()
