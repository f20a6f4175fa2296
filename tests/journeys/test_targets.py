"""Sizes of touch targets on a phone, and digits on charts."""

import re

import pytest
from django.test import Client

from assignments.models import User
from plan.models import Plan
from tests.journeys.looks import AT_REST, DRAWN, becomes
from tests.journeys.targets import small_or_moved
from tests.pages import addresses

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]

# Pages that hold other targets for a reader than for the coordinator, whose pages test_readers measures.
OF_READERS = ("my", "owed", "action", "reports", "reporting", "period_report", "waiting_report")
TARGET = re.compile(r"<(a|button|input|select|textarea|summary)\b([^>]*)")
CLASS = re.compile(r'class="([^"]*)"')


def targets_on(username, address):
    """Return (tag, class) of each kind of touch target in the content of a user's page."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    content = client.get(address).content.decode().partition("<main")[2]
    return {(tag, *CLASS.findall(attributes)) for tag, attributes in TARGET.findall(content)}


@pytest.mark.parametrize("username", ["staff", "manager"])
def test_touch_targets_of_readers_are_large_enough(enter, live_server, username):
    page = enter(username, "my/")
    plan = Plan.objects.get()
    wrong = []
    for name, address in (addresses(plan) | {"waiting_report": f"/plans/{plan.slug}/reporting/กน./3/"}).items():
        if name not in OF_READERS:
            if username == "staff":
                assert targets_on(username, address) <= targets_on("coordinator", address), name
            continue
        page.set_viewport_size({"width": 360, "height": 800})
        page.goto(f"{live_server.url}{address}")
        page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true })")
        assert becomes(page, AT_REST)
        wrong += [f"{name}: {each}" for each in small_or_moved(page)]
    assert not wrong, "\n".join(wrong)


def test_touch_targets_of_the_bell_and_an_open_row_are_large_enough(enter):
    page = enter("staff")
    page.set_viewport_size({"width": 360, "height": 800})
    page.locator("#bell summary").click()
    page.locator(".bell-panel h2").first.wait_for()
    assert becomes(page, AT_REST)
    assert small_or_moved(page) == []
    page.locator("#bell summary").click()
    page.locator(".work-buttons .button").first.click()
    page.locator(".status-choice label").first.wait_for()
    assert becomes(page, AT_REST)
    assert small_or_moved(page) == []


@pytest.mark.parametrize("locale", ["th-TH-u-nu-thai", "ar-EG"])
def test_numbers_on_charts_are_in_arabic_digits(enter, browser, locale):
    """Whatever digits the browser's language uses."""
    page = enter("manager", on=browser.new_context(locale=locale).new_page())
    assert page.evaluate("new Intl.NumberFormat().format(25)") != "25"
    page.mouse.move(5, 5)
    assert becomes(page, DRAWN)
    assert becomes(page, AT_REST)
    labels = page.evaluate(
        "Object.values(Chart.instances).flatMap((chart) => Object.values(chart.scales)"
        ".flatMap((scale) => scale.ticks.map((tick) => String(tick.label))))"
    )
    assert any(label.strip(" %").isascii() and label.strip(" %").isdecimal() for label in labels)
    assert [label for label in labels if any(sign.isdecimal() and not sign.isascii() for sign in label)] == []
