"""`manage.py status_css`: write the stylesheet with the colours of all statuses."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from plan.models import STATUSES, Change, Due, Health
from plan.models.looks import FAMILIES, Colours, Look

FILE = Path(settings.BASE_DIR) / "static" / "css" / "status.css"
# No pattern for "rising": in the timeline, the length of the bar already shows work in progress.
PATTERNS = {
    "falling": "repeating-linear-gradient(90deg, transparent 0 7px, var(--lines) 7px 9px)",
    "dotted": "radial-gradient(circle, var(--lines) 1.2px, transparent 1.4px) 0 0 / 8px 8px",
    "crossed": (
        "repeating-linear-gradient(45deg, transparent 0 5px, var(--lines) 5px 6px),\n"
        "    repeating-linear-gradient(-45deg, transparent 0 5px, var(--lines) 5px 6px)"
    ),
}


class Command(BaseCommand):
    help = "Write static/css/status.css from the table of statuses (plan/models)."

    def handle(self, **options: Any) -> None:
        FILE.write_text(stylesheet())


def stylesheet() -> str:
    """Return the custom properties of each colour family, and a rule for `.is-<icon>` and `.kind-<icon>` of each look.

    A rule sets `--text`, `--soft`, `--tint`, `--chart`, `--lines` and `--pattern`, which badges and bars use.
    """
    tokens = "".join(_tokens(each) for each in FAMILIES)
    rules = "".join(_rule(look) for look in _looks())
    return f"/* Made by `make status-css` from plan/models/looks.py; change it there. */\n:root {{\n{tokens}}}\n{rules}"


def _looks() -> list[Look]:
    """Return all looks of statuses, health, due and changes, each once."""
    states = [rules.look for rules in STATUSES.values()]
    states += [each.look for choices in (Health, Due, Change) for each in choices]
    return list(dict.fromkeys(states))


def _tokens(colours: Colours) -> str:
    values = {"": colours.text, "-soft": colours.background, "-tint": colours.tint, "-chart": colours.chart}
    return "".join(f"  --{colours.name}{part}: #{value.lower()};\n" for part, value in values.items())


def _rule(look: Look) -> str:
    name = f"--{look.colours.name}"
    lines = (
        f"color-mix(in srgb, var({name}-chart) 45%, var({name}-soft))"  # paler than in a chart, because text is on top
    )
    return (
        f"\n.is-{look.icon},\n.kind-{look.icon} {{\n"
        f"  --text: var({name});\n"
        f"  --soft: var({name}-soft);\n"
        f"  --tint: var({name}-tint);\n"
        f"  --chart: var({name}-chart);\n"
        f"  --lines: {lines};\n"
        f"  --pattern: {PATTERNS.get(look.pattern, 'none')};\n"
        "}\n"
    )
