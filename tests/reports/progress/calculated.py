"""Workbooks calculated by LibreOffice, and their formulas."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from spreadsheets.downloads import finished_workbook
from tests.conftest import IS_REQUIRED


def converted(files: Mapping[str, bytes], folder: Path, kind: str) -> dict[str, Path]:
    """Return name → the workbook as LibreOffice converts it; `kind` is an extension, with a filter if it needs one."""
    office = shutil.which("soffice")
    if office is None and not IS_REQUIRED:
        pytest.skip("LibreOffice is missing")
    assert office, "LibreOffice is missing"
    for name, data in files.items():
        (folder / f"{name}.xlsx").write_bytes(data)
    subprocess.run(
        [office, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", kind,
         "--outdir", str(folder / "out"), *(str(folder / f"{name}.xlsx") for name in files)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return {name: folder / "out" / f"{name}.{kind.partition(':')[0]}" for name in files}


def calculated(files: Mapping[str, bytes], folder: Path) -> dict[str, Workbook]:
    """Return name → the workbook as LibreOffice calculates it; it does so if the file stores no results."""
    found = converted(files, folder, "xlsx:Calc MS Excel 2007 XML")
    return {name: load_workbook(path, data_only=True) for name, path in found.items()}


def formulas(book: Workbook) -> Iterator[tuple[str, str, str]]:
    """Yield (sheet, address, text) of each formula."""
    for sheet in book:
        for row in sheet.iter_rows():
            yield from ((sheet.title, cell.coordinate, cell.value) for cell in row if cell.data_type == "f")


def check_results(book: Workbook, calculated_book: Workbook) -> None:
    """Check that each formula of a workbook has a stored result, and that LibreOffice calculates the same."""
    shown = load_workbook(finished_workbook(book), data_only=True)
    for sheet, address, text in formulas(book):
        stored, found = (each[sheet][address].value for each in (shown, calculated_book))
        expected = pytest.approx(stored) if isinstance(stored, int | float) else stored
        assert found is not None
        assert found == expected, (sheet, address, text)
