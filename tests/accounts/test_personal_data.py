"""The privacy page, and the export of a person's data."""

from io import BytesIO

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Session
from accounts.personal_data.read import personal_records
from assignments.models import User
from audit.models import Event
from plan.models import ProgressUpdate
from tests.factories import EvidenceFactory, UserFactory
from tests.submissions.sending import send
from tests.test_pages import no_inline

pytestmark = pytest.mark.django_db
WORDS = "ประชุมคณะทำงานแล้ว"


def texts(response):
    """Return sheet → all texts of the downloaded workbook."""
    book = openpyxl.load_workbook(BytesIO(b"".join(response.streaming_content)))
    return {sheet.title: [str(cell.value) for row in sheet.rows for cell in row if cell.value] for sheet in book}


@pytest.fixture
def reported(staff, client, plan, action, unit, report_progress):
    """A user who reported, added evidence, sent a report and is logged in twice; another user did the same."""
    for person in (staff, UserFactory(roles=["staff"], units=[unit], first_name="อื่น")):
        words = WORDS if person == staff else "ของคนอื่น"
        update = report_progress(action, person, progress=person.pk % 50 + 1, result=words)
        EvidenceFactory(update=update, action=action, title=f"หลักฐาน {words}", added_by=person)
        Client().force_login(person)
    send(plan, unit, staff)
    return staff


def test_user_downloads_everything_about_themselves_and_nothing_of_others(client, reported):
    sheets = texts(client.get("/privacy/my-data.xlsx"))
    everything = [text for found in sheets.values() for text in found]
    assert [text for text in everything if "ของคนอื่น" in text] == []
    for words in (WORDS, f"หลักฐาน {WORDS}", reported.username, "1.1-A-1"):
        assert any(words in text for text in everything), words
    named = {
        f"{each.model._meta.verbose_name_plural}"[:20] for each in (ProgressUpdate.author.field, Session.user.field)
    }
    assert [name for name in named if not any(title.startswith(name) for title in sheets)] == []
    secrets = [reported.password, *Session.objects.values_list("session_key", flat=True)]
    assert [text for text in everything if any(secret in text for secret in secrets)] == []


def test_only_an_administrator_downloads_the_data_of_another_person(client, reported, administrator, coordinator):
    url = f"/privacy/data/{reported.pk}.xlsx"
    seen = {}
    for person in (reported, coordinator, administrator):
        other = Client()
        other.force_login(person)
        seen[person.username] = other.get(url).status_code
    assert list(seen.values()) == [403, 403, 200]
    assert Client().get(url).status_code == 302
    given = Event.objects.get(kind=Event.Kind.PERSONAL_DATA)
    assert (given.person, reported.username in given.about) == (administrator, True)


def test_export_needs_no_more_queries_for_more_records(reported, action, report_progress):
    def queries():
        person = User.objects.get(pk=reported.pk)
        with CaptureQueriesContext(connection) as found:
            personal_records(person)
        return len(found)

    before = queries()
    for progress in (60, 70, 80):
        report_progress(action, reported, progress=progress)
    assert queries() == before


@pytest.mark.parametrize("language", ["th", "en"])
def test_everybody_reads_the_privacy_page_in_their_language(language):
    client = Client()
    client.cookies["django_language"] = language
    body = client.get("/privacy/").content.decode()
    assert f'<html lang="{language}">' in body
    assert no_inline(body) == []
    assert "/privacy/my-data.xlsx" not in body
    assert 'href="/privacy/"' in client.get("/login/").content.decode()
