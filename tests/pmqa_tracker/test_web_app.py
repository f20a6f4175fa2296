"""The site as an app: its manifest, and the files that are kept for the page without a connection."""

import re
import struct
from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.contrib.staticfiles import finders
from django.test import Client


def static_file(url):
    return Path(finders.find(url.removeprefix("/static/")))


@pytest.mark.parametrize("language", ["th", "en"])
def test_manifest_installs_the_site_in_the_language_of_the_user(client, language):
    client.cookies["django_language"] = language
    manifest = client.get("/manifest.webmanifest").json()
    assert manifest["lang"] == language
    assert manifest["name"] == {"th": "ระบบติดตามแผนพัฒนาองค์การ", "en": "Improvement plan tracker"}[language]
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    for icon in manifest["icons"]:
        sizes = struct.unpack(">16x2I", static_file(icon["src"]).read_bytes()[:24])
        assert "{}x{}".format(*sizes) == icon["sizes"]
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}


def test_every_file_of_the_offline_page_is_kept_and_readable_without_login(db):
    client = Client()
    script = client.get("/service-worker.js")
    assert script.headers["Content-Type"] == "text/javascript"
    page, *kept = re.findall(r'^  "(.+)",$', script.content.decode(), re.MULTILINE)
    page = page.encode().decode("unicode-escape")
    kept = {path.encode().decode("unicode-escape") for path in kept}
    body = client.get(page).content.decode()
    used = {urljoin(page, url) for url in re.findall(r'<(?:link|script|img)[^>]* (?:href|src)="([^"]+)"', body)}
    assert used == kept
    client = Client()
    client.cookies["django_language"] = "en"
    assert page.encode() not in client.get("/service-worker.js").content  # another page for another language
    assert all(static_file(url).is_file() for url in kept)
