"""Score of a response by the rules of Mozilla's HTTP Observatory.

The modifiers are those of its published methodology (developer.mozilla.org/observatory/docs/tests_and_scoring). Rules
about other requests of a scan are left out: the redirect to HTTPS is tested beside it, and scripts of other sites do
not exist (`tests.test_pages.no_inline`), so subresource integrity earns and costs nothing.
"""

import re
from collections.abc import Mapping
from http.cookies import Morsel

SIX_MONTHS = 15_768_000
UNSAFE = re.compile(r"'unsafe-|(?<![\w-])(?:https?:|data:|\*)(?!\S)")
SAFE_REFERRERS = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


def score(headers: Mapping[str, str], cookies: list[Morsel]) -> int:
    """Return the points of a response sent by HTTPS: 100, minus what is missing; extra points only from 90 on."""
    found = [
        policy_points(headers.get("Content-Security-Policy", "")),
        cookie_points(cookies),
        -50 if headers.get("Access-Control-Allow-Origin") == "*" else 0,
        transport_points(headers.get("Strict-Transport-Security", "")),
        referrer_points(headers.get("Referrer-Policy")),
        0 if headers.get("X-Content-Type-Options", "").lower() == "nosniff" else -5,
        frame_points(headers),
        10 if headers.get("Cross-Origin-Resource-Policy") in ("same-origin", "same-site") else 0,
    ]
    points = 100 + sum(each for each in found if each < 0)
    return points + sum(each for each in found if each > 0) if points >= 90 else points


def directives(policy: str) -> dict[str, str]:
    """Return directive → sources of a content security policy."""
    parts = [each.strip().partition(" ") for each in policy.split(";") if each.strip()]
    return {name.lower(): sources.strip() for name, _space, sources in parts}


def policy_points(policy: str) -> int:
    """Points of the content security policy."""
    if not policy:
        return -25
    rules = directives(policy)
    default = rules.get("default-src", "*")
    scripts, styles = rules.get("script-src", default), rules.get("style-src", default)
    if "'unsafe-eval'" in scripts:
        return -10
    if UNSAFE.search(scripts) or UNSAFE.search(rules.get("object-src", default)):
        return -20
    if UNSAFE.search(styles):
        return 0
    return 10 if default == "'none'" else 5


def cookie_points(cookies: list[Morsel]) -> int:
    """Points of the cookies; the site sends HSTS, which makes a missing Secure cheaper."""
    cookies = [cookie for cookie in cookies if cookie["max-age"] != 0]  # browsers delete those
    points = 5 if cookies else 0
    for cookie in cookies:
        is_session, is_csrf = bool(re.search("sess|login", cookie.key)), "csrf" in cookie.key
        if is_session and not cookie["httponly"]:
            return -30
        if is_csrf and not cookie["samesite"]:
            return -20
        if not cookie["secure"]:
            return -10 if is_session else -5
        points = min(points, 5 if cookie["samesite"] in ("Lax", "Strict") else 0)
    return points


def transport_points(value: str) -> int:
    """Points of HSTS."""
    seconds = re.search(r"max-age=(\d+)", value)
    if not seconds:
        return -20
    return 0 if int(seconds[1]) >= SIX_MONTHS else -10


def referrer_points(value: str | None) -> int:
    """Points of the referrer policy; the last one of a list counts."""
    if value is None:
        return 0
    return 5 if value.split(",")[-1].strip() in SAFE_REFERRERS else -5


def frame_points(headers: Mapping[str, str]) -> int:
    """Points of the protection against frames."""
    if "frame-ancestors" in directives(headers.get("Content-Security-Policy", "")):
        return 5
    return 5 if headers.get("X-Frame-Options", "").upper() in ("DENY", "SAMEORIGIN") else -20
