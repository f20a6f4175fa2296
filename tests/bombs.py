"""Workbook bombs: small files that unpack to huge or endless content. Each is refused before it is opened."""

import struct
import zipfile
from io import BytesIO

from pmqa_tracker.upload_limit import MEGABYTE

TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.sheet.main+xml"/></Types>'
)
BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets>{sheets}</sheets></workbook>'
)
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData>{more}</worksheet>'


def packed(**parts: str | bytes) -> bytes:
    """Return a minimal workbook with the given parts: "sheet", "strings", "styles", "types", "book", "more"."""
    names = {
        "sheet": "xl/worksheets/sheet1.xml", "strings": "xl/sharedStrings.xml", "styles": "xl/styles.xml",
        "types": "[Content_Types].xml", "book": "xl/workbook.xml", "more": "xl/media/image1.bin",
    }  # fmt: skip
    held = {"types": TYPES, "book": BOOK.format(sheets='<sheet name="a" sheetId="1"/>'), **parts}
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(names[name], content)
    return file.getvalue()


def _lying() -> bytes:
    """Return a workbook whose directory gives too small a size for a large part."""
    data = bytearray(packed(sheet=SHEET.format(rows=" " * (40 * MEGABYTE), more="")))
    place = data.rfind(b"PK\x01\x02")
    while place >= 0:
        name_length = struct.unpack_from("<H", data, place + 28)[0]
        if b"sheet1" in data[place + 46 : place + 46 + name_length]:
            struct.pack_into("<I", data, place + 24, 1000)
        place = data.rfind(b"PK\x01\x02", 0, place)
    return bytes(data)


def _overlapping() -> bytes:
    """Return a workbook with many directory entries for the same bytes."""
    data = packed(more=b"\0" * (30 * MEGABYTE))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        start = archive.start_dir
    end = data.rfind(b"PK\x05\x06")
    directory = data[start:end]
    entry = directory[directory.rfind(b"PK\x01\x02") :]
    copies = b"".join(entry.replace(b"image1", f"image{number}".encode()) for number in range(2, 9))
    count = directory.count(b"PK\x01\x02") + 7
    tail = bytearray(data[end:])
    struct.pack_into("<HH", tail, 8, count, count)
    struct.pack_into("<I", tail, 12, len(directory) + len(copies))
    return data[:start] + directory + copies + bytes(tail)


BOMBS = {
    "zeros": lambda: packed(more=b"\0" * (300 * MEGABYTE)),
    "spaces in a sheet": lambda: packed(sheet=SHEET.format(rows=" " * (60 * MEGABYTE), more="")),
    "a lying directory": _lying,
    "parts that overlap": _overlapping,
    "billion laughs": lambda: packed(
        sheet='<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">'
        + '<!ENTITY a0 "&a;">'
        + "".join(f'<!ENTITY a{each} "' + f"&a{each - 1};" * 10 + '">' for each in range(1, 10))
        + "]><worksheet>&a9;</worksheet>"
    ),
    "an entity from outside": lambda: packed(
        sheet='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet>&x;</worksheet>'
    ),
    "a million rows": lambda: packed(sheet=SHEET.format(rows='<row r="1"/>' * 1_000_000, more="")),
    "a million cells": lambda: packed(sheet=SHEET.format(rows=f"<row>{'<c/>' * 1_000_000}</row>", more="")),
    "merges": lambda: packed(
        sheet=SHEET.format(rows="", more="<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 100_000 + "</mergeCells>")
    ),
    "strings": lambda: packed(strings=f"<sst>{'<si><t>a</t></si>' * 600_000}</sst>"),
    "styles": lambda: packed(
        styles="<styleSheet><cellXfs>" + '<xf numFmtId="0"/>' * 200_000 + "</cellXfs></styleSheet>"
    ),
    "ten thousand sheets": lambda: packed(
        book=BOOK.format(sheets="".join(f'<sheet name="s{each}" sheetId="{each}"/>' for each in range(10_000)))
    ),
}
