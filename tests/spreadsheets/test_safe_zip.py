"""Checks of zip files before and during unpacking; each trap is refused for its own reason."""

import io
import random
import struct
import zipfile
import zlib
from dataclasses import replace

import pytest

from spreadsheets.safe_zip import UnsafeZipError, ZipLimits, ZipProblem, names_of, open_zip, read_strictly
from tests.plan.evidence.packing import Packed, forge, overlapping, pack, zeros

LIMITS = ZipLimits(entries=5, unpacked=1 << 21, ratio=100, ratio_from=1 << 18)
TWO = {"a.txt": "first", "b.txt": "second" * 100}


def deflated(content, *, behind=b""):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush() + behind


def forged(content=b"text", **entry):
    return forge([Packed(name=b"a.txt", data=content, **entry)])


def with_gap():
    """Return a zip file with other content between its entry and its directory."""
    data = forged()
    at, end = data.index(b"PK\1\2"), bytearray(data[-22:])
    struct.pack_into("<L", end, 16, at + 25)
    return data[:at] + bytes(25) + data[at:-22] + bytes(end)


NOT_OPENED = {
    "nothing": (b"", ZipProblem.DAMAGED),
    "no directory": (pack(TWO)[:-30], ZipProblem.DAMAGED),
    "an entry without a name": (forge([Packed(name=b"\0")]), ZipProblem.DAMAGED),
    "a password": (forged(flags=1), ZipProblem.ENCRYPTED),
    "a hidden directory": (forged(flags=0x2000), ZipProblem.ENCRYPTED),
    "too many entries": (pack({str(number): "" for number in range(6)}), ZipProblem.TOO_LARGE),
    "more entries than it counts": (
        forge([Packed(name=b"%d" % number) for number in range(6)], count=1),
        ZipProblem.TOO_LARGE,
    ),
    "a large directory": (
        forge([Packed(name=b"%d" % number + b"x" * 60_000) for number in range(40)], count=1),
        ZipProblem.TOO_LARGE,
    ),
    "too many bytes": (pack({"a": bytes(1 << 21), "b": "b"}), ZipProblem.TOO_LARGE),
    "zeros": (forge([Packed(name=b"0", data=zeros(1 << 20), method=8, size=1 << 20)]), ZipProblem.TOO_LARGE),
    "shared content": (overlapping(2, kernel=1 << 10), ZipProblem.DAMAGED),
}
NOT_READ = {
    "content before": (b"PK\3\4" + pack(TWO), ZipProblem.HIDDEN_CONTENT),
    "content behind": (pack(TWO) + b"more", ZipProblem.HIDDEN_CONTENT),
    "content before the directory": (with_gap(), ZipProblem.HIDDEN_CONTENT),
    "content between": (forge([Packed(name=b"a"), Packed(name=b"b", before=bytes(25))]), ZipProblem.DAMAGED),
    "content behind a packed entry": (forged(deflated(b"a", behind=b"more"), method=8), ZipProblem.DAMAGED),
    "a packed entry that is cut": (
        forged(deflated(b"text")[:-1], method=8, size=4, checksum=zlib.crc32(b"text")),
        ZipProblem.DAMAGED,
    ),
    "a wrong size": (forged(size=3), ZipProblem.DAMAGED),
    "a wrong checksum": (forged(checksum=1), ZipProblem.DAMAGED),
    "another name inside": (forged(local_name=b"b.txt"), ZipProblem.DAMAGED),
    "patches": (forged(flags=0x20), ZipProblem.UNKNOWN_METHOD),
    "another packer": (pack(TWO, compression=zipfile.ZIP_BZIP2), ZipProblem.UNKNOWN_METHOD),
    "a path upwards": (pack({"a/../../b": ""}), ZipProblem.LEAVES_FOLDER),
    "a path from the root": (pack({"/a": ""}), ZipProblem.LEAVES_FOLDER),
    "a drive": (pack({"c:a": ""}), ZipProblem.LEAVES_FOLDER),
    "a backslash": (pack({"a\\b": ""}), ZipProblem.LEAVES_FOLDER),
    "a link": (forged(mode=0o120777), ZipProblem.LEAVES_FOLDER),
    "one name twice": (pack({"น้ำ/A": "", "น้ำ/a": ""}), ZipProblem.DUPLICATE_NAME),
}


def read(data, limits=LIMITS):
    file = io.BytesIO(data)
    with open_zip(file, limits) as archive:
        return read_strictly(file, archive)


@pytest.mark.parametrize("trap", NOT_OPENED)
def test_zip_is_not_opened(trap):
    data, problem = NOT_OPENED[trap]
    with pytest.raises(UnsafeZipError) as refused:
        open_zip(io.BytesIO(data), LIMITS)
    assert refused.value.problem == problem


@pytest.mark.parametrize("trap", NOT_READ)
def test_zip_is_opened_but_not_read_strictly(trap):
    data, problem = NOT_READ[trap]
    open_zip(io.BytesIO(data), LIMITS)
    with pytest.raises(UnsafeZipError) as refused:
        read(data)
    assert refused.value.problem == problem


def test_entries_are_read_in_their_order_with_their_start():
    found = [(entry.info.filename, entry.start) for entry in read(pack({"b": "first", "a": bytes(300), "c/": ""}))]
    assert found == [("b", b"first"), ("a", bytes(256)), ("c/", b"")]


def test_start_of_an_entry_is_complete_even_if_its_bytes_come_one_by_one():
    """Empty blocks after each letter fill more than a piece; a program could pass as text otherwise."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    content, data = b"MZ" + bytes(100), b""
    for letter in (content[:1], content[1:2], content[2:]):
        data += packer.compress(letter) + packer.flush(zlib.Z_FULL_FLUSH) + b"\0\0\0\xff\xff" * 60_000
    data += packer.flush()
    (entry,) = read(forged(data, method=8, size=len(content), checksum=zlib.crc32(content)))
    assert entry.start == content


def test_ratio_applies_to_the_file_or_to_each_entry():
    data = pack({"a": bytes(1 << 19), "b": random.Random(1).randbytes(1 << 15)})  # noqa: S311 - the same each time
    assert len(read(data)) == 2
    with pytest.raises(UnsafeZipError):
        open_zip(io.BytesIO(data), replace(LIMITS, is_ratio_per_entry=True))


def test_names_of_an_entry_include_every_name_programs_use():
    extra = b"\x75\x70\x0a\x00\x01\0\0\0\0a.exe"
    (info,) = zipfile.ZipFile(io.BytesIO(forge([Packed(name=b"b.txt\0.js", extra=extra)]))).infolist()
    assert names_of(info) == {"b.txt", "b.txt\0.js", "a.exe"}
