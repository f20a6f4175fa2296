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
DAY_MONTH_YEAR = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
YEAR_MONTH_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


def month_name(month: int, *, short: bool = False) -> str:
    """The name of a month (1-12) in the language of the page."""
    language = "en" if (get_language() or "th").startswith("en") else "th"
    return MONTHS[language][month - 1][short]


def format_date(day: date, *, short: bool = True) -> str:
    """A day as people here write it: "15 พ.ค. 2563", or with the whole month name."""
    return f"{day.day} {month_name(day.month, short=short)} {day.year + BUDDHIST_ERA}"


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
    """A day typed by a person: 30/9/2563, 30/9/2020, 2563-09-30 or 2020-09-30, Thai digits too.

    Raises:
        ValueError: the text is not a day of the calendar.
    """
    plain = text.strip().translate(TO_ARABIC)
    if match := DAY_MONTH_YEAR.fullmatch(plain):
        day, month, year = map(int, match.groups())
    elif match := YEAR_MONTH_DAY.fullmatch(plain):
        year, month, day = map(int, match.groups())
    else:
        raise ValueError(text)
    return date(year - BUDDHIST_ERA if year >= FIRST_BUDDHIST_YEAR else year, month, day)


def search_key(text: str) -> str:
    """What two spellings of the same words share: no spaces, ำ as one letter, Arabic digits, lower case.

    Zero-width marks are dropped; a tone mark typed after the nikhahit of a split ำ (น + ํ + ้ + า) is put before it.
    """
    key = re.sub(
        r"\u0e4d([\u0e48-\u0e4b]?)\u0e32",
        "\\1\u0e33",
        unicodedata.normalize("NFC", text),
    )
    return re.sub(r"[\s\u200b-\u200d\ufeff]+", "", key).translate(TO_ARABIC).casefold()


def start_of(day: date) -> datetime:
    """Midnight at which a day begins, in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def end_of(day: date) -> datetime:
    """Midnight at which a day ends: the first moment that no longer belongs to it."""
    return start_of(day + timedelta(days=1))
