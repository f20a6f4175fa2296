"""The meeting pack: lists and sentences agree with the figures, on the page and in the Word file."""

import re
from datetime import date
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.utils.translation import override
from docx import Document
from docx.oxml.ns import qn

from criteria.models import Level
from plan.models import Change, Plan
from reports.meeting.document import build_meeting_word
from reports.meeting.pack import LISTED_CHANGES
from tests.reports.test_sentences import read_pack

pytestmark = pytest.mark.django_db
PACK = "/plans/2562-2563/reports/meeting/"
WORD = "/plans/2562-2563/reports/meeting.docx"


@pytest.fixture
def department(demo):
    return Plan.objects.get(slug="2562-2563")


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize(
    ("day", "since"),
    [
        (date(2020, 5, 15), date(2020, 4, 10)),
        (date(2020, 5, 15), date(2019, 12, 31)),
        (date(2020, 1, 20), date(2019, 9, 30)),
    ],
)
def test_the_lists_hold_as_many_rows_as_the_figures_count(department, day, since):
    pack = read_pack(department, day, since)
    figures = dict(pack.overview.changes)
    assert len(pack.overdue) == pack.overview.whole.overdue.count
    assert [(change, len(actions)) for change, actions in pack.changed] == [
        (change, figures[change].count) for change in LISTED_CHANGES
    ]
    assert sum(len(actions) for _unit, actions in pack.silent) == figures[Change.SILENT].count
    assert all(each.days_late > 0 for each in pack.overdue)
    assert [each.days_late for each in pack.overdue] == sorted((each.days_late for each in pack.overdue), reverse=True)


def read_word(response):
    assert response.status_code == 200
    return Document(BytesIO(b"".join(response.streaming_content)))


def test_word_file_equals_the_page(demo, client, manager):
    client.force_login(manager)
    client.cookies["django_language"] = "en"
    response = client.get(PACK, {"as_of": "2020-05-15", "since": "2019-12-31"})
    pack = response.context["pack"]
    assert pack.sentences[0].startswith("As of")
    answer = client.get(WORD, {"as_of": "2020-05-15", "since": "2019-12-31"})
    assert "attachment" in answer.headers["Content-Disposition"]
    document = read_word(answer)
    with override("th"):
        pack = read_pack(Plan.objects.get(slug="2562-2563"), date(2020, 5, 15), date(2019, 12, 31))
        text = [paragraph.text for paragraph in document.paragraphs]
        assert [line for line in pack.sentences if line not in text] == []  # in Thai, in every language of the page
        tables = {table.cell(0, 0).text: table for table in document.tables}
        compared, categories, units, the_map = document.tables[:4]
        assert [[cell.text for cell in row.cells][1:3] for row in compared.rows][1:7] == [
            [str(row.then.count), str(row.now.count)] for row in pack.overview.compared
        ]
        assert len(categories.rows) == 1 + len(pack.overview.categories)
        assert len(units.rows) == 1 + sum(1 for group in pack.overview.leads if group.total.count)
        assert len(the_map.rows) == 2 + len(pack.map.parts) + len(pack.map.rows)
        assert the_map.rows[-1].cells[4].text == f"{pack.map.now.total:.1f}"
        assert tables
    whole = " ".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    for action in [*pack.overdue, *(each for _change, actions in pack.changed for each in actions)]:
        assert action.ref in whole
        assert " ".join(action.text.split()) in " ".join(whole.split())


def from_styles(document, paragraph, run, tag):
    """Return the element of a run's properties with this tag: its own, or that of the styles of its paragraph."""
    found = run.find(f"{qn('w:rPr')}/{qn(tag)}")
    style = next(each for each in document.styles if each.style_id == (paragraph.style or "Normal"))
    while found is None and style is not None:
        found = style.element.find(f"{qn('w:rPr')}/{qn(tag)}")
        style = style.base_style
    return found


def test_the_word_file_is_set_in_the_thai_font(department, settings):
    with override("th"):
        file = BytesIO()
        pack = read_pack(department, date(2020, 5, 15), date(2020, 4, 10))
        build_meeting_word(pack, settings.PMQA_MEETING_TEMPLATE).save(file)
    document = Document(BytesIO(file.getvalue()))
    runs = [(paragraph, run) for paragraph in document.element.body.iter(qn("w:p")) for run in paragraph.r_lst]
    for paragraph, run in runs:
        fonts = from_styles(document, paragraph, run, "w:rFonts")
        assert {fonts.get(qn(f"w:{script}")) for script in ("ascii", "hAnsi", "cs")} == {"TH Sarabun New"}
        size, complex_size = (from_styles(document, paragraph, run, tag) for tag in ("w:sz", "w:szCs"))
        assert size.get(qn("w:val")) == complex_size.get(qn("w:val"))
        assert from_styles(document, paragraph, run, "w:lang").get(qn("w:bidi")) == "th-TH"
    assert len(runs) > 300
    for name in ("Normal", "Title", "Heading 1", "Heading 2", "List Bullet"):
        fonts = document.styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:cs")) == fonts.get(qn("w:ascii")) == "TH Sarabun New"
        assert not [key for key in fonts.attrib if key.lower().endswith("theme")]  # it would win over the font
    sizes = [(round(each.page_width.cm, 1), round(each.page_height.cm, 1)) for each in document.sections]
    assert sizes == [(21.0, 29.7), (29.7, 21.0)]  # wide tables stand on landscape pages
    for number, table in enumerate(document.tables):
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert [row for row in table.rows if row._tr.trPr.find(qn("w:cantSplit")) is None] == []
        assert sum(column.width.cm for column in table.columns) == pytest.approx(25.7 if number else 17, abs=0.1)
    with ZipFile(file) as package:
        assert '<w:altName w:val="Sarabun"/>' in package.read("word/fontTable.xml").decode()


@pytest.mark.parametrize("address", [PACK, WORD])
def test_invalid_day_is_not_an_error(demo, client, manager, address):
    client.force_login(manager)
    for asked in ({"as_of": "2020-02-31"}, {"since": "31/2/2563"}, {"as_of": "1999-01-01", "since": "2099-01-01"}):
        response = client.get(address, asked)
        assert response.status_code == 200
        if address == PACK:
            assert len(list(response.context["messages"])) == len(asked)
        else:
            read_word(response)


def test_pages_of_an_ended_plan_show_its_last_day(demo, client, manager, settings):
    settings.PMQA_TODAY = date(2021, 3, 1)
    Plan.objects.update(state=Plan.State.ENDED)
    client.force_login(manager)
    for page in (
        "dashboard/",
        "criteria/",
        "timeline/",
        "units/",
        "units/กพร./",
        "reports/meeting/",
        "criteria/1.2.1/",
    ):
        response = client.get(f"/plans/2562-2563/{page}")
        assert response.context["as_of"].day == date(2020, 9, 30), page
        body = response.content.decode()
        assert "30 ก.ย. 2563" in body, page
        assert "สิ้นสุดแล้ว" in re.sub(r'<form class="as-of-form".*?</form>', "", body, flags=re.S), page


def test_levels_are_named_as_the_standard_names_them(department, settings):
    with override("th"):
        pack = read_pack(department, date(2020, 5, 15), date(2020, 4, 10))
        document = build_meeting_word(pack, settings.PMQA_MEETING_TEMPLATE)
    header = next(table.rows[0] for table in document.tables if table.cell(0, 1).text == "Basic")
    assert [cell.text for cell in header.cells[1:4]] == [level.short for level in Level]
