"""Guessing passwords is bounded: in a row and side by side, by any worker process, on every login page."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests import sizes
from tests.hold.prepare import PASSWORD
from tests.hold.visitor import form_values

pytestmark = pytest.mark.both_databases(only_full=True)
SIDE_BY_SIDE = 20
ROUNDS = sizes.scaled(5)  # of guesses, side by side
ALLOWED = 10
NAMES = "SELECT username FROM assignments_user WHERE is_active AND NOT is_superuser ORDER BY username"


def guess(site, username, count, *, is_right=False):
    """Try a wrong or the right password, `count` times side by side; return the number of answers of each status."""
    visitors = [site.visitor() for _number in range(count)]
    # The page for administrators leads to the same form.
    pages = [visitor.get("/admin/" if number % 2 else "/login/") for number, visitor in enumerate(visitors)]
    together = Barrier(count)

    def post(visitor, page):
        fields = form_values(page, "password") | {"username": username, "password": PASSWORD if is_right else "wrong"}
        together.wait(timeout=120)
        return visitor.post("/login/", fields, allow_redirects=False).status_code

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(post, visitors, pages))


@pytest.mark.promise("Guessing passwords is bounded", "at most 10 of 100 checked, in a row and side by side")
def test_at_most_ten_guesses_are_checked(make_site, measured):
    site = make_site(workers=3 if sizes.IS_FULL else 2)
    site.start()
    (in_a_row,), (together,), (neighbour,) = site.query(NAMES)[:3]
    row = sum((guess(site, in_a_row, 1) for _number in range(ALLOWED + 2)), Counter())
    side = sum((guess(site, together, SIDE_BY_SIDE) for _number in range(ROUNDS)), Counter())
    measured(f"{row[200]} and {side[200]} of {SIDE_BY_SIDE * ROUNDS} checked")
    assert row == {200: ALLOWED, 429: 2}
    assert side == {200: ALLOWED, 429: SIDE_BY_SIDE * ROUNDS - ALLOWED}
    assert guess(site, together, 1, is_right=True) == {429: 1}
    assert guess(site, "nobody", SIDE_BY_SIDE) == {200: ALLOWED, 429: SIDE_BY_SIDE - ALLOWED}
    assert guess(site, neighbour, 1, is_right=True) == {302: 1}
