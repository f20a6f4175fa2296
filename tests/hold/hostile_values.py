"""Two hundred hostile values, as bytes, for any parameter."""

import random
from urllib.parse import quote_from_bytes

WRITTEN = (
    # numbers
    "", "0", "-1", "00", "1e5", "1e999", "NaN", "inf", "-0.0", "0x10", "1_000", "+1", " 1 ", "1.5", "1,5",
    "½", "²", "१",
    "１２", "๑๒", "٣", "⑤", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808",
    "9" * 40, "9" * 5000, "0." + "3" * 400, "true", "None", "null", "undefined", "on",
    # days and moments
    "2563-02-30", "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "31/12/0", "31/12/543", "1/1/10542",
    "1/1/99999999999", "29/2/2565", "15 พ.ค. 2563", "32 ม.ค. 2563", "2020-05-15T00:00:00Z", "2020-W01-1", "๑๕/๕/๒๕๖๓",
    "12:99", "24:00:00",
    # keys
    "00000000-0000-0000-0000-000000000000", "{00000000000000000000000000000000}", "urn:uuid:1", "-",
    "1,2,3", "1 OR 1=1",
    # other languages
    "' OR ''='", "'; DROP TABLE plan_plan; --", '"', "\\", "\\'", "%", "%s%n%d", "%(a)s", "{0.__class__}",
    "{{ 7|add:7 }}",
    "{% load static %}", "${7*7}", "<script>alert(1)</script>", "]]>", "<!--", "&lt;&#0;&#x110000;", "=1+1", "@SUM(1)",
    "[]", "{}", '[{"a": [1, {"b": null}]}]', '{"__proto__": 1}', "[" * 2000, "a" * 300, "ก" * 3000, "(" * 500,
    "(a+)+$", "[a-", "*", "?", "_%", "$gt", "`id`", "$(id)", "|", "\u2028", "__class__", "pk__in",
    "plan__pk", "-plan__pk",
    "order_by", "?", "#", "/", "//", "../../../../etc/passwd", "..%2f", ".", "..", "...", "C:\\", "file:///etc/passwd",
    # addresses
    "http://[", "http://[::1", "http://a:b", "http://a:99999999/", "//example.org", "javascript:alert(1)", "https://",
    "http://\u0e01.\u0e02/", "mailto:a@b", "a@b", "a@" + "b" * 300, "ก@ข", "@", "a@[127.0.0.1]", "data:,x",
    "/\\example.org",
    # letters
    "\0", "a\0b", "\r\nSet-Cookie: a=b", "\n", "\t", "\x07", "\x1b[31m", "\x7f", "\x85", "\u200b",
    "\u202eabc", "\ufeff",
    "\ufffe", "\U0010ffff", "e\u0301" * 50, "\u0e33", "\u0e4d\u0e32", "\u0e48", "เเก", "ำ", "ß", "İ", "ı",
    "ﬁ", "Å", "𝟙",
    "👨‍👩‍👧", "a" + "\u0e47" * 200, " ", "\u3000", "\xa0",
)  # fmt: skip
NOT_UTF8 = (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\xb8", b"\x80", b"%", b"%zz", b"%00")
COUNT = 200
LETTERS = "กขฃคฅฆงจ่้๊๋์็ิีึืฺุูเแโใไาำๅๆ๐๑๒๓AZaz09.,:;-_+*/\\|'\"`~!@#$%^&()[]{}<>=? \t\n\r\0\x1f\x7f\xa0\u200d\u202e\ufeff𝔸🙂"


def hostile_values(seed: int) -> list[bytes]:
    """Return the written values, and as many random ones as are missing to `COUNT`."""
    chance = random.Random(seed)  # noqa: S311
    written = [each.encode() for each in dict.fromkeys(WRITTEN)] + list(NOT_UTF8)
    return [*written, *(_random_value(chance) for _more in range(COUNT - len(written)))]


def _random_value(chance: random.Random) -> bytes:
    """Return letters, bytes, a number or a day, of any length."""
    length = chance.choice((1, 2, 3, 8, 30, 200))
    kind = chance.randrange(4)
    if kind == 0:
        return chance.randbytes(length)
    if kind == 1:
        return str(chance.randrange(-(10**length), 10**length)).encode()
    if kind == 2:
        return f"{chance.randrange(-5, 40)}/{chance.randrange(-1, 14)}/{chance.randrange(-1, 30_000)}".encode()
    return "".join(chance.choices(LETTERS, k=length)).encode()


def encoded(pairs: list[tuple[str, bytes]]) -> str:
    """Return a query string or the body of a form."""
    return "&".join(f"{quote_from_bytes(name.encode())}={quote_from_bytes(value, safe='')}" for name, value in pairs)
