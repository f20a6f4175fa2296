"""The Word template of the meeting pack: texts as typed, custom templates, messages for broken ones."""

from datetime import date
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.utils.translation import gettext, override
from docx import Document
from openpyxl import Workbook

from criteria.models import Level
from plan.models import Status
from reports.figures.groups import BAR_ORDER
from reports.meeting.document import _context, build_meeting_word
from spreadsheets.properties import set_author
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory
from tests.reports.test_sentences import read_pack

pytestmark = pytest.mark.django_db


@pytest.fixture
def blocked(coordinator, report_progress):
    """A plan with one action, blocked and overdue."""
    action = ActionItemFactory(plan=PlanFactory(), runs=(1, 1), lead=[UnitFactory(abbreviation="กทส.")])
    report_progress(action, coordinator, status=Status.BLOCKED, progress=50, problem="งบประมาณไม่พอ")
    return action


def pack_of(action):
    with override("th"):
        return read_pack(action.plan, date(2020, 5, 15), date(2020, 4, 1))


def word_template(path, *paragraphs, rows=()):
    """Write a template with these paragraphs and a table of these rows."""
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if rows:
        table = document.add_table(rows=0, cols=len(rows[0]))
        for texts in rows:
            for cell, text in zip(table.add_row().cells, texts, strict=True):
                cell.text = text
    document.save(path)
    return path


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("{{ plan }} {% for x in y %} {# note #}", "{{ plan }} {% for x in y %} {# note #}"),
        ("{_{ a }_} {_% b %_}", "{_{ a }_} {_% b %_}"),
        ("</w:t><w:p>&lt;&amp;' \"<w:p ", "</w:t><w:p>&lt;&amp;' \"<w:p "),
        ("one\ntwo\r\nthree\tfour  five", "one\ntwo\nthree\tfour  five"),
        ("a\x07b\x0cc\x0bd\x1f\ufffe\uffff", "abcd"),
        ("&#95; _x000D_", "&#95; _x000D_"),
    ],
)
def test_a_text_comes_out_as_typed(blocked, settings, typed, shown):
    pack = pack_of(blocked)
    pack.plan.title = pack.overdue[0].text = pack.overdue[0].problem_on = typed
    file = BytesIO()
    build_meeting_word(pack, settings.PMQA_MEETING_TEMPLATE, notes=[typed]).save(file)
    document = Document(file)
    (overdue,) = [table for table in document.tables if len(table.columns) == 6]
    assert [overdue.cell(1, column).text for column in (1, 5)] == [shown, shown]
    assert [paragraph.text for paragraph in document.paragraphs[1:3]] == [shown, shown]


def test_the_committed_template_names_statuses_and_levels_as_the_pages_do(settings):
    headings = [
        [cell.text for cell in table.rows[0].cells] for table in Document(settings.PMQA_MEETING_TEMPLATE).tables
    ]
    with override("th"):
        statuses = [str(status.label) for status in BAR_ORDER]
        assert headings[1] == [
            gettext("Category"),
            gettext("in all"),
            *statuses,
            gettext("overdue"),
            gettext("Progress"),
        ]
        assert headings[2] == [gettext("Unit"), *headings[1][1:]]
        assert headings[3] == [gettext("Criterion"), *(level.short for level in Level), gettext("Points")]


def test_a_template_gets_texts_and_numbers_only(blocked):
    def leaves(value):
        if isinstance(value, dict):
            return [leaf for each in value.values() for leaf in leaves(each)]
        if isinstance(value, list):
            return [leaf for each in value for leaf in leaves(each)]
        return [value]

    assert {type(leaf) for leaf in leaves(_context(pack_of(blocked), ["note"]))} <= {str, int, bool, type(None)}


def test_a_department_uses_a_template_of_its_own(blocked, client, manager, settings, tmp_path):
    settings.PMQA_MEETING_TEMPLATE = word_template(
        tmp_path / "own.docx",
        "วาระที่ 4 {{ plan }}",
        "{%p for change in changes if change.actions %}",
        "{{ change.label }}: {{ change.total }}",
        "{%p endfor %}",
        rows=[
            ["รหัส", "ปัญหา"],
            ["{%tr for action in overdue %}", ""],
            ["{{ action.ref }}", "{{ action.problem }}"],
            ["{%tr endfor %}", ""],
        ],
    )
    client.force_login(manager)
    response = client.get(f"/plans/{blocked.plan.slug}/reports/meeting.docx", {"since": "2020-03-01"})
    assert response.status_code == 200
    document = Document(BytesIO(b"".join(response.streaming_content)))
    assert document.paragraphs[0].text == f"วาระที่ 4 {blocked.plan.title}"
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["รหัส", "ปัญหา"],
        [blocked.ref, "งบประมาณไม่พอ"],
    ]
    assert document.core_properties.title == "เอกสารประกอบการประชุม: แผนพัฒนาองค์การ ณ วันที่ 15 พ.ค. 2563"


BROKEN = {
    "{% for action in overdue %}": ("has a mistake", "endfor"),
    "line {{ plan": ("has a mistake", "line {{ plan"),
    "{{ plan|safe }}": ("has a mistake", "safe"),
    "{{ overdu }}": ("a name that does not exist: “overdu”.",),
    "{{ overdue[0].problm }}": ("a name that does not exist: “problm”.",),
    "{{ overdue[9].ref }}": ("a name that does not exist", "no element 9"),
    "{{ plan.__class__.mro() }}": ("cannot be filled in", "__class__"),
    "{{ 1 / 0 }}": ("cannot be filled in", "division by zero."),
    "{{ day + 1 }}": ("cannot be filled in", "str"),
    "{{r plan }}": ("a tag in the wrong place",),
}


@pytest.mark.parametrize("tag", BROKEN)
def test_page_names_the_mistake_in_the_template(blocked, client, manager, settings, tmp_path, tag):
    settings.PMQA_MEETING_TEMPLATE = word_template(tmp_path / "own.docx", "first", tag)
    assert_refused(client, manager, blocked, "own.docx", *BROKEN[tag])


def assert_refused(client, manager, action, *words):
    """Check that the URL of the Word file shows the page with a message that contains `words`, in its language."""
    client.force_login(manager)
    address = f"/plans/{action.plan.slug}/reports/meeting.docx?since=2020-03-01"
    client.cookies["django_language"] = "en"
    english = client.get(address)
    assert english.status_code == 503
    body = english.content.decode()
    expected = ("The Word file was not created.", "PMQA_MEETING_TEMPLATE", *words)
    assert [word for word in expected if word not in body] == []
    assert "For the meeting: the improvement plan as of" in body
    client.cookies["django_language"] = "th"
    thai = client.get(address).content.decode()
    assert "จัดทำไฟล์ Word ไม่ได้" in thai
    assert words[0] in thai
    assert "The template" not in thai


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_template_that_cannot_be_read(blocked, client, manager, settings, tmp_path, kind):
    settings.PMQA_MEETING_TEMPLATE = tmp_path / "own.docx"
    if kind == "folder":
        settings.PMQA_MEETING_TEMPLATE.mkdir()
    assert_refused(client, manager, blocked, "own.docx", "is missing or cannot be read")


@pytest.mark.parametrize("kind", ["text", "empty", "zip", "workbook", "cut"])
def test_template_of_another_file_type(blocked, client, manager, settings, tmp_path, kind):
    whole = settings.PMQA_MEETING_TEMPLATE.read_bytes()
    path = settings.PMQA_MEETING_TEMPLATE = tmp_path / "own.docx"
    path.write_bytes({"text": b"text", "cut": whole[: len(whole) // 2]}.get(kind, b""))
    if kind == "zip":
        with ZipFile(path, "w") as archive:
            archive.writestr("word/document.xml", "<w/>")
    if kind == "workbook":
        Workbook().save(path)
    assert_refused(client, manager, blocked, "own.docx", "is not a Word document (.docx)")


def test_tag_across_a_paragraph_and_a_cell(blocked, client, manager, settings, tmp_path):
    path = settings.PMQA_MEETING_TEMPLATE = tmp_path / "own.docx"
    word_template(path, "{% if not overdue %}first", rows=[["{% endif %}a", "b"]])
    assert_refused(client, manager, blocked, "own.docx", "a tag in the wrong place")


def test_author_is_set_in_a_file_without_properties():
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with ZipFile(set_author(file)) as archive:
        assert archive.namelist() == ["word/document.xml"]
