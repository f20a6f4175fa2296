"""Files are identified by their content; hostile files are refused with a sentence that names the file."""

import io
import unicodedata
from urllib.parse import unquote

import pytest
from django.utils import translation
from django.utils.http import content_disposition_header

from plan.evidence.kinds import ACCEPTED_EXTENSIONS, KINDS, RefusedFileError, clean_name, identify
from pmqa_tracker.long_names import download_name
from tests.plan.evidence.hostile import HTML, HostileFile, good_files, hostile_files, image, pdf
from tests.plan.evidence.packing import open_xml, pack, workbook
from tests.refused_workbooks import REFUSED

LIMIT = 25 * 1024 * 1024
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


HEIC_REFUSED = (
    "“%s” is a photo in the format HEIC, which many computers cannot open. Save it as JPEG; or on the iPhone choose"
    " Settings > Camera > Formats > Most Compatible and take it again."
)


def identified(content, name, *, size=None, limit=LIMIT):
    file = io.BytesIO(content)
    file.seek(len(content))
    try:
        return identify(file, name, size=len(content) if size is None else size, limit=limit)
    finally:
        assert file.tell() == 0


def refusal(content, name, **options):
    with pytest.raises(RefusedFileError) as refused:
        identified(content, name, **options)
    return str(refused.value)


def test_there_are_sixty_hostile_files_or_more():
    hostile = hostile_files()
    assert len({each.content for each in hostile if not each.is_fine}) >= 60
    assert len({(each.name, each.content) for each in hostile}) == len(hostile)


@pytest.mark.parametrize("each", [each for each in hostile_files() if not each.is_fine], ids=lambda each: each.why)
def test_refusal_names_the_hostile_file(each: HostileFile):
    assert clean_name(each.name) in refusal(each.content, each.name)


@pytest.mark.parametrize("each", [each for each in hostile_files() if each.is_fine], ids=lambda each: each.why)
def test_hostile_name_becomes_harmless(each: HostileFile):
    assert identified(each.content, each.name) == KINDS["pdf"]
    assert clean_name(each.name) == each.cleaned


@pytest.mark.parametrize(("name", "content", "kind"), good_files(), ids=[each[0] for each in good_files()])
def test_good_file_is_identified(name, content, kind):
    assert identified(content, name) == KINDS[kind]
    assert clean_name(name) == name


def test_macros_under_another_name_are_refused_as_in_workbooks():
    make, _words = REFUSED["a macro by its relationship"]
    assert "macros" in refusal(make(workbook()), "a.xlsx")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("รายงาน.pdf", image("PNG"),
         "“รายงาน.pdf” is not what its name says: its content is a file of the kind “PNG image”."
         " Give it a name that ends in .png, or choose another file."),
        ("x.zip", pack({"a/b.exe": "x"}),
         "“x.zip” holds “a/b.exe”, a program or a web page. Take it out and pack the rest again."),
        ("x.zip", pack({"b.rar": "x"}),
         "“x.zip” holds “b.rar”, which is packed itself. Unpack that and pack all files in one."),
        ("x.docx", open_xml("docx", more={"word/vbaProject.bin": b""}),
         "“x.docx” holds macros. Save it without them, as .docx, .xlsx or .pptx, and choose the new file."),
        ("x.pdf", pdf()[:-7], "“x.pdf” is damaged or incomplete. Open it, save it again and choose the new file."),
        ("x.pdf", pdf() + HTML,
         "“x.pdf” has other content hidden in it. Save it again in its own program, or choose another file."),
        ("IMG_0001.HEIC", b"\0\0\0\x24ftypheic" + bytes(99), HEIC_REFUSED % "IMG_0001.HEIC"),
        ("IMG_0001.jpg", b"\0\0\0\x18ftypmif1" + bytes(99), HEIC_REFUSED % "IMG_0001.jpg"),
    ],
)  # fmt: skip
def test_refusal_says_what_is_wrong_and_what_to_do(name, content, sentence):
    assert refusal(content, name) == sentence


def test_file_beyond_the_limit_is_refused_before_it_is_read():
    assert refusal(b"%PDF-1.4 cut", "ก.pdf", size=LIMIT + 1) == (
        "“ก.pdf” is larger than 25 MB. Make it smaller, or give a link to it instead."
    )
    assert identified(pdf(), "ก.pdf", limit=len(pdf())) == KINDS["pdf"]


def test_refusal_of_an_unknown_file_lists_the_accepted_kinds():
    sentence = refusal(b"\x00\x01\x02", "a.bin")
    assert all(str(kind.label) in sentence for kind in KINDS.values())


def test_each_trap_is_refused_for_its_own_reason():
    """A trap that is refused for another reason is not tested."""
    wrong = {
        "zeros.zip": "unpacks to more",
        "many.zip": "unpacks to more",
        "liar.zip": "damaged",
        "overlap.zip": "damaged",
        "overlaps.zip": "unpacks to more",
        "prefix.zip": "damaged",
        "gap.zip": "damaged",
        "shifted.zip": "damaged",
        "slip.zip": "stay in its folder",
        "link.zip": "stay in its folder",
        "locked.zip": "password",
        "locked.odt": "password",
        "twice.zip": "twice",
        "packed.zip": "ordinary ZIP",
        "huge.png": "100 million pixels",
        "large.png": "100 million pixels",
        "huge.webp": "100 million pixels",
        "macros.odt": "macros",
        "macros.docm": "macros",
        "entities.docx": "damaged",
        "template.docx": "content that is not accepted",
        "notes.rtf": "content that is not accepted",
        "late.pdf": "content that is not accepted",
        "slides.odp": "content that is not accepted",
        "table.xls": "old Office format",
        "zip-html.zip": "hidden in it",
        "comment.zip": "hidden in it",
        "zip.png": "hidden in it",
        "php.jpg": "hidden in it",
        "utf16.txt": "code, such as a web page",
        "thai.txt": "code, such as a web page",
        "junk.txt": "cannot be read as text",
        "french.txt": "cannot be read as text",
    }
    found = {each.name: refusal(each.content, each.name) for each in hostile_files() if each.name in wrong}
    assert {name: part for name, part in wrong.items() if part not in found[name]} == {}


def test_kinds_are_those_an_office_uses():
    assert list(KINDS) == ["pdf", "docx", "xlsx", "pptx", "odt", "ods", "png", "jpg", "webp", "txt", "csv", "zip"]
    assert {kind.extensions[0] for kind in KINDS.values()} == set(KINDS)
    assert ACCEPTED_EXTENSIONS == ".pdf,.docx,.xlsx,.pptx,.odt,.ods,.png,.jpg,.jpeg,.jpe,.jfif,.webp,.txt,.csv,.zip"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("", "file"),
        ("/", "file"),
        (" . ", "file"),
        ("\u200b\u2066", "file"),
        (".htaccess", "htaccess"),
        ("C:\\Users\\ก\\ผล.xlsx", "ผล.xlsx"),
        ("a  b\t\n\u00a0c.pdf", "a b c.pdf"),
        ("a\u200bb\ufeff\u202e\u2069.pdf", "ab.pdf"),
        ("e\u0301.pdf", "é.pdf"),
        ("a<b>|?*.pdf", "a_b____.pdf"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("console.pdf", "console.pdf"),
        ("half\ud800.pdf", "half.pdf"),
        ("น้ำ" * 60, "น้ำ" * 60),
        ("กำ" * 100 + ".pdf", "กำ" * 66 + "…" + "กำ" * 31 + ".pdf"),
        ("x" * 145 + "กำ.pdf", "x" * 145 + "กำ.pdf"),
    ],
)
def test_clean_name_is_safe(name, clean):
    assert clean_name(name) == clean
    assert clean_name(clean) == clean


@pytest.mark.parametrize("each", hostile_files(), ids=lambda each: each.why)
def test_clean_name_fits_into_a_header_and_a_page(each: HostileFile):
    name = clean_name(each.name)
    short = download_name(name)
    header = content_disposition_header(True, short)
    assert header.isprintable()
    assert short in unquote(header)
    assert 0 < len(name) <= 200
    assert 0 < len(short.encode()) <= 240
    assert not any(unicodedata.category(letter).startswith("C") for letter in name)
