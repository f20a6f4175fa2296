"""Sixteen people add to the progress of the same four actions at the same time: no update is lost."""

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from threading import Barrier

import pytest

from tests import sizes
from tests.hold.visitor import form_values

pytestmark = pytest.mark.both_databases(only_full=True)
EDITORS, ACTIONS = (16, 4) if sizes.IS_FULL else (8, 2)
ROUNDS = sizes.scaled(20, least=2)
ATTEMPTS = 200
# Every member of staff joins the unit that leads the most actions that nobody has begun.
UNIT = """
    SELECT s.unit_id FROM assignments_assignment s JOIN plan_actionitem a ON a.id = s.action_id
    JOIN assignments_unit u ON u.id = s.unit_id
    WHERE a.status = 'NOT_STARTED' AND s.role = 'LEAD' AND u.is_collective = {false}
    GROUP BY s.unit_id ORDER BY COUNT(*) DESC LIMIT 1
"""
JOIN = """
    INSERT INTO assignments_membership (user_id, unit_id) SELECT id, {unit} FROM assignments_user p
    WHERE username LIKE 'staff%' AND NOT EXISTS
    (SELECT 1 FROM assignments_membership m WHERE m.user_id = p.id AND m.unit_id = {unit})
"""
BEGUN_BY_NOBODY = """
    SELECT p.slug, a.ref FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id
    JOIN assignments_assignment s ON s.action_id = a.id
    WHERE a.status = 'NOT_STARTED' AND s.role = 'LEAD' AND s.unit_id = {unit} ORDER BY a.id LIMIT {count}
"""
PROGRESS = "SELECT progress FROM plan_actionitem WHERE ref IN ('{refs}')"
RESULTS = "SELECT result FROM plan_progressupdate WHERE result LIKE 'editor %'"


def add_one(visitor, address, result):
    """Add one to the progress shown, again for as long as somebody else was quicker; return the conflicts."""
    for attempt in range(ATTEMPTS):
        values = form_values(visitor.get(address), "op_id")
        values |= {"status_to": "IN_PROGRESS", "progress_to": str(int(values["progress_to"]) + 1), "result": result}
        answer = visitor.post(address, values, allow_redirects=False)
        if answer.status_code == 302:
            return attempt
        assert answer.status_code == 409, answer.text[:500]
    raise AssertionError("never got in")


@pytest.mark.promise("16 editors lose no update", "0 lost")
def test_updates_of_sixteen_editors_lose_nothing(site, measured):
    unit = site.query(UNIT.format(false="FALSE"))[0][0]
    site.query(JOIN.format(unit=unit))
    actions = site.query(BEGUN_BY_NOBODY.format(unit=unit, count=ACTIONS))
    assert len(actions) == ACTIONS
    people = [name for name in site.cookies if name.startswith("staff")]
    visitors = [site.visitor(name) for name in islice(cycle(people), EDITORS)]
    addresses = [f"/plans/{slug}/actions/{ref}/" for slug, ref in actions]
    barrier = Barrier(EDITORS)

    def work(number):
        barrier.wait()
        return sum(
            add_one(visitors[number], addresses[(number + step) % ACTIONS], f"editor {number}/{step}")
            for step in range(ROUNDS)
        )

    with ThreadPoolExecutor(EDITORS) as pool:
        conflicts = sum(pool.map(work, range(EDITORS)))
    made = {f"editor {number}/{step}" for number in range(EDITORS) for step in range(ROUNDS)}
    stored = [result for (result,) in site.query(RESULTS)]
    progress = sum(each for (each,) in site.query(PROGRESS.format(refs="','".join(ref for _slug, ref in actions))))
    measured(f"{len(made - set(stored))} lost of {len(made)}, {conflicts} conflicts")
    assert sorted(stored) == sorted(made)
    assert progress == len(made)
    assert conflicts > 0  # else they never met
