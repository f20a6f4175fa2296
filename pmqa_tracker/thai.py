"""Thai ways of writing: years of the Buddhist era, fiscal years, Thai digits, and a key to search Thai text by.

Data is ISO (Anno Domini); only what a person reads or types is in the Buddhist era (พ.ศ. = AD + 543).
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

BUDDHIST_ERA = 543
FIRST_BUDDHIST_YEAR = 2400  # a typed year from here on is of the Buddhist era, an earlier one Anno Domini
FIRST_SHORT_YEAR = 50  # 30/9/63 is of 2563; of 30/9/20 nobody knows whether it is of 2520 or of A.D. 2020

MONTHS = {
    "th": (
        ("มกราคม", "ม.ค."),
        ("กุมภาพันธ์", "ก.พ."),
        ("มีนาคม", "มี.ค."),
        ("เมษายน", "เม.ย."),
        ("พฤษภาคม", "พ.ค."),
        ("มิถุนายน", "มิ.ย."),
        ("กรกฎาคม", "ก.ค."),
        ("สิงหาคม", "ส.ค."),
        ("กันยายน", "ก.ย."),
        ("ตุลาคม", "ต.ค."),
        ("พฤศจิกายน", "พ.ย."),
        ("ธันวาคม", "ธ.ค."),
    ),
    "en": (
        ("January", "Jan"),
        ("February", "Feb"),
        ("March", "Mar"),
        ("April", "Apr"),
        ("May", "May"),
        ("June", "Jun"),
        ("July", "Jul"),
        ("August", "Aug"),
        ("September", "Sep"),
        ("October", "Oct"),
        ("November", "Nov"),
        ("December", "Dec"),
    ),
}
THAI_DIGITS = "๐๑๒๓๔๕๖๗๘๙"
TO_ARABIC = str.maketrans(THAI_DIGITS, "0123456789")
TO_THAI = str.maketrans("0123456789", THAI_DIGITS)
ERAS = r"(?P<buddhist>พ\.?\s?ศ\.?|b\.?e\.?)|(?P<christian>ค\.?\s?ศ\.?|a\.?d\.?|c\.?e\.?)"
YEAR = r"(?P<year>\d{4}|\d{2})"
DAYS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<day>\d{{1,2}})[/.-](?P<month>\d{{1,2}})[/.-]{YEAR}",
        r"(?P<year>\d{4})[/.-](?P<month>\d{1,2})[/.-](?P<day>\d{1,2})",
        rf"(?:วันที่)?\s*(?P<day>\d{{1,2}})[\s/-]*(?P<name>[^\d\s/-][^\d/-]*?),?[\s/-]*(?:{ERAS})?\s*{YEAR}",
        r"(?P<name>[a-z]+)\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
    )
)
LONGEST_DAY = 60  # characters; no day takes more to write


def month_name(month: int, *, short: bool = False) -> str:
    """The name of a month (1-12) in the language of the page."""
    language = "en" if (get_language() or "th").startswith("en") else "th"
    return MONTHS[language][month - 1][short]


def format_date(day: date, *, short: bool = True) -> str:
    """A day as people here write it: "15 พ.ค. 2563", or with the whole month name."""
    return f"{day.day} {month_name(day.month, short=short)} {day.year + BUDDHIST_ERA}"


def type_date(day: date) -> str:
    """A day as people here type it: "15/5/2563"; `parse_date` reads it."""
    return f"{day.day}/{day.month}/{day.year + BUDDHIST_ERA}"


def format_month(day: date) -> str:
    """The month of a day in the shortest form: "พ.ค. 63"."""
    return f"{month_name(day.month, short=True)} {(day.year + BUDDHIST_ERA) % 100:02}"


def format_datetime(moment: datetime, *, seconds: bool = False) -> str:
    """A moment in the site's time zone: "15 พ.ค. 2563 14:05 น."; to the second where that is asked for."""
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return _("%(date)s %(time)s") % {
        "date": format_date(local),
        "time": f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}",
    }


def month_range(first: date, last: date) -> str:
    """The months from one day to another with their year: "ต.ค.–ธ.ค. 2562"."""
    first_month, last_month = (
        month_name(first.month, short=True),
        month_name(last.month, short=True),
    )
    last_year = last.year + BUDDHIST_ERA
    if (first.year, first.month) == (last.year, last.month):
        return f"{last_month} {last_year}"
    if first.year == last.year:
        return f"{first_month}–{last_month} {last_year}"
    return f"{first_month} {first.year + BUDDHIST_ERA}–{last_month} {last_year}"


def fiscal_year(day: date) -> int:
    """The fiscal year (พ.ศ.) of a day: year N runs from 1 October N-1 to 30 September N."""
    return day.year + BUDDHIST_ERA + (day.month >= 10)


def fiscal_quarter(day: date) -> int:
    """The quarter, 1-4, of the fiscal year: the first begins in October."""
    return (day.month - 10) % 12 // 3 + 1


def parse_date(text: str) -> date:
    """A day typed by a person: 30/9/2563, 30/9/63, 30 ก.ย. 63, 30/9/2020, 2563-09-30 or 2020-09-30, Thai digits too.

    Raises:
        ValueError: the text is not a day of the calendar, or it may be several.
    """
    readings = day_readings(text)
    if len(readings) != 1:
        raise ValueError(text)
    return readings[0]


def day_readings(text: str) -> list[date]:
    """The days a text may mean, the likeliest first: none, one, or several where it does not say enough.

    A day comes before its month, as people here write; its month is a number or a Thai or English name. See
    `year_readings` for the year.
    """
    plain = fold(text[: LONGEST_DAY * 2]).strip()
    if len(plain) > LONGEST_DAY:
        return []
    match = next((match for each in DAYS if (match := each.fullmatch(plain))), None)
    if match is None:
        return []
    told = match.groupdict()
    month = find_month(told["name"]) if "name" in told else int(told["month"])
    era = {"is_buddhist": bool(told.get("buddhist")), "is_christian": bool(told.get("christian"))}
    years = year_readings(told["year"], **era)
    return [day for year in years if (day := _day(year, month, int(told["day"])))]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def year_readings(digits: str, *, is_buddhist: bool = False, is_christian: bool = False) -> list[int]:
    """The years (A.D.) that two or four digits may mean, the likeliest first; the era may be told.

    Four digits are of the Buddhist era from 2400 on. Two are พ.ศ. 25xx, or the year A.D. of those hundred years
    (2500-2599 is 1957-2056) that ends in them: two readings, unless the era is พ.ศ. or they are 50-99.
    """
    year = int(digits)
    if len(digits) == 2:
        buddhist, christian = 2500 - BUDDHIST_ERA + year, 1957 + (year - 57) % 100
        if is_buddhist or (year >= FIRST_SHORT_YEAR and not is_christian):
            return [buddhist]
        return [] if is_christian else [buddhist, christian]
    if is_buddhist or (year >= FIRST_BUDDHIST_YEAR and not is_christian):
        return [year - BUDDHIST_ERA]
    return [year]


def find_month(name: str) -> int:
    """The number of a month by its Thai or English name, long or short, with or without dots; 0 where it is none."""
    return MONTH_NUMBERS.get(search_key(name).replace(".", ""), 0)


def fold(text: str) -> str:
    """A text as spelling is compared: ำ as one letter, Arabic digits, lower case.

    A tone mark typed after the nikhahit of a split ำ (น + ํ + ้ + า) is put before it.
    """
    key = re.sub(r"\u0e4d([\u0e48-\u0e4b]?)\u0e32", "\\1\u0e33", unicodedata.normalize("NFC", text))
    return key.translate(TO_ARABIC).casefold()


def search_key(text: str) -> str:
    """What two spellings of the same words share: `fold` without spaces and zero-width marks."""
    return fold(re.sub(r"[\s\u200b-\u200d\ufeff]+", "", text))


MONTH_NUMBERS = {
    search_key(name).replace(".", ""): number
    for months in MONTHS.values()
    for number, names in enumerate(months, start=1)
    for name in names
} | {"sept": 9}


def start_of(day: date) -> datetime:
    """Midnight at which a day begins, in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def end_of(day: date) -> datetime:
    """Midnight at which a day ends: the first moment that no longer belongs to it."""
    return start_of(day + timedelta(days=1))
