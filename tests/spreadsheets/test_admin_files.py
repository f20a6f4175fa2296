"""Admin import of files from other programs: any separator, encoding and kind of workbook, or an error."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from criteria.models import Category
from spreadsheets.read import WorkbookRefusedError, read_workbook
from tests.factories import CategoryFactory, UserFactory
from tests.odd_workbooks import ODDITIES, change, packed, unpacked
from tests.refused_workbooks import REFUSED
from tests.spreadsheets.test_admin_tables import CSV, confirm, upload, workbook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _logged_in(client, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(UserFactory(is_staff=True, is_superuser=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp874"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={}\r\n", '"sep={}"\r\n'])
def test_csv_with_any_separator_and_encoding_is_read(client, encoding, mark, first):
    CategoryFactory(number=1, name="เดิม")
    name = f"การนำ{mark}องค์การ"
    rows = f'framework{mark}number{mark}name{mark}version\r\npmqa-2562{mark}1{mark}"{name}"{mark}1\r\n'
    confirm(client, Category, upload(client, Category, (first.format(mark) + rows).encode(encoding), CSV))
    assert Category.objects.get().name == name


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("first", ["", "sep=;"])
def test_csv_with_any_line_end_is_read(client, end, first):
    CategoryFactory(number=1, name="เดิม")
    lines = [*filter(None, [first]), "framework;number;name;version", "pmqa-2562;1;การนำองค์การ;1", ""]
    confirm(client, Category, upload(client, Category, end.join(lines).encode("cp874"), CSV))
    assert Category.objects.get().name == "การนำองค์การ"


@pytest.mark.parametrize("oddity", ["an empty fill", "part names in large letters", "Strict Open XML", "no styles"])
def test_workbook_of_another_program_is_read(client, oddity):
    CategoryFactory(number=1, name="เดิม")
    content = ODDITIES[oddity](workbook([{"number": 1, "name": "การนำองค์การ", "version": 1, "framework": "pmqa-2562"}]))
    confirm(client, Category, upload(client, Category, content))
    assert Category.objects.get().name == "การนำองค์การ"


@pytest.mark.parametrize("kind", REFUSED)
def test_each_refused_file_has_its_own_message(client, kind):
    content = REFUSED[kind][0](workbook([{"number": 1, "name": "x"}]))
    response = upload(client, Category, content)
    with pytest.raises(WorkbookRefusedError) as refused:
        assert read_workbook(content, "table.xlsx").first
    assert list(response.context["form"].errors.values()) == [[str(refused.value)]]


def test_formula_is_read_by_its_value_and_an_error_is_named(client):
    CategoryFactory(number=1, name="เดิม")
    book = load_workbook(BytesIO(workbook([{"number": 1, "name": "x", "version": 1, "framework": "pmqa-2562"}])))
    for value, words in (("=1+1", "B2"), ("#REF!", "#REF!")):
        book.active["B2"] = value
        file = BytesIO()
        book.save(file)
        response = upload(client, Category, file.getvalue())
        [error] = [str(error) for errors in response.context["form"].errors.values() for error in errors]
        assert words in error
    content = file.getvalue()
    with_value = change("sheet1.xml", r'<c r="B2"[^>]*>.*?</c>', '<c r="B2" t="str"><f>x</f><v>ค่าของสูตร</v></c>')
    confirm(client, Category, upload(client, Category, packed(with_value(unpacked(content)))))
    assert Category.objects.get().name == "ค่าของสูตร"
