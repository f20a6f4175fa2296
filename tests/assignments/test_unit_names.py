"""Parsing of the units in a cell: separators, spellings, and errors for ambiguous text."""

import pytest
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from assignments.models import Unit
from assignments.unit_names import EVERY_UNIT, UnitNames, former_names, parse_units
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from tests.factories import UnitFactory
from tests.pmqa_tracker.any_cells import CELLS, ODD, check

# As in the fixtures, but unsaved: the workbook of a new plan can name units that it adds.
DIVISIONS = [
    Unit(abbreviation=abbreviation, name_th=name_th, name_en=name_en)
    for abbreviation, name_th, name_en in [
        ("สลก.", "สำนักงานเลขานุการกรม", "Office of the Secretary"),
        ("กพร.", "กลุ่มพัฒนาระบบบริหาร", "Administrative System Development Group"),
        ("กคร.", "กองคุ้มครองแรงงาน", "Labour Protection Division"),
        ("กคน.", "กองคุ้มครองแรงงานนอกระบบ", "Informal Labour Protection Division"),
        ("กน.", "กองนิติการ", "Legal Affairs Division"),
        ("กค.", "กองคลัง", "Finance Division"),
        ("ทุกหน่วยงาน", "ทุกหน่วยงาน", "Every unit"),
        ("กผ./ศท.", "กองแผนงานและสารสนเทศ, ศูนย์เทคโนโลยี", "Planning, IT and Data"),
        ("ศูนย์ ข.", "ศูนย์ ข้อมูล", ""),
    ]
]
SECRETARY, KPR, PROTECTION, INFORMAL, LEGAL, FINANCE, EVERY, PLANNING, CENTRE = DIVISIONS
CLOSED = Unit(abbreviation="กก.", name_th="กองกลาง", is_active=False)
NAMES = UnitNames.of([*DIVISIONS, CLOSED])


def read(text, names=NAMES):
    return parse_units(ReadCell(text), names)


def refused(text, names=NAMES):
    with pytest.raises(UnreadableError) as caught:
        read(text, names)
    return caught.value


@pytest.mark.parametrize(
    ("text", "units"),
    [
        (None, []),
        (" \n", []),
        ("-", []),
        ("กพร.", [KPR]),
        ("กพร", [KPR]),
        ("ก.พ.ร.", [KPR]),
        ("ก. พ. ร.", [KPR]),
        ("กพร .", [KPR]),
        ("กลุ่มพัฒนาระบบบริหาร", [KPR]),
        ("กลุ่ม พัฒนา\u200bระบบบริหาร", [KPR]),
        ("สํานักงานเลขานุการกรม", [SECRETARY]),
        ("office of the  SECRETARY", [SECRETARY]),
        ("กพร. กคร.", [KPR, PROTECTION]),
        ("กคร. กพร.", [PROTECTION, KPR]),
        ("กพร,กคร", [KPR, PROTECTION]),
        ("กพร.กคร.", [KPR, PROTECTION]),
        ("กพร./กคร.", [KPR, PROTECTION]),
        ("กพร.; กคร.\r\nกน.", [KPR, PROTECTION, LEGAL]),
        ("- กพร.\n- กคร.", [KPR, PROTECTION]),
        ("กพร. กคร. และ กน.", [KPR, PROTECTION, LEGAL]),
        ("กพร.และกคร.", [KPR, PROTECTION]),
        ("กพรและกคร", [KPR, PROTECTION]),
        ("กพร. ร่วมกับ กน. กับกคร.", [KPR, LEGAL, PROTECTION]),
        ("Finance Division and Legal Affairs Division", [FINANCE, LEGAL]),
        ("กองคุ้มครองแรงงานนอกระบบ", [INFORMAL]),
        ("กองคุ้มครองแรงงาน นอกระบบ", [INFORMAL]),
        ("กองคุ้มครองแรงงาน, กองคุ้มครองแรงงานนอกระบบ", [PROTECTION, INFORMAL]),
        ("กค. กน.", [FINANCE, LEGAL]),
        ("กค.กน.", [FINANCE, LEGAL]),
        ("กคน.", [INFORMAL]),
        ("กผ./ศท.", [PLANNING]),
        ("กผ/ศท, กน.", [PLANNING, LEGAL]),
        ("กองแผนงานและสารสนเทศ, ศูนย์เทคโนโลยี และกองคลัง", [PLANNING, FINANCE]),
        ("กองคลัง/Planning, IT and Data/กพร.", [FINANCE, PLANNING, KPR]),
        ("ศูนย์ ข. กพร.", [CENTRE, KPR]),
        ("ศูนย์ข กพร.", [CENTRE, KPR]),
        ("กพร. กพร กลุ่มพัฒนาระบบบริหาร", [KPR]),
        ("ทุกหน่วยงาน", [EVERY]),
        ("กก.", [CLOSED]),
    ],
)
def test_units_are_parsed(text, units):
    assert read(text) == units


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("กพน.", "“กพน.” is not a unit. The nearest: กน., กพร., กคน."),
        ("กพร. กองนิติกร", "“กองนิติกร” is not a unit. The nearest: กน., กก. (no longer active), ทุกหน่วยงาน"),
        ("กพร., กรม X และ กน.", "“กรม” is not a unit. The nearest: กพร., กคร., กน."),
        ("กค.ม.", "“กค.ม.” is not a unit. The nearest: กค., กคร., กคน."),
        ("Labour Protecton Division", "“Labour” is not a unit. The nearest: กคร., กคน."),
        ("กองกลา", "“กองกลา” is not a unit. The nearest: กก. (no longer active), กน., กค."),
        ("๑๒๓", "“๑๒๓” is not a unit."),
    ],
)
def test_unknown_unit_is_quoted_with_the_nearest_name(text, message):
    with translation.override("en"):
        assert refused(text).message == message


def test_every_unit_is_named_by_usual_words_unless_a_unit_is_called_so():
    for word in (*EVERY_UNIT, "ทุก กลุ่ม", "ทุกกลุ่ม."):
        assert read(word) == [EVERY], word
    assert read("ทุกสำนัก/กอง, กน") == [EVERY, LEGAL]
    group = Unit(abbreviation="ทุกกลุ่ม", name_th="ทุกกลุ่มภารกิจ")
    names = UnitNames.of([*DIVISIONS, group])
    assert (read("ทุกกลุ่ม", names), read("ทุกหน่วยงาน", names)) == ([group], [EVERY])
    assert refused("ทุกส่วนงาน", names).readings == ["ทุกหน่วยงาน", "ทุกกลุ่ม"]
    assert refused("ทุกกลุ่ม", UnitNames.of([KPR, LEGAL])).readings == []


@pytest.mark.django_db
def test_unit_is_found_by_the_names_it_had_before(django_assert_num_queries):
    renamed, other = UnitFactory(abbreviation="กผ.", name_th="กองแผนงาน"), UnitFactory(abbreviation="กย.")
    for abbreviation, name in (("กผง.", "กองแผนงาน"), ("กยผ.", "กองยุทธศาสตร์และแผนงาน")):
        renamed.abbreviation, renamed.name_th = abbreviation, name
        renamed.save()
    units = list(Unit.objects.order_by("pk"))
    with django_assert_num_queries(1):
        names = UnitNames.of(units, former_names(units))
    for text in ("กยผ", "กผง.", "ก.ผ.", "กองแผนงาน", "กองยุทธศาสตร์และแผนงาน"):
        assert read(text, names) == [renamed], text
    newer = UnitFactory(abbreviation="กผ.", name_th="กองใหม่")  # a name of today wins
    other.abbreviation = "กผง."  # two units have had this name; one has it now
    other.save()
    units = list(Unit.objects.order_by("pk"))
    names = UnitNames.of(units, former_names(units))
    assert (read("กผ", names), read("กผง", names)) == ([newer], [other])
    other.abbreviation = "กก."
    other.save()
    units = list(Unit.objects.order_by("pk"))
    assert refused("กผง.", UnitNames.of(units, former_names(units))).readings == ["กยผ.", "กก."]


def test_shared_name_is_refused_with_the_candidates():
    one, other = (Unit(abbreviation=name, name_th="กองคลัง", name_en="Finance") for name in ("กค.", "กคล."))
    names = UnitNames.of([one, other])
    assert refused("กองคลัง", names).readings == refused("กคล, Finance", names).readings == ["กค.", "กคล."]


def test_abbreviations_that_differ_by_a_dot_are_different_units():
    with_dot, without = Unit(abbreviation="กค.", name_th="กองคลัง"), Unit(abbreviation="กค", name_th="กองค้น")
    names = UnitNames.of([with_dot, without])
    assert (read("กค.", names), read("กค", names)) == ([with_dot], [without])
    assert read("กค. กองค้น", names) == [with_dot, without]
    assert refused("ก.ค.", names).readings == ["กค.", "กค"]


def test_ambiguous_split_is_refused_with_the_candidates():
    a, b, ab, cd = (Unit(abbreviation=name, name_th=f"กอง{name}") for name in ("กข", "คง", "กขค", "ง"))
    names = UnitNames.of([a, b, ab, cd])
    assert refused("ก ข ค ง", names).readings == ["กขค, ง", "กข, คง"]
    assert read("กข คง", names) == [a, b]


def test_the_longest_name_wins():
    names = UnitNames.of(units := [Unit(abbreviation=name, name_th=f"กอง{name}") for name in ("a", "b", "a, b")])
    assert read("a, b", names) == units[2:]
    assert names.format(units[:2]) == "a; b"
    assert read("a; b", names) == units[:2]


BETWEEN = st.sampled_from(
    [" ", ",", ", ", "/", " / ", ";", "\n", "\r\n", " และ ", "และ", " กับ ", "\u00a0", ",\u200b", " and "]
)


@given(st.lists(st.sampled_from(DIVISIONS), unique_by=lambda unit: unit.abbreviation, max_size=9), st.data())
def test_units_in_any_spelling_and_separator_are_parsed(units, data):
    text = ""
    for unit in units:
        written = data.draw(st.sampled_from([unit.abbreviation, unit.abbreviation.rstrip("."), unit.name_th]))
        written = written.replace("ำ", data.draw(st.sampled_from(["ำ", "ํา"])))
        text += f"{data.draw(BETWEEN) if text else ''}{written}"
    assert read(text) == units
    assert read(NAMES.format(units)) == units


@given(st.lists(st.text("ab ,./;และก", min_size=1, max_size=4).map(str.strip).filter(bool), unique=True, max_size=6))
@example(["a", "A", "a.", "a, b", "b", "a; b"])
def test_formatted_units_with_any_names_are_parsed_back(names):
    units = [Unit(abbreviation=name, name_th=f"หน่วยที่{number}") for number, name in enumerate(names)]
    known = UnitNames.of(units)
    assert read(known.format(units), known) == units


@pytest.mark.parametrize("cell", ODD)
def test_odd_cells_are_parsed_or_refused(cell):
    check(lambda cell: parse_units(cell, NAMES), cell)


@given(CELLS)
def test_no_cell_breaks_the_parser(cell):
    check(lambda cell: parse_units(cell, NAMES), cell)


@given(st.text("กพคนร.และ, /\n๑", max_size=60))
def test_no_mix_of_names_breaks_the_parser(text):
    check(lambda cell: parse_units(cell, NAMES), ReadCell(text))
    assert thai.search_key(text) or read(text) == []
