"""Files that the workbook check must refuse, each with a part of its message."""

import re
import zipfile
from collections.abc import Callable
from io import BytesIO

from tests.odd_workbooks import PACKAGE, RELATIONS, STRINGS, TYPES, VBA, change, packed, shared, unpacked, without
from tests.plan.evidence.packing import OLE_START


def _with_macro(name: str, *, kind: str = "", type_: str = "", content: bytes = OLE_START) -> Callable[[bytes], bytes]:
    """Return a maker of a workbook with a macro, in a part with any name, relationship and content type."""

    def make(data: bytes) -> bytes:
        parts = unpacked(data) | {f"xl/{name}": content}
        if kind:
            parts = change(
                RELATIONS, "</Relationships>", f'<Relationship Id="m" Type="a/{kind}" Target="{name}"/></Relationships>'
            )(parts)
        if type_:
            parts = change(TYPES, r"(<Types[^>]*>)", rf'\1<Override PartName="/xl/{name}" ContentType="{type_}"/>')(
                parts
            )
        return packed(parts)

    return make


def _dtd(encoding: str) -> Callable[[bytes], bytes]:
    """Return a maker of a workbook whose sheet declares an entity, in an encoding."""

    def make(data: bytes) -> bytes:
        parts = unpacked(data)
        text = re.sub(
            r"<worksheet",
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet',
            parts["xl/worksheets/sheet1.xml"].decode(),
            count=1,
        )
        text = re.sub(r"^<\?xml[^>]*\?>", "", text)
        declared = f'<?xml version="1.0" encoding="{encoding.upper()}"?>{text}'
        return packed(parts | {"xl/worksheets/sheet1.xml": declared.encode(encoding)})

    return make


def _hungry(data: bytes) -> bytes:
    """Pack the parts by a method whose header asks for four gigabytes of memory."""
    made = bytearray(packed(unpacked(data), zipfile.ZIP_LZMA))
    with zipfile.ZipFile(BytesIO(made)) as archive:
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename.encode())
            made[start + 5 : start + 9] = b"\xff\xff\xff\xff"  # the size of the dictionary
    return bytes(made)


def _two_sheets(data: bytes) -> bytes:
    """Add a second part with the same name; programs disagree on which one counts."""
    file = BytesIO(data)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/Worksheets/../worksheets/sheet1.xml", "<worksheet/>")
    return file.getvalue()


REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a macro": (_with_macro("vbaProject.bin"), "macros"),
    "a macro in large letters": (_with_macro("VBAPROJECT.BIN"), "macros"),
    "a macro by its relationship": (_with_macro("code.dat", kind="vbaProject"), "macros"),
    "a macro by its content type": (_with_macro("code.dat", type_=VBA), "macros"),
    "a sheet of old macros": (_with_macro("macrosheets/sheet9.xml", content=b"<a/>"), "macros"),
    "a workbook type with macros": (
        lambda data: packed(
            change(
                TYPES,
                r"application/vnd\.openxmlformats-officedocument\.spreadsheetml\.sheet\.main\+xml",
                "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            )(unpacked(data))
        ),
        "macros",
    ),
    "missing shared texts": (lambda data: packed(without(STRINGS)(shared(unpacked(data)))), "damaged"),
    "missing sheets": (
        lambda data: packed({name: part for name, part in unpacked(data).items() if "worksheets" not in name}),
        "not an Excel workbook",
    ),
    "a broken sheet": (lambda data: packed(change("sheet1.xml", "</sheetData>", "")(unpacked(data))), "damaged"),
    "two parts with the same name": (_two_sheets, "damaged"),
    "parts that ask for gigabytes of memory": (_hungry, "damaged"),
    "an entity": (_dtd("utf-8"), "parts that Excel does not write"),
    "an entity in two bytes a letter": (_dtd("utf-16"), "parts that Excel does not write"),
    "a binary workbook": (lambda data: packed({TYPES: b"<Types/>", "xl/workbook.bin": b"x"}), "binary"),
    "a binary workbook by another name": (
        lambda data: packed(
            {PACKAGE: unpacked(data)[PACKAGE].replace(b"workbook.xml", b"book.bin"), "xl/book.bin": b"x"}
        ),
        "binary",
    ),
    "an OpenDocument sheet": (
        lambda _data: packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
        "This is an OpenDocument",
    ),
    "a web page": (lambda _data: b"\xef\xbb\xbf<html><table><tr><td>1", "web page"),
    "a web archive": (lambda _data: b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", "web page"),
    "XML of 2003": (
        lambda _data: b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
        "web page",
    ),
    "an old workbook": (lambda _data: OLE_START + b"\0" * 600, "old format"),
    "a very old workbook": (lambda _data: b"\x09\x08\x10\x00\x00\x06\x05\x00" + b"\0" * 40, "old format"),
    "a password": (lambda _data: OLE_START + "EncryptedPackage".encode("utf-16-le"), "password"),
    "text of an old Thai Excel": (lambda _data: "รหัส;สถานะ\r\n1;ติดปัญหา".encode("cp874"), "text file"),
    "text in two bytes a letter": (lambda _data: "รหัส\tสถานะ".encode("utf-16"), "text file"),
    "a Word file": (lambda _data: packed({TYPES: b"<Types/>", "word/document.xml": b"<a/>"}), "not an Excel workbook"),
}
