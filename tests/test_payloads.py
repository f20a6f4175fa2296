"""No text becomes a formula in any downloaded workbook."""

import pytest

from spreadsheets.read import read_workbook
from tests.payloads import PAYLOADS, live_formulas, plant
from tests.test_workbooks import WORKBOOKS, fetched

pytestmark = pytest.mark.django_db


def test_no_payload_becomes_a_formula_in_any_workbook(client):
    plan, person = plant()
    client.force_login(person)
    unit = plan.actions.first().assignments.first().unit
    held = {}
    for name, address in WORKBOOKS.items():
        if "{unit}" in address and ("?" not in address):
            continue  # such an address cannot hold every payload; the unit's sheet is written by the same code
        data = fetched(client, f"/{address.format(slug=plan.slug, unit='')}")
        assert live_formulas(data) == [], name
        held[name] = {
            str(cell.value) for sheet in read_workbook(data, "a.xlsx").sheets for row in sheet.rows for cell in row
        }
    assert unit.abbreviation.startswith("=")
    for payload in PAYLOADS:
        kept = payload.replace("\r\n", "\n")
        for name in ("data sheet", "whole plan", "list"):
            assert kept in held[name], (name, payload)
