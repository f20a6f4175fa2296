"""Request ids on pages and in the log, and what the log does not contain."""

import json
import logging
import re

import pytest
from django.test import Client

from pmqa_tracker.log_format import JsonFormatter, RequestFilter, TextFormatter
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
SECRET = "ความลับ ที่พิมพ์ไว้"


@pytest.fixture
def log():
    """Return the lines that the site logs, as production writes them."""

    class Lines(logging.Handler):
        def emit(self, record):
            self.lines.append(self.format(record))
            self.texts.append(TextFormatter().format(record))

    handler = Lines()
    handler.lines, handler.texts = [], []
    handler.addFilter(RequestFilter())
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger(), logging.getLogger("django.request"), logging.getLogger("pmqa.request")]
    before = loggers[2].level
    for each in loggers[:2]:
        each.addHandler(handler)
    loggers[2].setLevel(logging.INFO)
    yield handler.lines
    assert SECRET not in "".join(handler.texts)
    for each in loggers[:2]:
        each.removeHandler(handler)
    loggers[2].setLevel(before)


def test_line_of_a_request_says_who_what_and_how_long_without_the_query(log, staff, action, client):
    response = client.get(f"/plans/2563/actions/?q={SECRET}")
    line = json.loads(log[-1])
    assert {name: line[name] for name in ("level", "method", "path", "status", "user", "plan", "request_id")} == {
        "level": "INFO", "method": "GET", "path": "/plans/2563/actions/", "status": 200, "user": staff.pk,
        "plan": "2563", "request_id": response["X-Request-ID"],
    }  # fmt: skip
    assert line["milliseconds"] >= 0
    assert SECRET not in "".join(log)


def test_password_typed_text_and_tokens_are_in_no_line(log, staff, action, client, monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError(f"cannot read {SECRET!r} or {kwargs}")

    Client().post("/login/", {"username": staff.username, "password": PASSWORD})
    Client().post("/login/", {"username": staff.username, "password": SECRET})
    client.get("/password/MQ/a-token-of-an-invitation/")
    client.raise_request_exception = False
    monkeypatch.setattr("plan.updates.views.record_update", broken)
    monkeypatch.setattr("plan.actions.views.answer_update", broken)
    response = client.post(f"/plans/2563/actions/{action.ref}/", {"result": SECRET, "password": PASSWORD})
    assert response.status_code == 500
    text = "\n".join(log)
    assert "ValueError" in text
    for secret in (PASSWORD, SECRET, "a-token-of-an-invitation", client.cookies[next(iter(client.cookies))].value):
        assert secret not in text
    assert json.loads(log[-1])["request_id"] in response.content.decode()


@pytest.mark.parametrize(
    ("is_behind_proxy", "given", "is_kept"),
    [
        (True, "abc-123_DEF.4", True),
        (False, "abc-123_DEF.4", False),
        (True, "a b\n", False),
        (True, "short", False),
        (True, "x" * 65, False),
    ],
)
def test_id_of_the_proxy_is_used_only_behind_one_and_if_well_formed(settings, is_behind_proxy, given, is_kept):
    settings.PMQA_BEHIND_PROXY = is_behind_proxy
    response = Client().get("/healthz", headers={"x-request-id": given})
    assert (response["X-Request-ID"] == given) is is_kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", response["X-Request-ID"])


def test_every_error_page_shows_the_reference(client, staff, plan, settings):
    long = "/?q=" + "x" * 9000
    csrf = Client(enforce_csrf_checks=True)
    csrf.force_login(staff)
    for response, status in (
        (client.get("/nowhere/"), 404),
        (client.get("/nowhere/", headers={"hx-request": "true"}), 404),
        (client.get(long), 414),
        (csrf.post("/plans/2563/my/"), 403),
        (Client().post("/plans/2563/my/"), 403),
        (client.post("/plans/2563/my/", {"form_owner": "999"}), 409),
        (client.post("/plans/2563/my/", {f"f{number}": "" for number in range(10_001)}), 413),
    ):
        assert (response.status_code, response["X-Request-ID"] in response.content.decode()) == (status, True)


def test_error_in_a_command_or_task_is_a_json_line(log):
    try:
        raise RuntimeError("no disk")
    except RuntimeError:
        logging.getLogger("pmqa_tracker.tasks").exception("A task failed: %s", "report")
    line = json.loads(log[-1])
    assert (line["level"], line["message"], line["logger"]) == ("ERROR", "A task failed: report", "pmqa_tracker.tasks")
    assert "RuntimeError: no disk" in line["error"]
