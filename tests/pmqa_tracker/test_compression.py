"""Pages are compressed for browsers that accept it; files are not."""

import gzip

import pytest
from django.test import Client

from pmqa_tracker.compression import deflate, join
from tests.factories import ActionItemFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    ActionItemFactory(plan__slug="2563")
    client = Client(headers={"accept-encoding": "gzip"})
    client.force_login(UserFactory(roles=["coordinator"]))
    return client


def test_page_is_compressed_and_its_length_tells_nothing(client):
    answers = [client.get("/plans/2563/actions/") for _ in range(12)]
    assert all(answer.headers["Content-Encoding"] == "gzip" for answer in answers)
    assert all("Accept-Encoding" in answer.headers["Vary"] for answer in answers)
    assert "<h1" in gzip.decompress(answers[0].content).decode()
    assert len({len(answer.content) for answer in answers}) > 6  # Django adds up to 100 random bytes


def test_kept_texts_are_joined_with_what_is_around_them():
    texts = ["".join(f"<p>{word} {number}</p>" for number in range(400)) for word in ("ก", "ข", "not on the page")]
    page = f"<html>{texts[0]}<form>ก 1</form>{texts[1]}<p>short</p></html>".encode()
    kept = [(text, deflate(text)) for text in (*texts, "<p>short</p>")]
    joined = join(page, kept, b"aaa")
    assert gzip.decompress(joined) == page
    assert [deflated in joined for _text, deflated in kept[:3]] == [True, True, False]
    assert deflate("<p>short</p>") == b""


def test_browser_that_cannot_decompress_gets_text(client):
    answer = client.get("/plans/2563/actions/", headers={"accept-encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert "<h1" in answer.content.decode()


def test_workbook_is_not_compressed_again(client):
    answer = client.get("/plans/2563/actions.xlsx")
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
