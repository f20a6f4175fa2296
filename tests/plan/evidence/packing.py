"""Build zip files for tests: ordinary and malformed ones."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

from openpyxl import Workbook

OPEN_XML = "application/vnd.openxmlformats-officedocument"
OFFICE_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAIN = {
    "docx": ("word/document.xml", f"{OPEN_XML}.wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", f"{OPEN_XML}.spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", f"{OPEN_XML}.presentationml.presentation.main+xml"),
}


def pack(files, *, compression=zipfile.ZIP_DEFLATED, comment=b""):
    """A zip of {name: content}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment
    return buffer.getvalue()


def content_types(part, type_):
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/{part}" ContentType="{type_}"/>'
        "</Types>"
    )


def open_xml(kind, *, type_=None, types=None, more=None):
    """A minimal Word, Excel or PowerPoint file."""
    part, usual = MAIN[kind]
    relation = f'<Relationship Id="rId1" Type="{OFFICE_RELATION}" Target="{part}"/>'
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    return pack(
        {
            "[Content_Types].xml": types or content_types(part, type_ or usual),
            "_rels/.rels": f'<Relationships xmlns="{rels}">{relation}</Relationships>',
            part: "<document>ผลการดำเนินงาน</document>",
            **(more or {}),
        }
    )


def workbook():
    book = Workbook()
    book.active.append(["ตัวชี้วัด", 80])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def open_document(type_="text", *, more=None, manifest="<manifest/>", first="mimetype", compression=zipfile.ZIP_STORED):
    """A minimal LibreOffice file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(first, f"application/vnd.oasis.opendocument.{type_}", compression)
        files = {"content.xml": "<office/>", "META-INF/manifest.xml": manifest, **(more or {})}
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@dataclass(kw_only=True)
class Packed:
    """An entry of a forged zip file; its fields need not agree."""

    name: bytes
    data: bytes = b"text"
    method: int = 0
    flags: int = 0
    size: int | None = None
    checksum: int | None = None
    at: int | None = None  # where the directory says it begins
    local_name: bytes | None = None
    extra: bytes = b""
    mode: int = 0
    before: bytes = b""


def forge(entries, *, count=None):
    """A zip file of `Packed` entries, written byte by byte."""
    body, directory = b"", b""
    for entry in entries:
        body += entry.before
        at = len(body)
        raw = zlib.decompress(entry.data, -15) if entry.method and entry.size is None else entry.data
        size = len(raw) if entry.size is None else entry.size
        checksum = zlib.crc32(raw) if entry.checksum is None else entry.checksum
        local_name = entry.name if entry.local_name is None else entry.local_name
        if entry.at is None:
            body += struct.pack(
                "<4sHHHHHLLLHH", b"PK\3\4", 20, entry.flags, entry.method, 0, 33, checksum, len(entry.data), size,
                len(local_name), 0,
            ) + local_name + entry.data  # fmt: skip
        directory += struct.pack(
            "<4sHHHHHHLLLHHHHHLL", b"PK\1\2", 788, 20, entry.flags, entry.method, 0, 33, checksum, len(entry.data),
            size, len(entry.name), len(entry.extra), 0, 0, 0, entry.mode << 16, at if entry.at is None else entry.at,
        ) + entry.name + entry.extra  # fmt: skip
    count = len(entries) if count is None else count
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def zip64(files):
    """A zip file with the end records for more than 4 GB, which some programs always write."""
    plain = pack(files)
    _mark, count, size, offset = struct.unpack("<4s4xH2xLL2x", plain[-22:])
    record = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return plain[:-22] + record + locator + end


def zeros(size):
    """A number of zeros, deflated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    megabyte = bytes(1 << 20)
    return b"".join(packer.compress(megabyte) for _each in range(size >> 20)) + packer.flush()


def repeated_zeros(size):
    """As `zeros`, but quicker: the deflated form of 16 MB, repeated."""
    stretch = 16 << 20
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(stretch)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    return first * (size // stretch) + last


def overlapping(count=200, kernel=1 << 20):
    """A directory of many entries that share one content."""
    data = zeros(kernel)
    checksum = zlib.crc32(bytes(kernel))
    first = Packed(name=b"0.txt", data=data, method=8, size=kernel, checksum=checksum)
    rest = [
        Packed(name=f"{each}.txt".encode(), data=data, method=8, size=kernel, checksum=checksum, at=0)
        for each in range(1, count)
    ]
    return forge([first, *rest])
