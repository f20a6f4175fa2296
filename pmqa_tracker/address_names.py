"""Validators of names that become part of a URL: refs, codes, slugs and abbreviations.

The validators decide which names are allowed. `address_name_constraint` keeps the worst of the other names out of the
database, and `pmqa_tracker.urls.TextConverter` puts any text into a URL, so a page with a bad name still opens. The
names are also used for sheets and files.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.db.models import CheckConstraint, Q
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

from pmqa_tracker import thai
from pmqa_tracker.parsing.errors import quote

LETTER_CATEGORY, MARK_CATEGORY, DIGIT_CATEGORY = "L", "M", "Nd"  # of Unicode


@deconstructible
class CodeValidator:
    """Accept the ref of an action or the code of a criterion: "1.1.3", "1.2.1-A-3".

    It must contain a digit, so it never equals the name of a page in a URL.
    """

    signs = ".-_"  # besides letters and digits
    sentence = _(
        "“%(value)s” cannot be part of an address. Write letters, digits, “.”, “-” and “_” without spaces, with a "
        "digit among them, such as 1.2.1-A-3."
    )

    def __call__(self, value: str) -> None:
        """Raise a ValidationError that says what is allowed, unless `value` is."""
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
        """Return whether the characters of `value` and their order are allowed."""
        kinds = [unicodedata.category(character) for character in value]
        return bool(
            value
            and (kinds[0].startswith(LETTER_CATEGORY) or kinds[0] == DIGIT_CATEGORY)
            and all(
                kind == DIGIT_CATEGORY or kind[0] in (LETTER_CATEGORY, MARK_CATEGORY) or character in self.signs
                for character, kind in zip(value, kinds, strict=True)
            )
            and self.is_well_formed(value, kinds)
        )

    def is_well_formed(self, value: str, kinds: list[str]) -> bool:
        """Return whether `value` also follows the rules for this kind of name."""
        return DIGIT_CATEGORY in kinds


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
    """Return `value` with Arabic digits and each Thai letter in its usual form; "" if it is written so already."""
    usual = unicodedata.normalize("NFC", value).translate(thai.TO_ARABIC)
    if thai.fold(usual) != usual.casefold():
        usual = thai.fold(usual)
    return usual if usual != value else ""


def show_invisible(value: str) -> str:
    """Return `value` as a message quotes it, with invisible characters replaced by their code: ⟨U+200B⟩."""
    return quote(re.sub(r"[^\S ]|[^\w\s]", _show_code, value))


def _show_code(match: re.Match[str]) -> str:
    character = match.group()
    return f"⟨U+{ord(character):04X}⟩" if unicodedata.category(character)[0] in "CZ" else character


def address_name_constraint(field: str, *, name: str) -> CheckConstraint:
    """Return a constraint by which the database refuses a name that cannot be part of a URL."""
    return CheckConstraint(
        condition=~Q(**{f"{field}__contains": "/"}) & ~Q(**{f"{field}__in": ("", ".", "..")}),
        name=name,
        violation_error_message=_("This cannot be part of an address. Leave out “/”, and write a letter or a digit."),
    )
