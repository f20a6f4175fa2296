"""Fixtures of the browser tests: the department's plan on a live server, logins and console errors."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from assignments.models import User
from tests.conftest import DEMO_PASSWORD, load
from tests.journeys import sessions

VIOLATION = "violated the content security policy"
# The console of a browser does not name every violation.
REPORT_VIOLATIONS = f"""document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`{VIOLATION}: ${{event.effectiveDirective}} ${{event.blockedURI}}`))"""


@pytest.fixture(autouse=True)
def _obeys_the_policy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail in any journey in which a page of any browser violates its content security policy."""
    found: list[str] = []
    new_context = Browser.new_context

    def listen(message: ConsoleMessage) -> None:
        if re.search(f"Content Security Policy|{VIOLATION}", message.text):
            found.append(f"{message.page.url if message.page else ''}: {message.text}")

    def watched(browser: Browser, *args: Any, **kwargs: Any) -> Any:
        context = new_context(browser, *args, **{"service_workers": "block", **kwargs})
        context.on("console", listen)
        context.add_init_script(REPORT_VIOLATIONS)
        return context

    monkeypatch.setattr(Browser, "new_context", watched)
    yield
    assert found == []


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """Errors of the browser console, including CSP refusals; a test must end without any."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # that is a page left before all of it had come
            found.append(f"{request.failure}: {request.url}")

    page.on("requestfailed", failed)
    yield found
    # An answer that refuses a form is an error to the console, not to us.
    assert [text for text in found if not re.search(r"status of (403|404|409|410|413|422)", text)] == []


@pytest.fixture
def department(transactional_db: None, settings: Any, kept: Path) -> None:
    """The department's plan with demo accounts and history, committed for the live server."""
    settings.PMQA_DEMO, settings.PMQA_DEMO_PASSWORD = True, DEMO_PASSWORD
    load(kept, "seed", "demo")
    User.objects.update(has_closed_introduction=True)


@pytest.fixture
def enter(live_server: Any, department: None, page: Page, complaints: list[str]) -> Callable[..., Page]:
    """Log in as a demonstration user by a session cookie: `enter("staff")` opens their first page.

    A journey that begins elsewhere names that page of the plan: `enter("staff", "units/")`.
    """

    def inner(username: str, path: str | None = None, *, on: Page = page) -> Page:
        sessions.log_in(on.context, live_server.url, username)
        on.goto(f"{live_server.url}{'/' if path is None else f'/plans/2562-2563/{path}'}")
        expect(on.get_by_role("navigation", name="เมนูหลัก")).to_be_visible()
        return on

    return inner


@pytest.fixture
def enter_by_form(live_server: Any, department: None, page: Page, complaints: list[str]) -> Callable[..., Page]:
    """Log in through the form, for the journeys that are about logging in."""

    def inner(username: str, *, on: Page = page) -> Page:
        on.goto(f"{live_server.url}/")
        on.get_by_label("ชื่อผู้ใช้").fill(username)
        on.get_by_label("รหัสผ่าน").fill(DEMO_PASSWORD)
        on.get_by_role("button", name="เข้าสู่ระบบ").click()
        expect(on.get_by_role("navigation", name="เมนูหลัก")).to_be_visible()
        return on

    return inner
