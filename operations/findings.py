"""What a check of the installation found."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils import translation


class Level(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The state of one part of the installation.

    Attributes:
        part: what was checked, such as "disk".
        level: how serious it is.
        text: what was found; a lazy translation, or a text that needs none.
        advice: what to do, for a warning or a fault.
    """

    part: str
    level: Level
    text: Any
    advice: Any = ""

    def said_in(self, language: str) -> dict[str, str]:
        """Return the text and the advice in a language."""
        with translation.override(language):
            return {"text": str(self.text), "advice": str(self.advice)}


def ok(part: str, text: Any) -> Finding:
    """Return a finding for a part that works."""
    return Finding(part=part, level=Level.OK, text=text)


def warning(part: str, text: Any, advice: Any) -> Finding:
    """Return a finding for a part that needs attention; the site works."""
    return Finding(part=part, level=Level.WARNING, text=text, advice=advice)


def fault(part: str, text: Any, advice: Any) -> Finding:
    """Return a finding for a part that has to be repaired."""
    return Finding(part=part, level=Level.FAULT, text=text, advice=advice)
