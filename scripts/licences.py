"""Print docs/licences.md: every package in requirements.txt with its licence, and the vendored files (`make licences`).

The licence is read from the metadata of the installed package: the licence expression, otherwise the licence field if
it is a name, otherwise the classifiers.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>.+))?\n(?P<via>(?: {4}#.*\n?)*)", re.MULTILINE)
LONGEST_NAME = 40  # anything longer is the text of a licence, not its name

HEAD = """\
# Third-party licences

Made by `make licences`; do not edit. Every package of `requirements.txt` with the licence that the installed package
states, and the files in `static/vendor/`. The texts of the licences come with the packages and the files.

## Python packages

| package | version | licence | needed by |
|---|---|---|---|
"""
VENDORED = """
## Files served to the browser

"""


def licence_of(name: str, version: str, marker: str | None) -> str:
    """Return the licence of a package; raise LookupError if it has none or is not installed in this version."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        if marker:
            return f"not installed here (only where `{marker}`)"
        raise LookupError(f"{name} is not installed; run make venv first.") from None
    if package.version != version:
        raise LookupError(f"{name} {package.version} is installed, requirements.txt pins {version}.")
    stated = package.metadata.get("License-Expression") or package.metadata.get("License") or ""
    if stated and len(stated) <= LONGEST_NAME:
        return stated
    classifiers = package.metadata.get_all("Classifier") or []
    names = [each.rsplit(" :: ", 1)[1] for each in classifiers if each.startswith("License :: ")]
    if not names:
        raise LookupError(f"{name} states no licence; look it up and name it in scripts/licences.py.")
    return ", ".join(names)


def packages() -> str:
    """Return a table row for each pinned package."""
    rows = []
    for pin in PIN.finditer((ROOT / "requirements.txt").read_text()):
        via = re.findall(r"#(?: via)? *([\w.-]+(?: requirements\.in)?)", pin["via"].replace("# via\n", "\n"))
        needed_by = ", ".join("PMQA tracker" if each.startswith("-r ") else each for each in via)
        licence = licence_of(pin["name"], pin["version"], pin["marker"])
        rows.append(f"| {pin['name']} | {pin['version']} | {licence} | {needed_by} |\n")
    return "".join(rows)


def vendored() -> str:
    """Return the table of static/vendor/README.md and the text below it."""
    text = (ROOT / "static" / "vendor" / "README.md").read_text()
    table = text[text.index("| folder") :].replace("(`", "(`static/vendor/")
    return re.sub(r"`([\w.-]+/)`", r"`static/vendor/\1`", table)


if __name__ == "__main__":
    try:
        sys.stdout.write(HEAD + packages() + VENDORED + vendored())
    except LookupError as error:
        sys.exit(str(error))
