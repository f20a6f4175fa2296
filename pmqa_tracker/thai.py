"""Thai dates and Thai text: Buddhist era, fiscal years, Thai digits, and keys to search and sort by.

Stored dates are Anno Domini; only users read and type the Buddhist era (พ.ศ. = AD + 543).
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
FIRST_BUDDHIST_YEAR = 2400  # typed years from here on are of the Buddhist era, earlier ones Anno Domini
FIRST_SHORT_YEAR = 50  # the 63 in 30/9/63 means 2563; the 20 in 30/9/20 may mean 2520 or A.D. 2020

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
LONGEST_DAY = 60  # characters of a typed day

# Invisible characters: soft hyphen, joiners, marks of direction, variation selectors, byte order mark.
INVISIBLE = "\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
INVISIBLE_RUN = re.compile(f"[{INVISIBLE}]+")
BLANK = re.compile(f"[{SPACES}{INVISIBLE}]+")
SHORT = 60  # characters of a text whose key is kept in memory
# Characters that users type for one another. ๅ is the า of ฤๅ.
SAME_CHARACTERS = str.maketrans(THAI_DIGITS + "‐‑‒–—―−“”„‘’‚ๅ", "0123456789" + "-------\"\"\"'''า")
IS_SAME = re.compile(f"[{''.join(map(chr, SAME_CHARACTERS))}]+")  # few texts have one: faster than to translate each
# Marks on a letter in the order of the key: vowels, tones, then marks that silence or nasalize (half of ำ).
VOWELS, TONES, LAST_MARKS, FOLLOWING_VOWELS = "ัิีึืฺุู็", "่้๊๋", "์ํ๎", "ะา"
MARKS = VOWELS + TONES + LAST_MARKS
LIGHT = "ฺ๎์็" + TONES  # by weight; dictionaries compare these marks only after everything else
VOWELS_IN_LINE = "".join(mark for mark in VOWELS + "ํ" if mark not in LIGHT)
# Pattern → spelling, in regular expressions that work in Python and PostgreSQL. A letter carries at most one mark of
# each kind. Users may type the marks in any order, and in wrong places: after ะ or า, or after เ-ไ instead of the
# letter.
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
PATTERNS = [(re.compile(pattern), spelling) for pattern, spelling in SPELLINGS]
*_UNUSUAL, DECOMPOSED_AM = SPELLINGS
IS_UNUSUAL = re.compile("|".join(pattern for pattern, _spelling in _UNUSUAL))  # hardly any text


def month_name(month: int, *, short: bool = False) -> str:
    """Return the name of a month (1-12) in the language of the page."""
    language = "en" if (get_language() or "th").startswith("en") else "th"
    return MONTHS[language][month - 1][short]


def format_date(day: date, *, short: bool = True) -> str:
    """Format a day: "15 พ.ค. 2563", or with the full name of the month."""
    return f"{day.day} {month_name(day.month, short=short)} {day.year + BUDDHIST_ERA}"


def type_date(day: date) -> str:
    """Format a day as users type it: "15/5/2563"; `parse_date` parses it."""
    return f"{day.day}/{day.month}/{day.year + BUDDHIST_ERA}"


def format_month(day: date) -> str:
    """Format the month of a day in its shortest form: "พ.ค. 63"."""
    return f"{month_name(day.month, short=True)} {(day.year + BUDDHIST_ERA) % 100:02}"


def format_datetime(moment: datetime, *, seconds: bool = False) -> str:
    """Format a datetime in the site's time zone: "15 พ.ค. 2563 14:05 น.", on request with seconds."""
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return _("%(date)s %(time)s") % {
        "date": format_date(local),
        "time": f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}",
    }


def month_range(first: date, last: date) -> str:
    """Format the months from one day to another, with the year: "ต.ค.–ธ.ค. 2562"."""
    return _month_range(first, last, get_language())


@lru_cache(maxsize=1_000)  # the few periods of a plan, in thousands of rows
def _month_range(first: date, last: date, _language: str | None) -> str:
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
    """Return the fiscal year (พ.ศ.) of a day: year N runs from 1 October N-1 to 30 September N."""
    return day.year + BUDDHIST_ERA + (day.month >= 10)


def fiscal_quarter(day: date) -> int:
    """Return the quarter, 1-4, of the fiscal year; the first begins in October."""
    return (day.month - 10) % 12 // 3 + 1


def parse_date(text: str) -> date:
    """Parse a typed day: 30/9/2563, 30/9/63, 30 ก.ย. 63, 30/9/2020, 2563-09-30 or 2020-09-30, also in Thai digits.

    Raises:
        ValueError: the text is no day of the calendar, or may mean several days.
    """
    readings = day_readings(text)
    if len(readings) != 1:
        raise ValueError(text)
    return readings[0]


def day_readings(text: str) -> list[date]:
    """Return the days a text may mean, the likeliest first: none, one, or several if the year is ambiguous.

    The day comes before the month, as is usual in Thailand; the month is a number or a Thai or English name. See
    `year_readings` for the year.
    """
    plain = fold(text[: LONGEST_DAY * 2]).strip()
    if len(plain) > LONGEST_DAY:
        return []
    match = next((match for each in DAYS if (match := each.fullmatch(plain))), None)
    if match is None:
        return []
    parts = match.groupdict()
    month = find_month(parts["name"]) if "name" in parts else int(parts["month"])
    era = {"is_buddhist": bool(parts.get("buddhist")), "is_christian": bool(parts.get("christian"))}
    years = year_readings(parts["year"], **era)
    return [day for year in years if (day := _day(year, month, int(parts["day"])))]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def year_readings(digits: str, *, is_buddhist: bool = False, is_christian: bool = False) -> list[int]:
    """Return the years (A.D.) that two or four digits may mean, the likeliest first; the era may be given.

    Four digits are of the Buddhist era from 2400 on. Two digits mean พ.ศ. 25xx, or the year A.D. with these last digits
    within พ.ศ. 2500-2599 (1957-2056). They have only the first meaning if the era is พ.ศ. or the digits are 50-99.
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
    """Return the number of a month by its Thai or English name, full or short, with or without dots; 0 if unknown."""
    return MONTH_NUMBERS.get(name_key(name), 0)


def fold(text: str) -> str:
    """Fold a text so that different spellings of it become equal; every comparison of texts uses this rule.

    It unifies compatibility forms (full-width letters), case, Thai digits, dashes, quotation marks, เเ for แ, ำ typed
    as two letters, and marks on a letter that are doubled or in another order. Spaces stay; a zero-width space, which
    ends a word, becomes a space.
    """
    return _spelled(INVISIBLE_RUN.sub("", text.replace("\u200b", " ")))


def search_key(text: str) -> str:
    """Return the key that different spellings of a text share: `fold` without spaces and invisible characters.

    `database_text.SearchKey` does the same in the database.
    """
    return _key_of_short(text) if len(text) <= SHORT else _key(text)


def _key(text: str) -> str:
    return _spelled(BLANK.sub("", unicodedata.normalize("NFKD", text)))


_key_of_short = lru_cache(maxsize=20_000)(_key)  # headings, codes and names come again and again


def name_key(name: str) -> str:
    """Return the key that the spellings of a name or an abbreviation share, with or without dots."""
    return search_key(name).replace(".", "")


def match_spelling(name: str, offered: Collection[str]) -> str:
    """Return the only offered name that `name` is another spelling of; otherwise `name` unchanged."""
    if not name or name in offered:
        return name
    alike = [each for each in offered if search_key(each) == search_key(name)]
    return alike[0] if len(alike) == 1 else name


def _spelled(text: str) -> str:
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())
    key = IS_SAME.sub(lambda found: found[0].translate(SAME_CHARACTERS), key)
    if not IS_UNUSUAL.search(key):  # three times as fast as to try each pattern
        return key.replace(*DECOMPOSED_AM)
    for pattern, spelling in PATTERNS:
        key = pattern.sub(spelling, key)
    return key


@lru_cache(maxsize=20_000)
def sort_key(text: str) -> tuple[str, str, str, str]:
    """Return the key to sort Thai text in dictionary order, as `database_text.THAI_ORDER` does in the database.

    A leading vowel sorts after its consonant. Tones and similar marks decide only between texts that are otherwise
    equal. Spaces and punctuation are ignored. Digits come first, then Thai, then other letters.
    """
    letters = re.sub("([เ-ไ])([ก-ฮ])", r"\2\1", search_key(text))
    primary = "".join(_rank(letter) for letter in letters if letter.isalnum() or letter in VOWELS_IN_LINE + "ฯๆ")
    marks = "".join("1" + chr(0x31 + LIGHT.index(letter)) if letter in LIGHT else "0" for letter in letters)
    return primary, marks, text.swapcase(), text


def _rank(letter: str) -> str:
    """Return a character that sorts where `letter` belongs: ฯ and ๆ before all letters, other languages after Thai."""
    if letter in "ฯๆ":
        return chr(0x40 + "ฯๆ".index(letter))
    is_other = letter.isalpha() and not "\u0e00" <= letter <= "\u0e7f"
    return chr(min(ord(letter) + 0x1000, sys.maxunicode)) if is_other else letter


MONTH_NUMBERS = {
    name_key(name): number
    for months in MONTHS.values()
    for number, names in enumerate(months, start=1)
    for name in names
} | {"sept": 9}


# The moments of earlier and later days may lie outside of what Python can hold, in one time zone or another.
FIRST_DAY, LAST_DAY = date.min + timedelta(days=1), date.max - timedelta(days=2)


def start_of(day: date) -> datetime:
    """Return the midnight at which a day begins, in the site's time zone; for the very first and last days, nearly."""
    return timezone.make_aware(datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), time.min))


def end_of(day: date) -> datetime:
    """Return the midnight at which a day ends: the first moment of the next day."""
    return start_of(min(day, LAST_DAY) + timedelta(days=1))
