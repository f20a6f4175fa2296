"""Workbooks printed by LibreOffice, with their font installed or missing, and what a reader of the paper misses."""

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from spreadsheets.styles import FONT
from tests.conftest import IS_REQUIRED
from tests.printed_pages import Pdf, overlapping

FONTS = Path("/usr/share/fonts/truetype")
# Laksaman has the letters of TH Sarabun New, but larger: its em is TH_SARABUN_EM times smaller.
INSTALLED = (FONTS / "tlwg/Laksaman.ttf", FONTS / "tlwg/Laksaman-Bold.ttf")
TH_SARABUN_EM, ASCENT, DESCENT = 1.505, 1.08, 0.42
STAND_INS = (FONTS / "tlwg/Waree.ttf", FONTS / "tlwg/Waree-Bold.ttf")  # LibreOffice takes these on Debian
ALWAYS = (FONTS / "liberation", FONTS / "dejavu")  # Liberation Sans, as wide as Arial, defines the widths of columns

SETTINGS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>{folders}<cachedir>{cache}</cachedir>{alias}
<include ignore_missing="yes">/etc/fonts/conf.d</include></fontconfig>"""
ALIAS = f"""<match target="pattern"><test name="family"><string>{FONT}</string></test>
<edit name="family" mode="assign" binding="same"><string>Laksaman</string></edit></match>"""

OTHERS = re.compile("[^A-Za-zก-ฮะ-าเ-ๆ]+")  # marks, digits and signs may be printed later, from another font


@dataclass(frozen=True)
class Flaw:
    """A text that a reader of the printed workbook does not see, or not well."""

    page: int  # 0 if it is not known
    kind: str
    text: str


def print_workbooks(files: Mapping[str, bytes], folder: Path, *, has_font: bool) -> dict[str, bytes]:
    """Return name → PDF of the workbooks, from one run of LibreOffice."""
    office = shutil.which("soffice")
    missing = [str(path) for path in (*INSTALLED, *STAND_INS, *ALWAYS) if not path.exists()]
    if (not office or missing) and not IS_REQUIRED:
        pytest.skip("LibreOffice or its fonts are missing")
    assert office, "LibreOffice is missing"
    assert not missing
    fonts = folder / "fonts"
    fonts.mkdir(parents=True)
    for path in INSTALLED if has_font else STAND_INS:
        data = path.read_bytes()
        (fonts / path.name).write_bytes(as_th_sarabun(data) if has_font else data)
    settings = folder / "fonts.conf"
    folders = "".join(f"<dir>{each}</dir>" for each in (fonts, *ALWAYS))
    settings.write_text(SETTINGS.format(folders=folders, cache=folder / "cache", alias=ALIAS if has_font else ""))
    for number, data in enumerate(files.values()):
        (folder / f"{number}.xlsx").write_bytes(data)
    subprocess.run(
        [office, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "pdf",
         "--outdir", str(folder), *(str(folder / f"{number}.xlsx") for number in range(len(files)))],
        check=True, capture_output=True, timeout=900, env=os.environ | {"FONTCONFIG_FILE": str(settings)},
    )  # fmt: skip
    return {name: (folder / f"{number}.pdf").read_bytes() for number, name in enumerate(files)}


def as_th_sarabun(data: bytes) -> bytes:
    """Return Laksaman with the size of letters and the height of lines of TH Sarabun New."""
    font = bytearray(data)
    (count,) = struct.unpack_from(">H", font, 4)
    tables = [struct.unpack_from(">4sIII", font, 12 + 16 * number) for number in range(count)]
    start = {name: offset for name, _checksum, offset, _length in tables}
    em = round(1000 * TH_SARABUN_EM)
    above, below = round(ASCENT * em), round(DESCENT * em)
    struct.pack_into(">H", font, start[b"head"] + 18, em)
    struct.pack_into(">hhh", font, start[b"hhea"] + 4, above, -below, 0)
    struct.pack_into(">hhhHH", font, start[b"OS/2"] + 68, above, -below, 0, above, below)
    return bytes(font)


def find_flaws(workbook: bytes, pdf: bytes) -> list[Flaw]:
    """Return the texts of a workbook that are cut off at the edge of their cell, printed over others, or left out."""
    flaws, printed = [], ""
    for number, runs in enumerate(Pdf(pdf).pages(), start=1):
        printed += "".join(run.text for run in runs)
        flaws += [Flaw(number, "cut", run.text) for run in runs if run.is_cut]
        flaws += [Flaw(number, "over", f"{one} / {other}") for one, other in overlapping(runs)]
    printed = visible(printed)
    book = load_workbook(BytesIO(workbook))
    texts = {
        cell.value
        for sheet in book.worksheets if sheet.sheet_state == "visible"
        for area in sheet.print_area.split(",")
        for row in sheet[area.rpartition("!")[2] or sheet.dimensions]
        for cell in row if cell.data_type == "s"
    }  # fmt: skip
    return flaws + [Flaw(0, "left out", text) for text in sorted(texts) if visible(text) not in printed]


def visible(text: str) -> str:
    """Return the letters of a text that keep their order in a PDF."""
    return OTHERS.sub("", text.replace("ำ", "า"))
