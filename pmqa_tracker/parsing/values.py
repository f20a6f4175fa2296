"""Parse a cell as a text, a code, a day, a percentage or a whole number.

Every function takes a `ReadCell` and returns its value; None (or "") for an empty cell. A cell that cannot be parsed,
or has several meanings, raises an `UnreadableError` with a sentence that says what is allowed. Nothing is guessed.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from pmqa_tracker import thai
from pmqa_tracker.forms import with_lf
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UNWRITABLE, UnreadableError, quote

# Pasting leaves these around a text: all kinds of spaces (also NBSP) and invisible characters.
EDGES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u200c\u200d\u2060\ufeff"
PERCENT = re.compile(
    r"(?P<before>ร้อยละ)?\s*(?P<number>[+-]?\d{1,9}(\.\d{1,15})?)\s*(?P<after>%|％|เปอร์เซ็นต์|percent)?", re.IGNORECASE
)
MARKED_AS_TEXT = re.compile(r"^'(?=\d)")
# A spreadsheet turns the codes 1/2 and 1-2 into a day: "1-Feb", "01-ก.พ.".
DAY_OF_CODE = re.compile(r"(?P<day>\d{1,2})[- ](?P<name>[^\d\s-]+)(?:[- ]\d{2,4})?")
CODE_SEPARATOR = re.compile(r"[,;、，\n]")
WHOLE = re.compile(r"[+-]?\d{1,15}(\.0{1,9})?")
MOST_DIGITS = 15  # a spreadsheet rounds numbers with more
LARGEST_WHOLE = 32_767  # of a small integer in the database
EARLIEST_YEAR, LATEST_YEAR = thai.FIRST_BUDDHIST_YEAR - thai.BUDDHIST_ERA, thai.FIRST_BUDDHIST_YEAR - 1  # A.D.
FIRST_SERIAL = date(1899, 12, 30)  # day 0 of a spreadsheet
SERIALS = range(32_874, 91_312)  # 1990 to 2149: probably a day whose cell lost its format


def parse_text(cell: ReadCell) -> str:
    """Return the text of a cell with LF line ends and without spaces around it; "" for an empty cell.

    A number becomes the text that the cell shows, without ".0".

    Raises:
        UnreadableError: the cell contains a control character, or is a day or a time, whose typed form is lost.
    """
    value = _value(cell)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        number = _finite(value)
        return f"{number * 100:.{MOST_DIGITS}g}%" if cell.is_percent else f"{number:.{MOST_DIGITS}g}"
    if isinstance(value, (date, time)):
        day = _day_of(value) if isinstance(value, date) else None
        raise UnreadableError(
            _("The cell holds a day or a time where a text is wanted; format it as text and type it again."),
            [thai.type_date(day)] if day else ([f"{value:%H:%M}"] if isinstance(value, time) else ()),
        )
    text = with_lf(value)
    if wrong := UNWRITABLE.search(text):
        raise UnreadableError(
            _("The text holds the character U+%(code)s after “%(before)s”, which no text may hold; delete it there.")
            % {"code": f"{ord(wrong.group()):04X}", "before": quote(text[max(0, wrong.start() - 20) : wrong.start()])}
        )
    return text.strip(EDGES)


def parse_code(cell: ReadCell) -> str:
    """Return a code or number of the plan, such as 1.2.1 or 3, without the apostrophe that marks digits as text.

    Raises:
        UnreadableError: as for `parse_text`; also if the spreadsheet has turned the code into a decimal number (1.1
            and 1.10 are then the same) or into a day (1/2).
    """
    value = _value(cell)
    if isinstance(value, float) and not _finite(value).is_integer():
        number = parse_text(ReadCell(value))
        raise _changed_code(number, [number, f"{number}0"] if re.fullmatch(r"\d+\.\d", number) else [number])
    if isinstance(value, date):
        parts = (value.day, value.month, value.year % 100)
        codes = (".".join(map(str, each)) for each in (parts[:2], (value.month, value.day), parts))
        raise _changed_code(thai.type_date(day) if (day := _day_of(value)) else quote(value), dict.fromkeys(codes))
    text = MARKED_AS_TEXT.sub("", parse_text(cell))
    if (match := DAY_OF_CODE.fullmatch(text)) and (month := thai.find_month(match["name"])):
        raise _changed_code(text, [f"{int(match['day'])}.{month}", f"{month}.{int(match['day'])}"])
    return text


def parse_codes(cell: ReadCell) -> tuple[str, ...]:
    """Return the codes in a cell such as "1.1.1, 1.1.2", each once.

    Raises:
        UnreadableError: as for `parse_code`.
    """
    codes = (code.strip(EDGES) for code in CODE_SEPARATOR.split(parse_code(cell)))
    return tuple(dict.fromkeys(code for code in codes if code))


def _changed_code(value: str, readings: Iterable[str]) -> UnreadableError:
    """Return the error for a code that a spreadsheet has turned into a number or a day."""
    codes = list(readings)
    text = _(
        "%(codes)s? The spreadsheet has turned this code into %(value)s. Type the code again with an apostrophe before "
        "it ('%(last)s), so that it stays a text."
    )
    return UnreadableError(text % {"codes": _(" or ").join(codes), "value": value, "last": codes[-1]}, codes)


def parse_day(cell: ReadCell) -> date | None:
    """Parse a day: a date cell, or any text of `thai.day_readings`. Years from 2400 on are of the Buddhist era.

    Raises:
        UnreadableError: the cell is no day, may mean several days, or its year is outside A.D. 1857-2399.
    """
    value = _value(cell)
    if isinstance(value, date):
        readings = [day] if (day := _day_of(value)) else []
    elif isinstance(value, (bool, int, float, time)):
        is_serial = isinstance(value, (int, float)) and value in SERIALS
        raise UnreadableError(
            _("%(value)s is a number or a time, not a day; write the day like 30/9/2563.") % {"value": quote(value)},
            [thai.type_date(FIRST_SERIAL + timedelta(days=int(value)))] if is_serial else (),
        )
    else:
        text = parse_text(cell)
        if not text:
            return None
        readings = [day for day in thai.day_readings(text) if EARLIEST_YEAR <= day.year <= LATEST_YEAR]
    if len(readings) == 1:
        return readings[0]
    if readings:
        raise UnreadableError(
            _("“%(value)s” may be several days; write the year with four digits.") % {"value": quote(value)},
            map(thai.type_date, readings),
        )
    raise UnreadableError(
        _("“%(value)s” is not a day; write it like 30/9/2563 or 30 ก.ย. 2563.") % {"value": quote(value)}
    )


def parse_percent(cell: ReadCell) -> int | None:
    """Parse a whole percentage, 0-100: 50, "50%", "ร้อยละ ๕๐", and 0.5 for 50.

    Raises:
        UnreadableError: the cell is no such percentage, or a bare 1, which may mean 1 % or 100 %.
    """
    value, is_marked = _value(cell), cell.is_percent
    if isinstance(value, str):
        text = parse_text(cell)
        if not text:
            return None
        match = PERCENT.fullmatch(thai.fold(text).strip())
        is_marked = is_marked or bool(match and (match["before"] or match["after"]))
        number = float(match["number"]) if match else None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(_finite(value)) * (100 if is_marked else 1)
    elif value is None:
        return None
    else:
        number = None
    sentence = _("“%(value)s” is not a whole percentage from 0 to 100; write it like 50 or 50%%.") % {
        "value": quote(value) if isinstance(value, str) or not is_marked or number is None else f"{number:g}%"
    }
    if number is None:
        raise UnreadableError(sentence)
    number = round(number, 9)  # 0.29 × 100 is 28.999999999999996
    if not is_marked and number == 1:
        raise UnreadableError(_("1 may be one percent or a hundred; write the percent sign."), ["1%", "100%"])
    if not is_marked and 0 < number < 1:
        number = round(number * 100, 7)
    if not (0 <= number <= 100 and number.is_integer()):
        # 50 typed before the cell was formatted as % is shown as 5000%.
        meant = number / 100 if isinstance(value, (int, float)) and is_marked else 0
        raise UnreadableError(sentence, [f"{meant:g}%"] if 1 < meant <= 100 and meant.is_integer() else ())
    return int(number)


def parse_whole_number(cell: ReadCell, *, least: int = 0, most: int = LARGEST_WHOLE) -> int | None:
    """Parse a whole number from `least` to `most`: a number, or a text of Arabic or Thai digits.

    Raises:
        UnreadableError: the cell is no such number.
    """
    value, number = _value(cell), None
    if isinstance(value, str):
        text = parse_text(cell)
        if not text:
            return None
        plain = thai.fold(text).strip()
        number = float(plain) if WHOLE.fullmatch(plain) else None
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and not cell.is_percent:
        number = float(_finite(value))
    elif value is None:
        return None
    if number is None or not number.is_integer() or not least <= number <= most:
        params = {"value": quote(value), "least": least, "most": most}
        raise UnreadableError(_("“%(value)s” is not a whole number from %(least)s to %(most)s.") % params)
    return int(number)


def _value(cell: ReadCell) -> str | int | float | bool | date | time | None:
    """Return the value of a cell.

    Raises:
        UnreadableError: the cell holds a formula without a value, or an error.
    """
    if cell.error == "FORMULA":
        raise UnreadableError(_("The cell holds a formula without a value; copy the cell and paste it as a value."))
    if cell.error:
        raise UnreadableError(
            _("The cell shows the error %(value)s; type the correct value.") % {"value": quote(cell.value)}
        )
    return cell.value


def _finite(value: float) -> float:
    """Return a number that the spreadsheet has not rounded.

    Raises:
        UnreadableError: it has too many digits, or is NaN or infinite.
    """
    if not abs(value) < 10**MOST_DIGITS:  # written so that NaN fails too
        raise UnreadableError(
            _("The number has more than %(digits)s digits, and a spreadsheet rounds it; format the cell as text.")
            % {"digits": MOST_DIGITS}
        )
    return float(value) + 0.0  # -0 is 0


def _day_of(value: date) -> date | None:
    """Return the day of a date cell; 2563-09-30, which the spreadsheet took for A.D., means 2020-09-30."""
    day = value.date() if isinstance(value, datetime) else value
    readings = thai.day_readings(f"{day.year:04}-{day.month}-{day.day}")
    return readings[0] if readings and EARLIEST_YEAR <= readings[0].year <= LATEST_YEAR else None
