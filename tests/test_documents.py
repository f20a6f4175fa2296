"""The documents name only existing paths, commands and settings, and list the licences."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.test_house import MAY_IMPORT, ROOT, committed

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
FENCE = re.compile(r"^ *```[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w.@-]+\.(?:css|docx|html|in|js|json|md|po|py|toml|txt|yml)")
MADE = {".venv", "var", "backup.sqlite3", "deploy/.env"}  # made by a command, not part of the project
DOTTED = re.compile(rf"(?:{'|'.join(MAY_IMPORT)})(?:\.\w+)+")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")


def code_of(document: Path) -> list[str]:
    """Return the code in a document: texts in backticks, and each line of a code block."""
    text = document.read_text()
    blocks = [line.strip() for block in FENCE.findall(text) for line in block.splitlines()]
    return [*CODE.findall(FENCE.sub("", text)), *(line for line in blocks if line)]


def is_path(code: str) -> bool:
    """Return whether code is a path in the project; URLs of pages begin with a slash and do not count."""
    if FILE.fullmatch(code):
        return True
    return bool(re.fullmatch(r"[\w.@-]+(?:/[\w.@*-]*)+", code)) and not VARIABLE.fullmatch(code.split("/")[0])


def missing_paths(code: list[str]) -> list[str]:
    """Return the paths that do not exist. A file may be named without its folder."""
    names = {path.name for path in committed()}
    paths = [each for each in code if is_path(each) and not {each, each.split("/")[0]} & MADE]
    return [each for each in paths if each not in names and not any(ROOT.glob(each.rstrip("/")))]


def missing_names(code: list[str]) -> list[str]:
    """Return the dotted names, such as `plan.apps.PlanConfig`, that cannot be imported."""
    missing = []
    for each in filter(DOTTED.fullmatch, code):
        parts, found = each.split("."), None
        for count in range(len(parts), 0, -1):
            try:
                found = import_module(".".join(parts[:count]))
            except ImportError:
                continue
            break
        for name in parts[count:]:
            found = getattr(found, name, None)
        if found is None:
            missing.append(each)
    return missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_path_and_name_exists(document: Path) -> None:
    code = code_of(document)
    assert (missing_paths(code), missing_names(code)) == ([], [])


def test_missing_path_and_name_are_found() -> None:
    code = ["plan/models/action.py", "plan/nowhere.py", "nowhere.md", "scripts/*", "README.md"]
    code += ["plan.models.Plan", "plan.models.Plane"]
    assert missing_paths(code) == ["plan/nowhere.py", "nowhere.md"]
    assert missing_names(code) == ["plan.models.Plane"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_link_leads_to_a_file_or_a_heading(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", FENCE.sub("", document.read_text()))
    broken = []
    for link in map("".join, links):
        path, _hash, heading = link.partition("#")
        target = document.parent / path if path else document
        if "://" in link:
            continue
        if not target.is_file() or (heading and heading not in headings_of(target)):
            broken.append(link)
    assert broken == []


def headings_of(document: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\u0e31\u0e34-\u0e4e\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_command_exists(document: Path) -> None:
    code = "\n".join(code_of(document))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)) <= targets
    assert set(re.findall(r"(?:manage\.py|^pmqa) ([a-z_]+)", code, re.MULTILINE)) <= set(get_commands())


def test_the_configuration_names_every_setting_that_is_read() -> None:
    source = "".join((ROOT / "pmqa_tracker" / name).read_text() for name in ("settings.py", "database.py"))
    read = set(re.findall(r'\b(?:env|environment)\.\w+\(\s*(?:env,\s+)?"([A-Z_]+)"', source))
    read |= set(re.findall(r'os\.environ\.get\("([A-Z_]+)"', source))
    table = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(read)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_rooms_are_listed_in_their_import_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    listed = re.findall(r"^\d+\. (.+)$", text[text.index("## Import order") :].split("\n## ")[0], re.MULTILINE)
    level_of = {
        room: number for number, line in enumerate(listed) for room in re.findall(r"`(\w+)/`", line.split(":")[0])
    }
    assert sorted(level_of) == sorted(MAY_IMPORT)
    for room, may_import in MAY_IMPORT.items():
        assert [other for other in may_import if level_of[other] >= level_of[room]] == []


def test_the_licences_are_those_of_the_requirements() -> None:
    made = subprocess.run(
        [sys.executable, "scripts/licences.py"], cwd=ROOT, check=False, capture_output=True, text=True, timeout=300
    )
    assert made.stderr == ""
    assert (ROOT / "docs" / "licences.md").read_text() == made.stdout, "run make licences"
