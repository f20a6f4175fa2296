"""Parsing of cells: a cell is parsed or refused, never guessed."""

from datetime import date, datetime, time

import pytest
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_choice, parse_yes_no
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.values import parse_code, parse_day, parse_percent, parse_text, parse_whole_number
from spreadsheets.text import clean_text
from tests.pmqa_tracker.any_cells import CELLS, ODD, check

DAY = date(2020, 9, 30)
FRUIT = {1: ("น้ำส้ม", "Orange juice", "ORANGE"), 2: ("น้ำมะนาว", "Lemonade", "LEMON"), 3: ("ชา", "Tea", "LEMON")}


def refused(read, value, **how):
    """Return the error for a cell that cannot be parsed."""
    cell = value if isinstance(value, ReadCell) else ReadCell(value, **how)
    with pytest.raises(UnreadableError) as caught:
        read(cell)
    assert str(caught.value) == caught.value.message != ""
    return caught.value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        (" \u00a0\u200b\ufeff", ""),
        ("\u00a0 ผลงาน\u00a0ที่ 1 \u200b", "ผลงาน\u00a0ที่ 1"),
        ("หนึ่ง\r\nสอง\rสาม\n", "หนึ่ง\nสอง\nสาม"),
        ("=1+1", "=1+1"),
        ("นํ้า", "นํ้า"),
        ("๑๒", "๑๒"),
        (3, "3"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (2563, "2563"),
        (123456789012345, "123456789012345"),
        (True, "TRUE"),
    ],
)
def test_text_is_what_the_cell_shows(value, text):
    assert parse_text(ReadCell(value)) == text


def test_percentage_in_a_text_column_is_the_shown_text():
    assert parse_text(ReadCell(0.5, is_percent=True)) == "50%"


@pytest.mark.parametrize(
    ("text", "code"), [("ผล\x07งาน", "U+0007"), ("ก\ud800", "U+D800"), ("\uffff", "U+FFFF"), ("\x1f", "U+001F")]
)
def test_forbidden_character_is_named(text, code):
    assert code in refused(parse_text, text).message


@pytest.mark.parametrize(
    ("value", "readings"),
    [
        (datetime.fromisoformat("2020-09-30"), ["30/9/2563"]),
        (date(2563, 9, 30), ["30/9/2563"]),
        (date(3106, 9, 30), []),
        (time(14, 5), ["14:05"]),
        (float("nan"), []),
        (1e15, []),
    ],
)
def test_text_converted_by_the_spreadsheet_is_refused(value, readings):
    assert refused(parse_text, value).readings == readings


@given(st.text(st.characters(codec=None)))
@example(" \u00a0ก\x00\r\n ")
def test_parsed_text_parses_to_itself(text):
    read = parse_text(ReadCell(clean_text(text)))
    assert parse_text(ReadCell(clean_text(read))) == read


@pytest.mark.parametrize(("value", "code"), [("1.10", "1.10"), ("1.2.1-A-3", "1.2.1-A-3"), (3.0, "3"), (None, "")])
def test_code_is_parsed_as_text(value, code):
    assert parse_code(ReadCell(value)) == code


@pytest.mark.parametrize(("value", "readings"), [(1.1, ["1.1", "1.10"]), (1.25, ["1.25"])])
def test_code_converted_to_a_number_offers_the_possible_codes(value, readings):
    assert refused(parse_code, value).readings == readings


@pytest.mark.parametrize(
    "value",
    [
        DAY,
        datetime.fromisoformat("2020-09-30"),
        datetime.fromisoformat("2020-09-30 13:30"),
        date(2563, 9, 30),  # typed into Excel with the Thai year
        "30/9/2563",
        "30-09-2563",
        "30.9.2563",
        "30/9/2020",
        "๓๐/๙/๒๕๖๓",
        "2020-09-30",
        "2563-09-30",
        "2563/9/30",
        "30 ก.ย. 63",
        "30 กย 63",
        "30 ก. ย. 2563",
        "30ก.ย.2563",
        "๓๐ กันยายน ๒๕๖๓",
        "30 ก.ย. พ.ศ. 2563",
        "วันที่ 30 กันยายน พ.ศ.2563",
        "30 กันยายน ค.ศ. 2020",
        "30 September 2020",
        "30-Sep-2563",
        "sept 30, 2020",
        "\u00a030 ก.ย.\u00a063 ",
    ],
)
def test_day_is_parsed(value):
    assert parse_day(ReadCell(value)) == DAY


@pytest.mark.parametrize("value", [None, "", "  ", "\u200b"])
def test_empty_cell_is_none(value):
    assert parse_day(ReadCell(value)) is parse_percent(ReadCell(value)) is parse_whole_number(ReadCell(value)) is None
    assert parse_yes_no(ReadCell(value)) is None


def test_leap_day_of_only_one_era_is_that_day():
    assert parse_day(ReadCell("29/2/63")) == date(2020, 2, 29)


@pytest.mark.parametrize(
    ("value", "readings"),
    [
        ("5/6/49", ["5/6/2549", "5/6/2592"]),
        ("30/9/20", ["30/9/2520", "30/9/2563"]),
        ("30 ก.ย. 20", ["30/9/2520", "30/9/2563"]),
        ("30 Sep 20", ["30/9/2520", "30/9/2563"]),
        (44104, ["30/9/2563"]),
        (44104.0, ["30/9/2563"]),
        (2563, []),
        (44104.5, []),
        (True, []),
        (time(9, 30), []),
        ("31/2/2563", []),
        ("9/30/2563", []),
        ("ก.ย. 2563", []),
        ("1 1 ก.ย. 2563", []),
        ("30 กนย 2563", []),
        ("30/9/3106", []),
        ("30/9/1400", []),
        ("30 ก.ย. ค.ศ. 2563", []),
        ("30 ก.ย. พ.ศ. 2020", []),
        (date(3106, 9, 30), []),
        (date(1477, 9, 30), []),
        (date(2564, 2, 29), []),  # 2564 had such a day in A.D. only
        ("เร็ว ๆ นี้", []),
    ],
)
def test_invalid_or_ambiguous_day_is_refused(value, readings):
    assert refused(parse_day, value).readings == readings


def ways_to_type(day):
    th, en = thai.MONTHS["th"][day.month - 1], thai.MONTHS["en"][day.month - 1]
    year, ad = day.year + 543, day.year
    yield from (f"{day.day}{s}{day.month:02}{s}{year}" for s in "/-.")
    yield from (f"{day.day} {month} {year}" for month in (*th, *en))
    yield from (f"{day.day}-{month}-{ad}" for month in (*th, *en) if ad < 2400)
    yield from (f"{day.day} {month} พ.ศ. {year}" for month in th)
    yield from (day.isoformat(), f"{year}-{day:%m-%d}", f"{day.day}/{day.month}/{ad}", thai.type_date(day))
    if 2550 <= year < 2600:
        yield from (f"{day.day} {month} {year % 100}" for month in th)


@given(st.dates(min_value=date(1857, 1, 1), max_value=date(2399, 12, 31)))
@example(date(2020, 2, 29))
def test_every_notation_of_a_day_is_that_day(day):
    for typed in ways_to_type(day):
        for text in (typed, typed.translate(thai.TO_THAI), f"\u00a0{typed}\n"):
            assert parse_day(ReadCell(text)) == day, text
    assert parse_day(ReadCell(day)) == parse_day(ReadCell(datetime.combine(day, time(8)))) == day
    for language in ("th", "en"):
        with translation.override(language):
            assert parse_day(ReadCell(thai.format_date(day))) == day
            assert parse_day(ReadCell(thai.format_date(day, short=False))) == day


@pytest.mark.parametrize(
    ("value", "is_percent", "percent"),
    [
        ("50%", False, 50),
        ("50 %", False, 50),
        ("๕๐", False, 50),
        ("๕๐％", False, 50),
        ("ร้อยละ 50", False, 50),
        ("50 เปอร์เซ็นต์", False, 50),
        ("50.0", False, 50),
        ("0.5", False, 50),
        (50, False, 50),
        (50.0, False, 50),
        (0.5, False, 50),
        (0.5, True, 50),
        (0.29, True, 29),
        (0.1 + 0.2, False, 30),
        (1, True, 100),
        (0.01, True, 1),
        (0.01, False, 1),
        (0, False, 0),
        ("0", False, 0),
        ("1%", False, 1),
        (100, False, 100),
        ("100", False, 100),
    ],
)
def test_percentage_is_parsed(value, is_percent, percent):
    assert parse_percent(ReadCell(value, is_percent)) == percent


@pytest.mark.parametrize(
    ("value", "is_percent", "readings"),
    [
        (1, False, ["1%", "100%"]),
        (1.0, False, ["1%", "100%"]),
        ("1", False, ["1%", "100%"]),
        (50, True, ["50%"]),
        (1.5, True, []),
        (50.5, False, []),
        (0.505, True, []),
        (0.505, False, []),
        ("0.5%", False, []),
        (-5, False, []),
        ("-5", False, []),
        (101, False, []),
        ("150%", False, []),
        ("50-60%", False, []),
        ("ครึ่งหนึ่ง", False, []),
        (True, False, []),
        (DAY, False, []),
        (float("inf"), True, []),
    ],
)
def test_invalid_or_ambiguous_percentage_is_refused(value, is_percent, readings):
    assert refused(parse_percent, value, is_percent=is_percent).readings == readings


@given(st.integers(min_value=0, max_value=100))
def test_shown_percentage_parses_to_itself(percent):
    assert parse_percent(ReadCell(percent / 100, is_percent=True)) == percent
    for text in (f"{percent}%", f"{percent} %", f"ร้อยละ {percent}".translate(thai.TO_THAI)):
        assert parse_percent(ReadCell(text)) == percent
    if percent != 1:
        assert parse_percent(ReadCell(percent)) == parse_percent(ReadCell(str(percent))) == percent


@pytest.mark.parametrize(
    ("value", "number"), [(3, 3), (3.0, 3), ("๓", 3), (" 3 ", 3), ("3.0", 3), (0, 0), ("32767", 32767)]
)
def test_whole_number_is_parsed(value, number):
    assert parse_whole_number(ReadCell(value)) == number


@pytest.mark.parametrize(
    "value", [3.5, "3.5", -1, "-1", 32768, True, DAY, "สาม", "1,000", "1e3", float("nan"), "9" * 5000]
)
def test_invalid_whole_number_is_refused(value):
    refused(parse_whole_number, value)


def test_whole_number_out_of_range_is_refused():
    assert parse_whole_number(ReadCell(-2), least=-2, most=2) == -2
    assert "-2" in refused(lambda cell: parse_whole_number(cell, least=-2, most=2), 3).message


@pytest.mark.parametrize(("text", "choice"), [("น้ำส้ม", 1), (" นํ้า ส้ม", 1), ("orangeJUICE", 1), ("orange", 1), ("ชา", 3)])
def test_choice_is_parsed_in_any_spelling(text, choice):
    assert parse_choice(ReadCell(text), FRUIT) == choice


def test_ambiguous_choice_is_refused():
    assert refused(lambda cell: parse_choice(cell, FRUIT), "lemon").readings == ["น้ำมะนาว", "ชา"]


def test_unknown_choice_shows_allowed_and_nearest_choices():
    with translation.override("en"):
        assert refused(lambda cell: parse_choice(cell, FRUIT), "น้ำมะนา").message == (
            "“น้ำมะนา” is not one of the choices. Allowed: น้ำส้ม, น้ำมะนาว, ชา. The nearest: น้ำมะนาว, น้ำส้ม"
        )
        assert refused(lambda cell: parse_choice(cell, FRUIT), "xyz").message.endswith("Allowed: น้ำส้ม, น้ำมะนาว, ชา.")


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (True, True),
        ("ใช่", True),
        ("YES", True),
        (1, True),
        (False, False),
        ("ไม่ใช่", False),
        ("no", False),
        (0.0, False),
    ],
)
def test_yes_and_no_are_parsed(value, answer):
    assert parse_yes_no(ReadCell(value)) is answer


READERS = [
    parse_text, parse_code, parse_day, parse_percent, parse_whole_number, parse_yes_no,
    lambda cell: parse_choice(cell, FRUIT),
]  # fmt: skip


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("cell", "word"),
    [(ReadCell(None, error="FORMULA"), "สูตร"), (ReadCell("#VALUE!", error="ERROR"), "#VALUE!")],
)
def test_every_parser_refuses_a_cell_with_an_error(read, cell, word):
    assert word in refused(read, cell).message


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("cell", ODD)
def test_odd_cells_are_parsed_or_refused(read, cell):
    check(read, cell)


@given(CELLS)
def test_any_cell_is_parsed_or_refused_and_offered_readings_parse(cell):
    for read in READERS:
        check(read, cell)
