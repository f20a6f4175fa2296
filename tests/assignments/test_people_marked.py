"""A refused workbook of people comes back with its wrong cells marked."""

from io import BytesIO

import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from spreadsheets.marked import SIGN
from tests.assignments.test_people import ADDRESS, LIST, NAME, UNITS, VERSION, errors_of, preview
from tests.factories import UnitFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_wrong_workbook_comes_back_with_its_cells_marked(admin_client, client):
    UnitFactory(abbreviation="กพร.")
    rows = [
        {ADDRESS: "somchai(at)x", NAME: "สมชาย", UNITS: "กพ."},
        {ADDRESS: "malee@labour.go.th", NAME: "มาลี"},
        {ADDRESS: "malee@labour.go.th", NAME: "มาลี", VERSION: "abc"},
    ]
    response = preview(admin_client, rows)
    errors = errors_of(response)
    url = response.context["marked_url"]
    assert url in response.content.decode()
    answer = admin_client.get(url)
    assert answer.headers["Cache-Control"].startswith("private, no-store")
    sheet = load_workbook(BytesIO(b"".join(answer.streaming_content))).worksheets[0]
    headings = [cell.value for cell in sheet[1]]
    notes = {cell.coordinate: cell.comment.text for row in sheet for cell in row if cell.comment}
    assert notes == {
        f"{get_column_letter(headings.index(heading) + 1)}{row}": SIGN + " ".join(texts)
        for row, each in errors.items()
        for heading, texts in each.items()
    }
    other = UserFactory(is_superuser=True, is_staff=True)
    client.force_login(other)
    assert client.get(url).status_code == 403
    assert client.get(url.replace("/marked/", "/marked/x"), follow=True).redirect_chain == [(f"{LIST}import/", 302)]
