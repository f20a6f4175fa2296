"""Parsing of a status, the basis of a schedule and a period in every usual form."""

from datetime import date, timedelta
from difflib import get_close_matches

import pytest
from django.utils import translation
from django.utils.translation import gettext as _
from hypothesis import given
from hypothesis import strategies as st

from exchange.levels import parse_levels
from exchange.parse import choice_names, parse_basis, parse_period, parse_status, period_name
from exchange.whole_plan.tables import parse_change, parse_kind, parse_verdict
from plan.models import ActionItem, Period, Status
from plan.models.status_words import STATUS_WORDS, UNCLEAR_STATUS_WORDS
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.nearest import nearest
from tests.pmqa_tracker.any_cells import CELLS, ODD, check


def periods_of(*days):
    """Periods from pairs of ISO dates, not saved."""
    return [
        Period(number=number, starts_on=date.fromisoformat(first), ends_on=date.fromisoformat(last))
        for number, (first, last) in enumerate(days, start=1)
    ]


# The department's own: five, the first of two months.
PLAN = periods_of(
    ("2019-08-01", "2019-09-30"),
    ("2019-10-01", "2019-12-31"),
    ("2020-01-01", "2020-03-31"),
    ("2020-04-01", "2020-06-30"),
    ("2020-07-01", "2020-09-30"),
)
TWO_YEARS = periods_of(
    ("2018-10-01", "2018-12-31"),
    ("2018-11-01", "2019-01-31"),
    ("2019-10-01", "2019-12-31"),
    ("2019-10-01", "2019-10-31"),
)
HALVES = periods_of(("2019-10-01", "2019-10-15"), ("2019-10-16", "2019-10-31"), ("2019-11-01", "2019-12-31"))


def refused(read, value, *more):
    with pytest.raises(UnreadableError) as caught:
        read(value if isinstance(value, ReadCell) else ReadCell(value), *more)
    return caught.value


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (None, None),
        ("ดำเนินการแล้วเสร็จ", Status.DONE),
        ("ดําเนินการ แล้วเสร็จ ", Status.DONE),
        ("Done", Status.DONE),
        ("DONE", Status.DONE),
        ("in progress", Status.IN_PROGRESS),
        ("IN_PROGRESS", Status.IN_PROGRESS),
        ("อยู่ระหว่างดำเนินการ", Status.IN_PROGRESS),
        ("ยังไม่ดำเนินการ", Status.NOT_STARTED),
        ("ติดปัญหา", Status.BLOCKED),
        ("ยกเลิก", Status.CANCELLED),
    ],
)
@pytest.mark.parametrize("language", ["th", "en"])
def test_status_is_parsed_in_both_languages(text, status, language):
    with translation.override(language):
        assert parse_status(ReadCell(text)) == status


def test_unknown_status_lists_choices_and_nearest():
    with translation.override("en"):
        assert refused(parse_status, "ดำเนินการเสด").message == (
            "“ดำเนินการเสด” is not one of the choices. Allowed: ยังไม่ดำเนินการ, อยู่ระหว่างดำเนินการ, "
            "ดำเนินการแล้วเสร็จ, ติดปัญหา, ยกเลิก. The nearest: อยู่ระหว่างดำเนินการ, ดำเนินการแล้วเสร็จ, ยังไม่ดำเนินการ"
        )


@pytest.mark.parametrize("status", Status)
def test_words_that_people_use_mean_their_status(status):
    for word in STATUS_WORDS[status]:
        assert parse_status(ReadCell(word)) == status, word
        assert parse_status(ReadCell(f" {word.replace('แล้ว', 'แล้ว ').replace('ำ', 'ํา')}\n".upper())) == status, word


def test_words_of_the_issue_mean_their_status():
    assert [parse_status(ReadCell(text)) for text in ("เสร็จแล้ว", "กำลังทำ", "ยังไม่เริ่ม")] == [
        Status.DONE,
        Status.IN_PROGRESS,
        Status.NOT_STARTED,
    ]


def test_unclear_word_is_refused_with_the_statuses_it_could_mean():
    for word, statuses in UNCLEAR_STATUS_WORDS.items():
        with translation.override("th"):
            assert refused(parse_status, word).readings == [str(each.label) for each in Status if each in statuses], (
                word
            )


def test_no_word_stands_in_two_rows_of_the_tables():
    keys = [thai.search_key(word) for words in (*STATUS_WORDS.values(), UNCLEAR_STATUS_WORDS) for word in words]
    names = [thai.search_key(name) for each in choice_names(Status).values() for name in each]
    assert [key for key in keys if (keys + list(set(names))).count(key) > 1] == []


@pytest.mark.parametrize(
    ("read", "typed", "offered"),
    [
        (parse_status, "เสรจแลว", ["ดำเนินการแล้วเสร็จ"]),
        (parse_basis, "ตามเอกสารค่ะ", ["ระบุในเอกสาร"]),
        (lambda cell: parse_period(cell, PLAN), "ตค.-ธคค. 2562", ["ต.ค.–ธ.ค. 2562"]),
        (parse_levels, "Basic, Advnce", ["Advance"]),
        (parse_verdict, "ผ่านน", ["ผ่าน", "ไม่ผ่าน"]),
        (parse_kind, "ประเมินตัวเอง", []),
        (parse_change, "เหมือนเดิม", []),
        (lambda cell: nearest(cell.value, ["1.1", "1.2", "1.1.1", "1.1.2", "7.1"]), "1.1.4", ["1.1.1", "1.1.2", "1.1"]),
    ],
)
def test_unknown_word_gets_the_nearest_three(read, typed, offered):
    try:
        names = read(ReadCell(typed))
    except UnreadableError as error:
        names = error.message.partition(str(_("The nearest: %(names)s")) % {"names": ""})[2].split(", ")
    assert names[: len(offered)] == offered
    assert 1 <= len(set(names)) == len(names) <= 3


def test_nearest_of_a_long_list_are_those_of_a_full_comparison():
    refs = [
        f"{a}.{b}-{level}-{number}" for a in range(1, 7) for b in range(1, 7) for level in "BAS" for number in range(30)
    ]
    for typed in ("1.2-A-33", "6.6-S-290", "3.3A7"):
        assert nearest(typed, refs)[0] in get_close_matches(typed, refs, n=5, cutoff=0.5)


@pytest.mark.parametrize("basis", ActionItem.Basis)
def test_basis_is_parsed(basis):
    for text in (basis.label, str(basis), basis.lower()):
        assert parse_basis(ReadCell(str(text))) == basis
    refused(parse_basis, "เดา")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("ต.ค.–ธ.ค. 2562", 2),
        ("ต.ค.-ธ.ค. 2562", 2),
        ("ต.ค. - ธ.ค. 62", 2),
        ("ต.ค.—ธ.ค.๒๕๖๒", 2),
        ("ตค-ธค 2562", 2),
        ("ตุลาคม ถึง ธันวาคม พ.ศ. 2562", 2),
        ("ตุลาคม – ธันวาคม 2019", 2),
        ("ต.ค. 2562-ธ.ค. 2562", 2),
        ("ต.ค. 2562 – ธ.ค.", 2),
        ("Oct–Dec 2562", 2),
        ("October to December 2019", 2),
        ("Oct-Dec 62", 2),  # 1962 is no year of the plan
        ("ต.ค.–ธ.ค.", 2),
        ("ไตรมาส 1/2563", 2),
        ("ไตรมาส 1 /2563", 2),
        ("ไตรมาสที่ ๑ ปี ๒๕๖๓", 2),
        ("ไตรมาสที่ 1 ปีงบประมาณ พ.ศ. 2563", 2),
        ("ไตรมาส 1/63", 2),
        ("ไตรมาส 1", 2),
        ("Q1/2563", 2),
        ("Q1 2020", 2),
        ("Quarter 1/2563", 2),
        ("ไตรมาส 4/2562", 1),
        ("ไตรมาส 4/2563", 5),
        ("ต.ค.–ธ.ค. 2562 · ไตรมาส 1/2563", 2),
        ("ต.ค.–ธ.ค. 2562 (ไตรมาส 1/2563)", 2),
        ("ช่วงที่ 2 (ต.ค.–ธ.ค. 2562)", 2),
        ("ส.ค.–ก.ย. 2562", 1),
        (1, 1),
        (5.0, 5),
        ("๓", 3),
        ("ช่วงที่ 4", 4),
        ("ช่วงเวลาที่ 4", 4),
        ("Period 4", 4),
    ],
)
def test_period_is_parsed(value, number):
    assert parse_period(ReadCell(value), PLAN) == PLAN[number - 1]


def test_an_empty_cell_is_no_period():
    assert parse_period(ReadCell(" \u00a0"), PLAN) is parse_period(ReadCell(), []) is None


@pytest.mark.parametrize(
    ("value", "periods", "readings"),
    [
        ("ไตรมาส 4", PLAN, ["ส.ค.–ก.ย. 2562", "ก.ค.–ก.ย. 2563"]),
        ("1/2563", PLAN, ["ต.ค.–ธ.ค. 2562", "ม.ค.–มี.ค. 2563"]),  # a quarter of the fiscal year, or January
        ("10/2562", PLAN, ["ต.ค.–ธ.ค. 2562"]),
        ("ต.ค.–ธ.ค. 2563", PLAN, ["ต.ค.–ธ.ค. 2562"]),
        ("พ.ย. 2562", PLAN, ["ต.ค.–ธ.ค. 2562"]),
        ("พ.ย.", PLAN, []),
        ("15/11/2562", PLAN, ["ต.ค.–ธ.ค. 2562"]),
        (date(2019, 11, 15), PLAN, ["ต.ค.–ธ.ค. 2562"]),
        (date(2562, 11, 15), PLAN, ["ต.ค.–ธ.ค. 2562"]),
        (date(2025, 11, 15), PLAN, []),
        (date(9999, 1, 1), PLAN, []),
        ("ต.ค.–ธ.ค. 2562 · ไตรมาส 2/2563", PLAN, ["ต.ค.–ธ.ค. 2562", "ม.ค.–มี.ค. 2563"]),
        ("ต.ค.–ธ.ค. 2562 ไม่แน่", PLAN, []),
        ("ไตรมาส 12563", PLAN, []),
        ("ต.ค.–ธ.ค. 2562 (โดยประมาณ)", PLAN, ["ต.ค.–ธ.ค. 2562"]),
        ("ไตรมาส 5/2563", PLAN, []),
        (6, PLAN, []),
        (0, PLAN, []),
        (1.5, PLAN, []),
        ("1 2", PLAN, []),
        ("ไตรมาส 1 1/2563", PLAN, []),
        (True, PLAN, []),
        ("ตลอดปี", PLAN, []),
        ("1", [], []),
        ("ต.ค.–ธ.ค.", TWO_YEARS, ["ต.ค.–ธ.ค. 2561", "ต.ค.–ธ.ค. 2562"]),
        ("ไตรมาส 1/2563", TWO_YEARS, ["ต.ค.–ธ.ค. 2562", "ต.ค. 2562"]),
        ("ต.ค. 2562", HALVES, ["ช่วงที่ 1 (ต.ค. 2562)", "ช่วงที่ 2 (ต.ค. 2562)"]),
        ("ไตรมาส 1", HALVES, ["ช่วงที่ 1 (ต.ค. 2562)", "ช่วงที่ 2 (ต.ค. 2562)", "พ.ย.–ธ.ค. 2562"]),
    ],
)
def test_unclear_period_lists_candidates(value, periods, readings):
    error = refused(parse_period, value, periods)
    assert error.readings == readings
    assert [period_name(parse_period(ReadCell(reading), periods), periods) for reading in readings] == readings


@pytest.mark.parametrize(
    ("text", "number"), [("พ.ย. 2561–ม.ค. 2562", 2), ("พ.ย.–ม.ค. 62", 2), ("พ.ย. 61-ม.ค.", 2), ("ต.ค. 2562", 4)]
)
def test_period_across_new_year_is_parsed(text, number):
    assert parse_period(ReadCell(text), TWO_YEARS) == TWO_YEARS[number - 1]


def test_misspelt_period_names_nearest():
    with translation.override("en"):
        assert refused(parse_period, "Oct-Dez 2562", PLAN).message == (
            "“Oct-Dez 2562” is not a period of the plan; write one like Aug–Sep 2562, or its number. "
            "The nearest: Oct–Dec 2562, Aug–Sep 2562, Jul–Sep 2563"
        )


@st.composite
def any_plan(draw):
    """Periods one after the other, of any lengths."""
    day, days = draw(st.dates(date(1990, 1, 1), date(2150, 1, 1))), []
    for length in draw(st.lists(st.integers(5, 400), min_size=1, max_size=9)):
        days.append((day.isoformat(), (day + timedelta(days=length - 1)).isoformat()))
        day += timedelta(days=length)
    return periods_of(*days)


@given(any_plan())
def test_every_written_period_is_parsed(periods):
    for language in ("th", "en"):
        with translation.override(language):
            for period in periods:
                name = period_name(period, periods)
                spaced = name.replace("–", " - ").translate(thai.TO_THAI)
                for text in (name, f"{name} · {period.quarter_label}", spaced):
                    assert parse_period(ReadCell(text), periods) is period, text
                assert parse_period(ReadCell(period.number), periods) is period


PLANS = (PLAN, TWO_YEARS, HALVES, [])
READERS = [parse_status, parse_basis, *(lambda cell, periods=periods: parse_period(cell, periods) for periods in PLANS)]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("cell", ODD)
def test_odd_cells_are_parsed_or_refused(read, cell):
    check(read, cell)


@given(CELLS)
def test_no_cell_breaks_a_parser_and_every_candidate_is_parsed(cell):
    for read in READERS:
        check(read, cell)


WORDS = ["ต.ค.", "ธ.ค.", "ก.ย.", "-", "–", " ", "ไตรมาส", "Q", "1", "2", "/", "2562", "63", "0000", "·", "ช่วงที่"]


@given(st.lists(st.sampled_from(WORDS), max_size=9))
def test_no_mix_of_terms_breaks_the_parser(words):
    for read in READERS[2:]:
        check(read, ReadCell("".join(words)))
