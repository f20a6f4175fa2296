"""URLs and forms that are too large."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT

from plan.models import ActionItem
from pmqa_tracker.posted_fields import MOST_FIELDS, recover_fields
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.hold.site import START_SECONDS, is_open
from tests.observatory import score
from tests.plan.posting import typed
from tests.test_pages import no_inline

ROOT = Path(__file__).resolve().parent.parent.parent
HTMX = {"HX-Request": "true"}
BACK = "กดปุ่มย้อนกลับของเบราว์เซอร์"
WORDS = "ข้อความที่พิมพ์ไว้"


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
    assert_said(sent[0], 413, "1.0 เมกะไบต์", BACK, "<html", "ก" * 200_000 if "2563" in where else "")
    assert "<html" not in assert_said(sent[1], 413, "1.0 เมกะไบต์", "ข้อความของท่านยังอยู่ในแบบฟอร์ม")
    assert sent[1].headers["X-Refusal"] == "true"


def test_too_many_fields_or_files_name_the_limit(client, staff, settings, tmp_path):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_NUMBER_FILES = 50, 2
    rows = {"row": [f"1.1-A-1|1|{number}" for number in range(60)]}
    assert_said(client.post("/plans/2563/my/unchanged/", rows), 413, "50", "เลือก", BACK)
    assert_said(client.get("/plans/2563/actions/?" + "&".join(["a=1"] * 60)), 413, "50", BACK)
    (tmp_path / "a.txt").write_text("x")
    files = [(tmp_path / "a.txt").open("rb") for _ in range(3)]
    sent = {"files": files, "result": WORDS, "links": f"ลิงก์ {WORDS}"}
    assert_said(client.post("/plans/2563/actions/1.1-A-1/", sent), 413, "2 ไฟล์", f">{WORDS}<", f"ลิงก์ {WORDS}", "a.txt")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_text_before_and_after_the_limit_is_kept_with_its_label(client, staff, settings, content_type):
    """Fields and bytes beyond the limit, also with too many parameters in the URL."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 50
    fields = {"result": WORDS, "row": [str(number) for number in range(60)], "next_step": f"ต่อไป {WORDS}"}
    data, content_type = (
        (fields, MULTIPART_CONTENT) if "multi" in content_type else (urlencode(fields, True), content_type)
    )
    for query in ("", "?" + "&".join(["a=1"] * 60)):
        answer = client.post(f"/plans/2563/actions/1.1-A-1/{query}", data, content_type=content_type)
        body = assert_said(answer, 413, "50", f">{WORDS}</textarea>", f">ต่อไป {WORDS}</textarea>")
        assert "ผลการดำเนินการ" in body


def test_more_files_than_are_stored_are_refused_by_the_form(client, staff):
    files = [SimpleUploadedFile("a.txt", b"x") for _ in range(40)]
    data = typed(ActionItem.objects.get(), files=files, result=WORDS)
    answer = client.post("/plans/2563/actions/1.1-A-1/", data)
    body = assert_said(answer, 422, "10 ไฟล์", f"{WORDS}</textarea>")
    assert body.count("“a.txt”") == 15


def test_a_body_of_any_size_needs_bounded_memory(rf, settings):
    """It is read to its end, and only twice the limit is kept, in at most `MOST_FIELDS` fields."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
    for data in (b"result=" + b"x" * 3_000_000, b"a=1&" * 750_000):
        request = rf.post("/", data, content_type="application/x-www-form-urlencoded")
        recover_fields(request)
        kept = sum(len(name) + len(value) for name, values in request.POST.lists() for value in values)
        assert kept <= 200_000
        assert request.read(1) == b""
        assert sum(len(values) for _name, values in request.POST.lists()) in (1, MOST_FIELDS)


@pytest.fixture
def server(tmp_path):
    """Start the site with gunicorn, as `make run` does; return its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"], "PMQA_ENV_FILE": "", "SECRET_KEY": "x" * 60, "PMQA_DEMO": "True",
        "DATA_DIR": str(tmp_path), "PYTHONUTF8": "1", "DEBUG": "True", "SECURE_SSL": "True", "BEHIND_PROXY": "True",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "pmqa_tracker.wsgi", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, "--no-control-socket", "--workers", "1", "--log-level", "critical"], cwd=ROOT, env=environment
    )
    try:
        end = time.monotonic() + START_SECONDS
        while not is_open(port):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def answer_to(port, head):
    """Return the response to a client that sends its whole request before it reads."""
    with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection:
        connection.sendall(head)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received.decode()


@pytest.mark.apart
def test_server_answers_what_it_refuses_itself_in_thai_and_with_all_headers(server):
    host = "Host: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n"
    asked = [(200, f"GET /login/?q={'x' * 4_500} HTTP/1.1\r\n{host}\r\n", "เข้าสู่ระบบ")]
    for letters in (8_100, 20_000, 1_000_000):
        asked.append((414, f"GET /login/?q={'x' * letters} HTTP/1.1\r\n{host}\r\n", "ที่อยู่เว็บยาวเกินไป"))
    asked.append((431, f"GET / HTTP/1.1\r\n{host}X-Long: {'x' * 20_000}\r\n\r\n", "เบราว์เซอร์ส่งข้อมูลประกอบมากเกินไป"))
    asked.append((400, "not a request\r\n\r\n", "ระบบไม่สามารถอ่านคำขอนี้ได้"))
    asked.append((501, f"POST / HTTP/1.1\r\n{host}Transfer-Encoding: x\r\n\r\n", "ระบบไม่สามารถอ่านคำขอนี้ได้"))
    for status, head, words in asked:
        received = answer_to(server, head.encode())
        assert received.startswith(f"HTTP/1.1 {status} "), received[:200]
        assert words in received
        assert status != 414 or BACK in received
        lines = received.split("\r\n\r\n", 1)[0].split("\r\n")[1:]
        headers = dict(line.split(": ", 1) for line in lines)
        assert score(headers, []) >= 115
        assert "no-store" in headers["Cache-Control"]
