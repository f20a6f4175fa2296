"""Take the screenshots of docs/ and the manual from a new demonstration in a temporary folder (`make screenshots`)."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PLAN = "2562-2563"
# File, demonstration account, page, width and height in CSS pixels, scale.
PICTURES = (
    ("docs/overview.png", "manager", f"/plans/{PLAN}/dashboard/", 1280, 1180, 1),
    ("docs/my.png", "staff", f"/plans/{PLAN}/my/", 360, 1180, 1.5),
    # The main pages on both widths, for docs/pages.md.
    *(
        (f"docs/pages/{name}-{width}.png", user, f"/plans/{PLAN}/{address}/", width, 800, 1)
        for name, user, address in (
            ("my", "staff", "my"),
            ("dashboard", "manager", "dashboard"),
            ("timeline", "manager", "timeline"),
            ("unit", "manager", "units/สพม."),
            ("criteria", "manager", "criteria"),
            ("actions", "manager", "actions"),
        )
        for width in (1280, 360)
    ),
)
# The same for the manual, in both languages: static/img/help/<language>/<file>.
MANUAL = (
    ("my.png", "staff", f"/plans/{PLAN}/my/", 390, 760, 1.5),
    ("period-report.png", "staff", f"/plans/{PLAN}/reporting/สพม./4/", 1024, 720, 1),
    ("dashboard.png", "manager", f"/plans/{PLAN}/dashboard/", 1024, 720, 1),
    ("timeline.png", "manager", f"/plans/{PLAN}/timeline/?open=1.4", 1024, 720, 1),
    ("criteria.png", "assessor", f"/plans/{PLAN}/criteria/", 1024, 720, 1),
    ("import.png", "coordinator", f"/plans/{PLAN}/import/", 1024, 720, 1),
)
COLOURS = 128  # of a picture, which keeps it small
STARTS_WITHIN_SECONDS = 300


def free_port() -> int:
    """Return a free port from 20100 to 20199."""
    for port in range(20100, 20200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise LookupError("No port from 20100 to 20199 is free.")


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers; raise TimeoutError if it does not."""
    end = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise TimeoutError("The demonstration did not start.")


def take(browser: Browser, site: str, password: str) -> None:
    """Log in and take each screenshot."""
    pictures = [("th", *picture) for picture in PICTURES]
    pictures += [
        (language, f"static/img/help/{language}/{name}", *rest) for language in ("th", "en") for name, *rest in MANUAL
    ]
    for language, path, user, page_url, width, height, scale in pictures:
        page = browser.new_page(
            viewport={"width": width, "height": height}, device_scale_factor=scale, locale="th-TH", color_scheme="light"
        )
        page.goto(f"{site}/login/")
        page.locator("[name=username]").fill(user)
        page.locator("[name=password]").fill(password)
        page.locator("[name=password]").press("Enter")
        page.locator(".user-menu").wait_for()
        if language != "th":
            page.locator(".language-switch button").click()
        page.goto(site + page_url)
        close = page.locator(".introduction button")
        if close.count():
            close.click()
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        page.screenshot(path=ROOT / path, animations="disabled")
        with Image.open(ROOT / path) as picture:
            # The most different colours, so that the red of what is late stays red.
            few = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(ROOT / path, optimize=True)
        page.close()


def main() -> None:
    """Start a demonstration, take the screenshots, and stop it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        sys.exit("Chromium is not installed (sudo apt-get install chromium).")
    port, password = free_port(), secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "PMQA_ENV_FILE": "",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "PMQA_DEMO": "True",
            "PMQA_DEMO_PASSWORD": password,
            "PMQA_TODAY": "2020-05-15",
            "DATA_DIR": folder,
        }
        server = subprocess.Popen(  # noqa: S603 - of this project
            [ROOT / "scripts" / "serve", str(port)],
            cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for(port, server)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                take(browser, f"http://127.0.0.1:{port}", password)
        finally:
            server.terminate()
            server.wait(timeout=30)


if __name__ == "__main__":
    main()
