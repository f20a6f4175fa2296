"""Buddhist dates, fiscal years, and the search key."""

from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from pmqa_tracker import thai


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("15/5/2563", date(2020, 5, 15)),
        ("15/05/2020", date(2020, 5, 15)),
        ("๑๕/๕/๒๕๖๓", date(2020, 5, 15)),
        (" 15-5-2563 ", date(2020, 5, 15)),
        ("15.5.2563", date(2020, 5, 15)),
        ("2563-05-15", date(2020, 5, 15)),
        ("2020-05-15", date(2020, 5, 15)),
        ("29/2/2563", date(2020, 2, 29)),
    ],
)
def test_day_is_accepted_in_every_notation(typed, day):
    assert thai.parse_date(typed) == day


@pytest.mark.parametrize("typed", ["", "วันนี้", "31/2/2563", "29/2/2562", "15/13/2563", "5/2563", "15/5/20", "1/1/0001x"])
def test_invalid_day_is_refused(typed):
    with pytest.raises(ValueError):
        thai.parse_date(typed)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2400, 12, 31)))
def test_shown_day_parses_to_itself(day):
    assert thai.parse_date(f"{day.day}/{day.month}/{day.year + 543}") == day


@pytest.mark.parametrize(
    ("day", "year", "quarter"),
    [
        (date(2019, 9, 30), 2562, 4),
        (date(2019, 10, 1), 2563, 1),
        (date(2019, 12, 31), 2563, 1),
        (date(2020, 1, 1), 2563, 2),
        (date(2020, 4, 1), 2563, 3),
        (date(2020, 9, 30), 2563, 4),
        (date(2020, 10, 1), 2564, 1),
    ],
)
def test_the_fiscal_year_begins_in_october(day, year, quarter):
    assert (thai.fiscal_year(day), thai.fiscal_quarter(day)) == (year, quarter)


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("การนำองค์การ", "การนําองค์การ"),
        ("น้ำ", "นํ้า"),
        ("น้ำ", "น้ํา"),
        ("ระดับ ๓", "ระดับ3"),
        ("Line Official Account", "line official  account"),
        ("ผู้บริหาร", "ผู้\u200bบริหาร"),
    ],
)
def test_spellings_of_a_text_share_a_key(written, typed):
    assert thai.search_key(written) == thai.search_key(typed)


def test_different_texts_have_different_keys():
    assert thai.search_key("เสื่อ") != thai.search_key("เสือ")


@given(st.text())
def test_key_of_a_key_is_itself(text):
    assert thai.search_key(thai.search_key(text)) == thai.search_key(text)


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [("th", "15 พ.ค. 2563", "15 พ.ค. 2563 14:05 น."), ("en", "15 May 2563", "15 May 2563 14:05")],
)
def test_days_and_moments_are_formatted_in_the_buddhist_era(language, day, moment):
    at = datetime(2020, 5, 15, 7, 5, tzinfo=UTC)
    with translation.override(language):
        assert thai.format_date(date(2020, 5, 15)) == day
        assert thai.format_datetime(at) == moment


def test_the_months_of_a_period():
    assert thai.month_range(date(2019, 8, 1), date(2019, 9, 30)) == "ส.ค.–ก.ย. 2562"
    assert thai.month_range(date(2019, 10, 1), date(2019, 10, 31)) == "ต.ค. 2562"
    assert thai.month_range(date(2019, 11, 1), date(2020, 1, 31)) == "พ.ย. 2562–ม.ค. 2563"


def test_date_filter_uses_the_buddhist_era_except_in_machine_formats():
    page = Template("{{ day|date:'j N Y' }} {{ day|date:'Y-m-d' }} {{ day|be_input }}")
    assert page.render(Context({"day": date(2020, 5, 15)})) == "15 พ.ค. 2563 2020-05-15 15/5/2563"


def test_midnight_is_in_the_time_zone_of_bangkok():
    assert thai.start_of(date(2020, 5, 15)).astimezone(UTC) == datetime(2020, 5, 14, 17, tzinfo=UTC)
    assert thai.end_of(date(2020, 5, 15)) == thai.start_of(date(2020, 5, 16))


@pytest.mark.parametrize("zone", ["Asia/Bangkok", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_moments_of_the_first_and_last_days_are_moments_in_every_time_zone(zone):
    with timezone.override(zone):
        for day in (date.min, date.max):
            for moment in (thai.start_of(day), thai.end_of(day)):
                assert timezone.localtime(moment.astimezone(UTC)) == moment
