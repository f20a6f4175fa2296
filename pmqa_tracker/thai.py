"""Thai ways of writing: years of the Buddhist era, fiscal years, Thai digits, and a key to search Thai text by.

Data is ISO (Anno Domini); only what a person reads or types is in the Buddhist era (พ.ศ. = AD + 543).
"""

import re
import sys
import unicodedata
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from functools import lru_cache

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

# Characters that nobody sees: soft hyphen, joiners, marks of direction, variation selectors, byte order mark.
INVISIBLE = "\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
INVISIBLE_RUN = re.compile(f"[{INVISIBLE}]+")
BLANK = re.compile(f"[{SPACES}{INVISIBLE}]+")
# What is typed one for another. ๅ is the า of ฤๅ.
SAME_CHARACTERS = str.maketrans(THAI_DIGITS + "‐‑‒–—―−“”„‘’‚ๅ", "0123456789" + "-------\"\"\"'''า")
# Marks on a letter by their place in the key: vowels, then tones, then what silences or makes nasal (half of ำ).
VOWELS, TONES, LAST_MARKS, FOLLOWING_VOWELS = "ัิีึืฺุู็", "่้๊๋", "์ํ๎", "ะา"
MARKS = VOWELS + TONES + LAST_MARKS
LIGHT = "ฺ๎์็" + TONES  # what a dictionary looks at only in the second place, by weight
VOWELS_IN_LINE = "".join(mark for mark in VOWELS + "ํ" if mark not in LIGHT)
# Pattern → spelling, in a dialect that Python and PostgreSQL share. A letter carries one mark of each kind; the marks
# may be typed in any order, before or behind ะ and า, where no mark can stand, and behind เ-ไ instead of their letter.
SPELLINGS = (
    ("เเ", "แ"),
    (f"([เ-ไ])([{MARKS}]+)([ก-ฮ])", r"\1\3\2"),
    *((f"[{kind}](?=[{MARKS}{FOLLOWING_VOWELS}]*[{kind}])", "") for kind in (VOWELS, TONES, LAST_MARKS)),
    (f"([{TONES}{LAST_MARKS}{FOLLOWING_VOWELS}]+)([{VOWELS}])", r"\2\1"),
    (f"([{LAST_MARKS}{FOLLOWING_VOWELS}]+)([{TONES}])", r"\2\1"),
    (f"([{FOLLOWING_VOWELS}]+)([{LAST_MARKS}])", r"\2\1"),
    (f"ิ([{TONES}]?)ํ", r"ึ\1"),
    ("ํา", "ำ"),
)


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
    """Fold a text so that two spellings of it become the same: the one rule by which words are compared.

    Compatibility forms (full-width letters), case, Thai digits, dashes and quotation marks, เเ for แ, ำ in two letters,
    and the marks on a letter, doubled or in any order: each is written in one way. Spaces stay; a zero-width space, the
    end of a word to its author, becomes one.
    """
    return _spelled(INVISIBLE_RUN.sub("", text.replace("\u200b", " ")))


def search_key(text: str) -> str:
    """The key that two spellings of the same words share: `fold` without spaces and characters nobody sees.

    `database_text.SearchKey` is the same in the database.
    """
    return _spelled(BLANK.sub("", unicodedata.normalize("NFKD", text)))


def match_spelling(name: str, offered: Collection[str]) -> str:
    """The one of the names offered of which `name` is another spelling; otherwise `name` as it is."""
    if not name or name in offered:
        return name
    alike = [each for each in offered if _key_of_name(each) == _key_of_name(name)]
    return alike[0] if len(alike) == 1 else name


_key_of_name = lru_cache(maxsize=20_000)(search_key)


def _spelled(text: str) -> str:
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold()).translate(SAME_CHARACTERS)
    for pattern, spelling in SPELLINGS:
        key = re.sub(pattern, spelling, key)
    return key


@lru_cache(maxsize=20_000)
def sort_key(text: str) -> tuple[str, str, str, str]:
    """The key to sort Thai text by, as a dictionary does and `database_text.THAI_ORDER` in the database.

    A leading vowel comes after its consonant; tones and the like decide only between texts that are the same without
    them. Spaces and punctuation count for nothing; digits come first, Thai before other letters.
    """
    letters = re.sub("([เ-ไ])([ก-ฮ])", r"\2\1", search_key(text))
    primary = "".join(_rank(sign) for sign in letters if sign.isalnum() or sign in VOWELS_IN_LINE + "ฯๆ")
    marks = "".join("1" + chr(0x31 + LIGHT.index(sign)) if sign in LIGHT else "0" for sign in letters)
    return primary, marks, text.swapcase(), text


def _rank(sign: str) -> str:
    """A letter for its place in the order: ฯ and ๆ come before the letters, those of other languages behind."""
    if sign in "ฯๆ":
        return chr(0x40 + "ฯๆ".index(sign))
    is_other = sign.isalpha() and not "\u0e00" <= sign <= "\u0e7f"
    return chr(min(ord(sign) + 0x1000, sys.maxunicode)) if is_other else sign


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
