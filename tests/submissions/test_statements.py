"""The SQL statements of each step of a submission: in the whole request, and in its write transaction."""

from uuid import uuid4

import pytest

from submissions.models import Submission
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.statements import REQUEST, TRANSACTION, check, count

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_steps_of_a_submission(client):
    unit, plan = UnitFactory(abbreviation="สพม."), PlanFactory(slug="2563")
    actions = [ActionItemFactory(plan=plan, lead=[unit]) for _ in range(3)]
    staff, coordinator = UserFactory(roles=["staff"], units=[unit]), UserFactory(roles=["coordinator"])

    def take(version, author, do, **words):
        client.force_login(author)
        data = {"do": do, "version": version, "op_id": str(uuid4()), "note": "", **words}
        check(count(client, do, "/plans/2563/reporting/สพม./2/", data, status=302), REQUEST + 2, TRANSACTION)

    take(0, staff, "send", confirm="on")
    take(1, coordinator, "return", **{f"reason_{actions[0].pk}": "ขอหลักฐาน"})
    take(2, staff, "send", confirm="on")
    take(3, coordinator, "accept")
    assert Submission.objects.get().version == 4
