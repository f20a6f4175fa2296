"""Check a zip file before anything is unpacked from it: sizes, passwords, overlaps, names and hidden content.

`open_zip` reads only the directory; use it for files that many programs write. `read_strictly` also unpacks every
entry, piece by piece and not to disk, and accepts only a zip file that every program unpacks to the same content.
"""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import BinaryIO, NamedTuple

START_BYTES = 256  # returned of each entry
DIRECTORY_BYTES = 2 * 1024 * 1024  # room for 5,000 names of ordinary length
PIECE_BYTES = 256 * 1024
COMMENT_BYTES = 65_535
DESCRIPTOR_BYTES = 24  # sizes after an entry whose sizes were unknown at first

END_RECORD = struct.Struct("<4s4xHHLLH")
END_RECORD_64 = struct.Struct("<4s28xQQQ")
END_RECORDS_64_BYTES = 56 + 20  # the record and its locator
LOCAL_HEADER = struct.Struct("<4s2xHH4x4xLLHH")
UNKNOWN_SIZE = 0xFFFFFFFF  # the size is in another field
ENCRYPTED = 0x1 | 0x40 | 0x2000
SIZES_FOLLOW = 0x8
PATCHED = 0x20
UTF_8 = 0x800
UNICODE_PATH = 0x7075


class ZipProblem(Enum):
    """Why a zip file is refused."""

    DAMAGED = auto()
    ENCRYPTED = auto()
    TOO_LARGE = auto()
    HIDDEN_CONTENT = auto()
    UNKNOWN_METHOD = auto()
    LEAVES_FOLDER = auto()
    DUPLICATE_NAME = auto()


class UnsafeZipError(Exception):
    """A zip file that must not be unpacked; `entry` is the name of the bad entry, or empty."""

    def __init__(self, problem: ZipProblem, entry: str = "") -> None:
        super().__init__(problem, entry)
        self.problem, self.entry = problem, entry


@dataclass(frozen=True, kw_only=True)
class ZipLimits:
    """Limits of a zip file.

    Attributes:
        entries: number of entries.
        unpacked: total unpacked bytes.
        ratio: unpacked bytes per packed byte, if there are more than `ratio_from` unpacked bytes.
        is_ratio_per_entry: whether the ratio applies to each entry instead of the whole file.
    """

    entries: int
    unpacked: int
    ratio: int
    ratio_from: int
    is_ratio_per_entry: bool = False


class ZipEntry(NamedTuple):
    """An entry that was unpacked, and its first bytes."""

    info: zipfile.ZipInfo
    start: bytes


class _EndRecord(NamedTuple):
    """End record of a zip file: number of entries, size and offset of the directory, own position, end of the file."""

    count: int
    size: int
    offset: int
    position: int
    file_end: int


def open_zip(file: BinaryIO, limits: ZipLimits) -> zipfile.ZipFile:
    """Open a zip file after a check of its directory.

    Raises:
        UnsafeZipError: the directory exceeds the limits, or lists encrypted or overlapping entries.
    """
    end = _read_end_record(file)
    if end.count > limits.entries or end.size > DIRECTORY_BYTES:
        raise UnsafeZipError(ZipProblem.TOO_LARGE)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OSError) as error:
        raise UnsafeZipError(ZipProblem.DAMAGED) from error
    _check_directory(archive.infolist(), end, limits)
    return archive


def read_strictly(file: BinaryIO, archive: zipfile.ZipFile) -> list[ZipEntry]:
    """Read an open zip file to its end and return its entries in the order of their content.

    Raises:
        UnsafeZipError: an entry is damaged, differs from the directory or has an unsafe name, or there is other content
            before, between or after the entries.
    """
    end = _read_end_record(file)
    if end.offset + end.size != end.position or end.file_end != file.seek(0, 2):
        raise UnsafeZipError(ZipProblem.HIDDEN_CONTENT)
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    _check_names(infos)
    entries = []
    position = 0
    try:
        for info in infos:
            position = _find_content(file, info, position)
            entries.append(ZipEntry(info, _read_content(file, info)))
            position += info.compress_size
    except (zipfile.BadZipFile, struct.error, zlib.error, UnicodeError) as error:
        raise UnsafeZipError(ZipProblem.DAMAGED) from error
    if not 0 <= end.offset - position <= DESCRIPTOR_BYTES:
        raise UnsafeZipError(ZipProblem.HIDDEN_CONTENT if position < end.offset else ZipProblem.DAMAGED)
    return entries


def names_of(info: zipfile.ZipInfo) -> set[str]:
    """Return all names of an entry; programs differ in which one they use."""
    names = {info.filename, info.orig_filename}
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == UNICODE_PATH:
            names.add(extra[9 : 4 + length].decode(errors="replace"))
        extra = extra[4 + length :]
    return names


def _read_end_record(file: BinaryIO) -> _EndRecord:
    """Find the end record of a zip file, or the end record for large files before it."""
    length = file.seek(0, 2)
    file.seek(max(0, length - END_RECORD.size - COMMENT_BYTES))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + END_RECORD.size > len(tail):
        raise UnsafeZipError(ZipProblem.DAMAGED)
    _mark, _count_here, count, size, offset, comment = END_RECORD.unpack_from(tail, at)
    start = length - len(tail)
    file_end = start + at + END_RECORD.size + comment
    if at >= END_RECORDS_64_BYTES and tail.startswith(b"PK\6\7", at - 20):
        at -= END_RECORDS_64_BYTES
        mark, count, size, offset = END_RECORD_64.unpack_from(tail, at)
        if mark != b"PK\6\6":
            raise UnsafeZipError(ZipProblem.DAMAGED)
    return _EndRecord(count=count, size=size, offset=offset, position=start + at, file_end=file_end)


def _check_directory(infos: list[zipfile.ZipInfo], end: _EndRecord, limits: ZipLimits) -> None:
    """Check the sizes, flags and positions in the directory, before any entry is read."""
    if any(info.flag_bits & ENCRYPTED for info in infos):
        raise UnsafeZipError(ZipProblem.ENCRYPTED)
    sizes = [(info.file_size, info.compress_size) for info in infos]
    total = (sum(unpacked for unpacked, _packed in sizes), sum(packed for _unpacked, packed in sizes))
    if len(infos) > limits.entries or total[0] > limits.unpacked:
        raise UnsafeZipError(ZipProblem.TOO_LARGE)
    for unpacked, packed in sizes if limits.is_ratio_per_entry else [total]:
        if unpacked > limits.ratio_from and unpacked > limits.ratio * max(packed, 1):
            raise UnsafeZipError(ZipProblem.TOO_LARGE)
    position = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if not info.filename or info.header_offset < position:
            raise UnsafeZipError(ZipProblem.DAMAGED)
        position = info.header_offset + LOCAL_HEADER.size + info.compress_size
    if position > end.file_end:
        raise UnsafeZipError(ZipProblem.DAMAGED)


def _check_names(infos: list[zipfile.ZipInfo]) -> None:
    """Check that each entry stays in its folder, has a unique name, and can be unpacked."""
    seen = set()
    for info in infos:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & PATCHED:
            raise UnsafeZipError(ZipProblem.UNKNOWN_METHOD)
        for name in names_of(info):
            if _leaves_folder(name) or stat.S_ISLNK(info.external_attr >> 16):
                raise UnsafeZipError(ZipProblem.LEAVES_FOLDER, name)
        key = unicodedata.normalize("NFC", info.filename).casefold().rstrip("/. ")
        if key in seen:
            raise UnsafeZipError(ZipProblem.DUPLICATE_NAME, info.filename)
        seen.add(key)


def _leaves_folder(name: str) -> bool:
    """Return whether any system could unpack a name outside its folder."""
    return (
        not name
        or name.startswith("/")
        or bool(re.search(r"[\\\0]|^[a-z]:", name, re.IGNORECASE))
        or ".." in (part.strip() for part in name.split("/"))
    )


def _find_content(file: BinaryIO, info: zipfile.ZipInfo, position: int) -> int:
    """Check the local header of an entry, seek to its content, and return the position of the content.

    The header must agree with the directory, and follow the previous entry, which ends at `position`.
    """
    gap = info.header_offset - position
    file.seek(info.header_offset)
    mark, flags, method, packed, size, name_length, extra_length = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    name = file.read(name_length).decode("utf-8" if flags & UTF_8 else "cp437")
    sizes_agree = flags & SIZES_FOLLOW or (
        packed in (info.compress_size, UNKNOWN_SIZE) and size in (info.file_size, UNKNOWN_SIZE)
    )
    if (
        not 0 <= gap <= (DESCRIPTOR_BYTES if position else 0)
        or mark != b"PK\3\4"
        or flags & ENCRYPTED
        or method != info.compress_type
        or name != info.orig_filename
        or not sizes_agree
    ):
        raise zipfile.BadZipFile
    return file.seek(extra_length, 1)


def _read_content(file: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """Unpack an entry to its end, compare its size and checksum with the directory, and return its first bytes."""
    start = b""
    size = checksum = 0
    for piece in _unpack(file, info):
        size += len(piece)
        if size > info.file_size:
            raise zipfile.BadZipFile
        checksum = zlib.crc32(piece, checksum)
        start += piece[: START_BYTES - len(start)]
    if size != info.file_size or (size and info.is_dir()) or checksum != info.CRC:
        raise zipfile.BadZipFile
    return start


def _unpack(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack an entry in small pieces. `ZipFile.open` would stop at the size in the directory."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    left = info.compress_size
    while left:
        raw = file.read(min(PIECE_BYTES, left))
        if not raw or unpacker.eof:
            raise zipfile.BadZipFile
        left -= len(raw)
        if info.compress_type == zipfile.ZIP_STORED:
            yield raw
            continue
        while raw:
            yield unpacker.decompress(raw, PIECE_BYTES)
            raw = unpacker.unconsumed_tail
    if info.compress_type == zipfile.ZIP_DEFLATED and info.compress_size:
        yield unpacker.flush()
        if not unpacker.eof or unpacker.unused_data:
            raise zipfile.BadZipFile
