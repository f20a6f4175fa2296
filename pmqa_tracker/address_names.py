"""Names that become part of an address, a sheet or a file: refs, codes, slugs and abbreviations.

A validator is the one place that says which names are allowed; `address_name_constraint` keeps the worst of the others
out of the database, and `TextConverter` puts any text into an address, so that a page with a bad name still opens.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.db.models import CheckConstraint, Q
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

from pmqa_tracker import thai
from pmqa_tracker.parsing.errors import quote

LETTERS, MARKS, DIGITS = "L", "M", "Nd"  # categories of Unicode


@deconstructible
class CodeValidator:
    """Accept a ref of an action or a code of a criterion: "1.1.3", "1.2.1-A-3".

    It holds a digit, so it is never the name of a page of the site.
    """

    signs = ".-_"  # besides letters and digits
    sentence = _(
        "“%(value)s” cannot be part of an address. Write letters, digits, “.”, “-” and “_” without spaces, with a "
        "digit among them, such as 1.2.1-A-3."
    )

    def __call__(self, value: str) -> None:
        """Accept `value`, or raise a ValidationError that says what is allowed."""
        if not self.is_allowed(value):
            raise ValidationError(self.sentence, code="invalid", params={"value": show_invisible(value)})
        if spelling := usual_spelling(value):
            text = _("“%(value)s” is written in an unusual way. Write it as “%(spelling)s”.")
            raise ValidationError(text, code="spelling", params={"value": show_invisible(value), "spelling": spelling})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def is_allowed(self, value: str) -> bool:
        """Whether the characters of `value`, and their order, are allowed."""
        kinds = [unicodedata.category(sign) for sign in value]
        return bool(
            value
            and (kinds[0].startswith(LETTERS) or kinds[0] == DIGITS)
            and all(
                kind == DIGITS or kind[0] in (LETTERS, MARKS) or sign in self.signs
                for sign, kind in zip(value, kinds, strict=True)
            )
            and self.is_well_formed(value, kinds)
        )

    def is_well_formed(self, value: str, kinds: list[str]) -> bool:
        """Whether `value` is more than allowed characters."""
        return DIGITS in kinds


@deconstructible
class AbbreviationValidator(CodeValidator):
    """Accept the abbreviation of a unit: "สพม.", "ทุกหน่วยงาน", "สรพ. (กทม.) 1"."""

    signs = ".-_() "
    sentence = _(
        "“%(value)s” cannot be part of an address. Write letters, digits, “.”, “-”, “_”, brackets and single spaces, "
        "beginning with a letter or a digit, such as กพร."
    )

    def is_well_formed(self, value: str, kinds: list[str]) -> bool:
        return "  " not in value and not value.endswith(" ")


@deconstructible
class SlugValidator(CodeValidator):
    """Accept the slug of a plan: "2562-2563"."""

    signs = "-_"
    sentence = _(
        "“%(value)s” cannot be part of an address. Write English letters, digits, “-” and “_” without spaces, such as "
        "2562-2563."
    )

    def is_well_formed(self, value: str, kinds: list[str]) -> bool:
        return value.isascii()


def usual_spelling(value: str) -> str:
    """How `value` is usually written, with Arabic digits and each Thai letter in one way; "" where it is so."""
    usual = unicodedata.normalize("NFC", value).translate(thai.TO_ARABIC)
    if thai.fold(usual) != usual.casefold():
        usual = thai.fold(usual)
    return usual if usual != value else ""


def show_invisible(value: str) -> str:
    """`value` as a message quotes it, with the characters that nobody sees named by their number."""
    return quote(re.sub(r"[^\S ]|[^\w\s]", _named, value))


def _named(match: re.Match[str]) -> str:
    sign = match.group()
    return f"⟨U+{ord(sign):04X}⟩" if unicodedata.category(sign)[0] in "CZ" else sign


def address_name_constraint(field: str, *, name: str) -> CheckConstraint:
    """Let the database refuse a name that no address can hold, whoever writes it."""
    return CheckConstraint(
        condition=~Q(**{f"{field}__contains": "/"}) & ~Q(**{f"{field}__in": ("", ".", "..")}),
        name=name,
        violation_error_message=_("This cannot be part of an address. Leave out “/”, and write a letter or a digit."),
    )
