"""URLs and forms that are too large."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.test_pages import no_inline

ROOT = Path(__file__).resolve().parent.parent.parent
HTMX = {"HX-Request": "true"}
BACK = "กดปุ่มย้อนกลับของเบราว์เซอร์"


@pytest.fixture
def staff(db, client):
    unit = UnitFactory()
    ActionItemFactory(plan__slug="2563", ref="1.1-A-1", lead=[unit])
    client.force_login(UserFactory(roles=["staff"], units=[unit], is_superuser=True))


def assert_said(response, status, *words):
    """Check that the response is a page, or for htmx a message, in Thai."""
    body = response.content.decode()
    assert response.status_code == status
    assert [word for word in words if word not in body] == []
    assert no_inline(body) == []
    return body


@pytest.mark.parametrize("where", ["/login/", "/plans/2563/actions/", "/admin/plan/actionitem/", "/nowhere/"])
def test_too_long_url_says_what_to_do(client, staff, where):
    address = f"{where}?q={quote('แผน' * 300)}"
    assert client.get(address[:8000]).status_code in (200, 302, 403, 404)
    assert_said(client.get(address), 414, "ที่อยู่เว็บยาวเกินไป", BACK, "<html")
    answer = client.get(address, headers=HTMX)
    assert "<html" not in assert_said(answer, 414, "ที่อยู่เว็บยาวเกินไป")
    assert answer.headers["X-Refusal"] == "true"


@pytest.mark.parametrize("content_type", ["multipart/form-data", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("where", ["/plans/2563/actions/1.1-A-1/", "/login/", "/admin/plan/actionitem/add/"])
def test_too_large_form_says_what_to_do(client, staff, settings, where, content_type):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
    data = {"result": "ก" * 400_000}
    if content_type != "multipart/form-data":
        data = f"result={quote(data['result'])}"
        sent = [client.post(where, data, content_type=content_type, headers=each) for each in ({}, HTMX)]
    else:
        sent = [client.post(where, data, headers=each) for each in ({}, HTMX)]
    assert_said(sent[0], 413, "1.0 เมกะไบต์", BACK, "<html")
    assert "<html" not in assert_said(sent[1], 413, "1.0 เมกะไบต์", "ข้อความของท่านยังอยู่ในแบบฟอร์ม")
    assert sent[1].headers["X-Refusal"] == "true"


def test_too_many_fields_or_files_name_the_limit(client, staff, settings, tmp_path):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_NUMBER_FILES = 50, 2
    rows = {"row": [f"1.1-A-1|1|{number}" for number in range(60)]}
    assert_said(client.post("/plans/2563/my/unchanged/", rows), 413, "50", "เลือก", BACK)
    assert_said(client.get("/plans/2563/actions/?" + "&".join(["a=1"] * 60)), 413, "50", BACK)
    (tmp_path / "a.txt").write_text("x")
    files = [(tmp_path / "a.txt").open("rb") for _ in range(3)]
    assert_said(client.post("/plans/2563/actions/1.1-A-1/", {"files": files}), 413, "2 ไฟล์")


@pytest.fixture
def server(tmp_path):
    """Start the site with gunicorn, as `make run` does; return its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"], "PMQA_ENV_FILE": "", "SECRET_KEY": "x" * 60, "PMQA_DEMO": "True",
        "DATA_DIR": str(tmp_path), "PYTHONUTF8": "1", "DEBUG": "True",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "pmqa_tracker.wsgi", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, "--no-control-socket", "--workers", "1", "--log-level", "critical"], cwd=ROOT, env=environment
    )
    try:
        for _attempt in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def answer_to(port, head):
    """Return the response to a client that sends its whole request before it reads."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received.decode()


@pytest.mark.apart
@pytest.mark.parametrize("letters", [4_500, 8_100, 20_000, 1_000_000])
def test_server_answers_any_too_long_url_in_thai(server, letters):
    ask = f"GET /login/?q={'x' * letters} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    received = answer_to(server, ask)
    if letters < 8_000:
        assert received.startswith("HTTP/1.1 200")
    else:
        assert received.startswith("HTTP/1.1 414")
        assert "ที่อยู่เว็บยาวเกินไป" in received
        assert BACK in received
