"""Parse a status, the basis of a schedule or a period of a plan from a cell.

As in `pmqa_tracker.parsing.values`, an empty cell is None and an unclear one raises `UnreadableError`.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache

from django.db.models import TextChoices
from django.utils import translation
from django.utils.translation import gettext as _

from plan.models import ActionItem, Period, Status
from plan.models.status_words import STATUS_WORDS, UNCLEAR_STATUS_WORDS
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_choice, parse_name
from pmqa_tracker.parsing.errors import UnreadableError, quote
from pmqa_tracker.parsing.nearest import nearest_sentence
from pmqa_tracker.parsing.values import parse_day

MONTH = "|".join(sorted(map(re.escape, thai.MONTH_NUMBERS), key=len, reverse=True))
ERA = "(?:พศ|ปี|ปีงบประมาณ|of|,)*"
YEAR_DIGITS = r"(\d{4}|\d{2})"
# These match the result of `_key`: no spaces, no dots, every dash is "-".
MONTH_RANGE = re.compile(rf"({MONTH})(?:{ERA}{YEAR_DIGITS})?(?:-({MONTH})(?:{ERA}{YEAR_DIGITS})?)?")
QUARTER = re.compile(rf"(?:ไตรมาส(?:ที่)?|quarter|q)([1-4])(?:(?:[/_-]|(?=\D)){ERA}{YEAR_DIGITS})?")
PERIOD_NUMBER = re.compile(r"(?:ช่วง(?:เวลา)?(?:ที่)?|period)?(\d{1,4})")
NUMBER_OF_YEAR = re.compile(r"(\d{1,2})/(\d{4})")
DASHES = re.compile(r"[‐‑‒–—−]|ถึง|\bto\b")
DOTS = re.compile(r"(?<!\d)\.|\.(?!\d)")  # dots of abbreviations, not the one in 1.5
PARTS = re.compile(r"[·()|\n]+")
BASIS_TERMS = {
    ActionItem.Basis.STATED: ("ตามเอกสาร", "ช่วงเวลาตามเอกสาร", "ตามแผน"),
    ActionItem.Basis.INFERRED: ("อนุมานจากเอกสาร", "อนุมาน"),
    ActionItem.Basis.CONFIRMED: ("ยืนยัน", "ยืนยันแล้ว", "ผู้ประสานงานยืนยัน", "ผู้ประสานงานยืนยันแล้ว"),
}
MAX_PERIOD_LENGTH = 200  # characters


def parse_status(cell: ReadCell) -> Status | None:
    """A status by its Thai or English name, its code, or a word that people use for it.

    Raises:
        UnreadableError: the cell is none of these, or a word that could mean several statuses.
    """
    return parse_choice(cell, _status_names())


@cache
def _status_names() -> dict[TextChoices, tuple[str, ...]]:
    """Status → its names and the words people use; an unclear word is listed with each status it could mean."""
    return {
        status: (
            *names,
            *STATUS_WORDS[status],
            *(word for word, each in UNCLEAR_STATUS_WORDS.items() if status in each),
        )
        for status, names in choice_names(Status).items()
    }


def parse_basis(cell: ReadCell) -> ActionItem.Basis | None:
    """The basis of a schedule by its Thai or English name, its code, or a term from the guide of the workbook.

    Raises:
        UnreadableError: the cell is none of these.
    """
    names = choice_names(ActionItem.Basis)
    return parse_choice(cell, {basis: (*names[basis], *BASIS_TERMS.get(basis, ())) for basis in names})


@cache
def choice_names(choices: type[TextChoices]) -> dict[TextChoices, tuple[str, ...]]:
    """Choice → its Thai name, its English name and its code."""
    names: dict[TextChoices, tuple[str, ...]] = dict.fromkeys(choices, ())
    for language in ("th", "en"):
        with translation.override(language):
            names = {choice: (*known, str(choice.label)) for choice, known in names.items()}
    return {choice: (*known, choice.value) for choice, known in names.items()}


def period_name(period: Period, periods: Sequence[Period]) -> str:
    """A name that `parse_period` understands: the months, with the number if other periods have the same months."""
    if sum(each.label == period.label for each in periods) == 1:
        return period.label
    return _("Period %(number)s (%(label)s)") % {"number": period.number, "label": period.label}


def parse_period(cell: ReadCell, periods: Sequence[Period]) -> Period | None:
    """The period of a plan that a cell names.

    A period is named by its months ("ต.ค.-ธ.ค. 2562", or "ต.ค.-ธ.ค." if only one period has them), by the quarter of
    the fiscal year that holds its last day ("ไตรมาส 1/2563"), by its number (2, "ช่วงที่ 2"), or by several of these,
    as in the export.

    Raises:
        UnreadableError: the cell names no period, such as a day, or it may name several, such as "1/2563": a month or
            a quarter.
    """
    if isinstance(cell.value, date) and not cell.error:
        raise _period_error(cell.value, _periods_on(_day(cell), periods), periods)
    text = parse_name(cell)
    if not text:
        return None
    key = _key(text) if len(text) <= MAX_PERIOD_LENGTH else ""
    if match := NUMBER_OF_YEAR.fullmatch(key):
        raise _period_error(text, _month_or_quarter(int(match[1]), match[2], periods), periods)
    readings = [_periods(part, periods) for part in PARTS.split(key) if part]
    found = [period for period in periods if readings and all(period in each for each in readings)]
    if len(found) == 1:
        return found[0]
    if not found:
        days = thai.day_readings(text)
        found = [period for period in periods if any(period in each for each in readings)]
        found = (
            found or [period for day in days for period in _periods_on(day, periods)] or _similar_periods(key, periods)
        )
    raise _period_error(text, found, periods)


def _period_error(value: object, found: Iterable[Period], periods: Sequence[Period]) -> UnreadableError:
    """The error for a value that names none of the periods, or may name several."""
    readings = list(dict.fromkeys(period_name(period, periods) for period in found))
    if len(readings) > 1:
        sentence = _("“%(value)s” may be several periods; write the months with their year, or the period's number.")
        return UnreadableError(sentence % {"value": quote(value)}, readings)
    names = {name: name for period in periods if (name := period_name(period, periods))}
    sentence = _("“%(value)s” is not a period of the plan; write one like %(example)s, or its number.")
    quoted = {"value": quote(value), "example": next(iter(names), "1")}
    return UnreadableError(sentence % quoted + ("" if readings else nearest_sentence(str(value), names)), readings)


def _key(text: str) -> str:
    """A text without spaces and dots, with every dash as "-"; "_" replaces a space between digits."""
    apart = re.sub(r"(?<=\d)\s+(?=\d)", "_", DASHES.sub("-", thai.fold(text)))
    return DOTS.sub("", thai.search_key(apart))


def _periods(part: str, periods: Sequence[Period]) -> list[Period]:
    """The periods that a part of the key names."""
    if match := MONTH_RANGE.fullmatch(part):
        return [period for period in periods if _has_months(period, *match.groups())]
    if match := QUARTER.fullmatch(part):
        return [period for period in periods if _is_in_quarter(period, int(match[1]), match[2])]
    if match := PERIOD_NUMBER.fullmatch(part):
        return [period for period in periods if period.number == int(match[1])]
    return []


def _has_months(
    period: Period, first_name: str, first_year: str | None, last_name: str | None, last_year: str | None
) -> bool:
    """Whether a period begins and ends in these months; a single year belongs to the month next to it."""
    first = thai.find_month(first_name)
    last = thai.find_month(last_name) if last_name else first
    if (period.starts_on.month, period.ends_on.month) != (first, last):
        return False
    if not last_name or (first_year and not last_year):
        last_year, first_year, years_later = first_year, None, int(first > last)
    else:
        years_later = 0
    if first_year and period.starts_on.year not in thai.year_readings(first_year):
        return False
    if last_year is None:
        return True
    years = [year + years_later for year in thai.year_readings(last_year)]
    is_one_run = bool(first_year) or period.ends_on.year - period.starts_on.year == int(first > last)
    return period.ends_on.year in years and is_one_run


def _is_in_quarter(period: Period, quarter: int, year: str | None) -> bool:
    """Whether the last day of a period is in a quarter of a fiscal year, or of any year if `year` is None."""
    if thai.fiscal_quarter(period.ends_on) != quarter:
        return False
    years = thai.year_readings(year) if year else ()
    return not year or period.fiscal_year - thai.BUDDHIST_ERA in years


def _day(cell: ReadCell) -> date | None:
    try:
        return parse_day(cell)
    except UnreadableError:
        return None


def _periods_on(day: date | None, periods: Sequence[Period]) -> list[Period]:
    """The periods that include a day."""
    return [period for period in periods if day and period.starts_on <= day <= period.ends_on]


def _month_or_quarter(number: int, year: str, periods: Sequence[Period]) -> list[Period]:
    """The periods that "1/2563" may mean: the period with January and the period in the first quarter."""
    months = [date(each, number, 1) for each in thai.year_readings(year) if 1 <= number <= 12 and each >= 1]
    quarter = [period for period in periods if _is_in_quarter(period, number, year)]
    return [*quarter, *(period for month in months for period in _periods_on(month, periods))]


def _similar_periods(key: str, periods: Sequence[Period]) -> list[Period]:
    """The periods with these months in another year, or that include the single month."""
    match = MONTH_RANGE.fullmatch(key)
    if not match:
        return []
    first, last = match[1], match[3]
    found = [period for period in periods if _has_months(period, first, None, last, None)]
    if not found and not last and match[2]:
        for year in thai.year_readings(match[2]):
            found += _periods_on(date(year, thai.find_month(first), 1), periods) if year >= 1 else []
    return found
