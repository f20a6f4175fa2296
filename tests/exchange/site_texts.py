"""Read every page, workbook and mail of a plan as texts that can be compared."""

import re
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from django.test import Client
from openpyxl import load_workbook

from plan.as_of import on_day
from plan.models import Plan
from pmqa_tracker import clock
from tests import sizes
from tests.pages import addresses, lists
from worklist.digest import build_mail
from worklist.reminders import find_recipients

OF_ACCOUNT = ("password", "second_factor", "sessions")  # pages that say nothing of a plan, but when they were read
# What differs from one look to the next, and says nothing of the plan.
FLEETING = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|csrf\w*&quot;: &quot;\w+|"x-csrftoken": "\w+"'
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d\d:\d\d(:\d\d)?\b"
    r'|name="version" value="\d+"|\bv(ersion)?(=|-\d+:)\d+|data-left="\d+"'
)
# A row's version and the check that is made of it; what the row holds and whose it is stay.
VERSION = re.compile(r"^\d+(-[0-9a-f]{10})-[0-9a-f]{6}")
HISTORY = re.compile(r'<section class="card-plain" id="history">.*?</section>', re.S)


def read_everything(client: Client, plan: Plan, *, refs: Any, units: Any, day: Any) -> dict[str, Any]:
    """URL → text of each page and file of a plan, today and on `day`.

    Each kind of page and workbook once, and those of some actions (without their histories) and units. Only a full run
    reads the workbooks of the lists, which show the rows of their pages.
    """
    base = f"/plans/{plan.slug}"
    found = {**addresses(plan)}
    pages = [address for name, address in found.items() if name not in ("action", *OF_ACCOUNT)]
    pages += [page for page, _file in lists(plan).values()]
    pages += [f"{base}/actions/{ref}/" for ref in refs] + [f"{base}/units/{unit}/" for unit in units]
    pages += [f"{base}/reporting/{unit}/{number}/" for unit in units for number in (2, 3)]
    pages += [f"{base}/dashboard/?as_of={day}", f"{base}/actions/?sort=updated&as_of={day}"]
    files = [file for _page, file in lists(plan).values()] if sizes.IS_FULL else []
    files += [f"{base}/{name}" for name in ("data-sheet.xlsx", "plan.xlsx", "reports/plan-form.xlsx?status=on")]
    files += [f"{base}/data-sheet.xlsx?unit={units[0]}", f"{base}/units/{units[0]}/progress.xlsx"]
    files += [f"{base}/reports/progress.xlsx?since={plan.starts_on}&as_of={day}"]
    said = read_some(client, dict.fromkeys([*pages, *files]))
    with ZipFile(BytesIO(_file(client, f"{base}/reports/meeting.docx?since={plan.starts_on}"))) as word:
        said["meeting.docx"] = FLEETING.sub("", word.read("word/document.xml").decode())
    as_of = on_day(plan, clock.today(), plan.periods.all())
    for digest in find_recipients(plan, as_of).digests:
        said[f"mail to {digest.user}"] = FLEETING.sub("", build_mail(digest, plan, as_of, site="https://x").body)
    return said


def read_some(client: Client, addresses: Iterable[str]) -> dict[str, Any]:
    """URL → text of the page or workbook."""
    said: dict[str, Any] = {}
    for address in addresses:
        if ".xlsx" in address:
            said[address] = _cells(_file(client, address))
        else:
            response = client.get(address)
            assert response.status_code == 200, address
            said[address] = FLEETING.sub("", HISTORY.sub("", response.content.decode()))
    return said


def _file(client: Client, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200, address
    return b"".join(response.streaming_content) if response.streaming else response.content


def _cells(data: bytes) -> dict[str, str]:
    """Sheet and cell → value, without moments and the versions of rows."""
    book = load_workbook(BytesIO(data))
    return {
        f"{sheet.title}!{cell.coordinate}": FLEETING.sub("", VERSION.sub(r"\1", str(cell.value)))
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None and "T" not in str(cell.value)[10:11]
    }
