"""Reads a zip container that nobody vouches for: its directory first, then every entry to its end, none to the disk.

A container passes only where every unpacker finds the same entries in it: nothing before, between or behind them.
"""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from plan.file_names import clean_name, ending_of
from plan.file_refusals import MARKUP, RefusedFileError, damaged, mixed
from pmqa_tracker.upload_limit import MEGABYTE

MOST_ENTRIES = 5_000
LARGEST_DIRECTORY = 2 * MEGABYTE  # room for that many names of ordinary length
LARGEST_UNPACKED = 300 * MEGABYTE
HIGHEST_RATIO = 200  # unpacked to packed; office files, of which XML is the most, stay under 30
RATIO_COUNTS_FROM = 10 * MEGABYTE
PIECE = 256 * 1024
HEAD = 64  # bytes of an entry that tell what it is
KEPT = {  # entries that are read, by their name in lower case, and how much of them
    "mimetype": 256,
    "[content_types].xml": MEGABYTE,
    "_rels/.rels": 64 * 1024,
    "meta-inf/manifest.xml": MEGABYTE,
}

DIRECTORY_END = struct.Struct("<4s4xHHLLH")
DIRECTORY_END_64 = struct.Struct("<4s28xQQQ")
DIRECTORY_END_64_SIZE, LOCATOR_64_SIZE = 56, 20
LONGEST_COMMENT = 65_535
LOCAL_HEADER = struct.Struct("<4s2xHH4x4xLLHH")
LONGEST_DESCRIPTOR = 24  # bytes that may follow an entry: its sizes, where they were not known before
ENCRYPTED = 0x1 | 0x40 | 0x2000
SIZES_FOLLOW = 0x8
UTF_8 = 0x800
UNICODE_PATH = 0x7075


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file in a container: its name as most unpackers see it, and its first bytes (see `HEAD` and `KEPT`)."""

    name: str
    is_folder: bool
    is_packed: bool
    content: bytes


def read_archive(file: BinaryIO, name: str) -> list[Entry]:
    """The entries of a zip container in the order of their content, each read to its end and found to be whole.

    Raises:
        RefusedFileError: it is damaged, encrypted, larger than the limits above, or set to trap who unpacks it.
    """
    end = _directory_end(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            found = sorted(archive.infolist(), key=lambda info: info.header_offset)
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OSError) as error:
        raise damaged(name) from error
    _check_directory(found, name)
    entries = []
    at = 0
    try:
        for info in found:
            start = _start_of(file, info, at)
            at = start + info.compress_size
            if at > end:
                raise zipfile.BadZipFile
            entries.append(_read(file, info, start))
    except (zipfile.BadZipFile, struct.error, zlib.error, ValueError) as error:
        raise damaged(name) from error
    if end - at > LONGEST_DESCRIPTOR:
        raise mixed(name)
    return entries


def _directory_end(file: BinaryIO, name: str) -> int:
    """Where the entries end and the directory begins; sees before reading the directory that it is not too large.

    Raises:
        RefusedFileError: there is none, it is too large, or other content stands before or behind the container.
    """
    length = file.seek(0, 2)
    file.seek(max(0, length - DIRECTORY_END.size - LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + DIRECTORY_END.size > len(tail):
        raise damaged(name)
    _mark, _here, count, size, offset, comment = DIRECTORY_END.unpack_from(tail, at)
    if at + DIRECTORY_END.size + comment != len(tail) or MARKUP.search(tail, at):
        raise mixed(name)
    end = length - len(tail) + at
    before = at - LOCATOR_64_SIZE - DIRECTORY_END_64_SIZE
    if tail[at - LOCATOR_64_SIZE : at].startswith(b"PK\6\7"):
        if before < 0 or tail[before : before + 4] != b"PK\6\6":
            raise damaged(name)
        _mark, count, size, offset = DIRECTORY_END_64.unpack_from(tail, before)
        end -= LOCATOR_64_SIZE + DIRECTORY_END_64_SIZE
    if count > MOST_ENTRIES or size > LARGEST_DIRECTORY:
        raise _too_much(name)
    if offset + size != end:
        raise mixed(name)
    return offset


def _check_directory(found: list[zipfile.ZipInfo], name: str) -> None:
    """See that what the directory tells is within the limits and harmless to unpack.

    Raises:
        RefusedFileError: it is not.
    """
    if any(info.flag_bits & ENCRYPTED for info in found):
        raise locked(name)
    total = sum(info.file_size for info in found)
    packed = sum(info.compress_size for info in found)
    if len(found) > MOST_ENTRIES or total > LARGEST_UNPACKED:
        raise _too_much(name)
    if total > RATIO_COUNTS_FROM and total > packed * HIGHEST_RATIO:
        raise _too_much(name)
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in found):
        raise RefusedFileError(
            _("“%(name)s” is packed in a way that cannot be checked. Pack it again as an ordinary ZIP file."), name=name
        )
    seen = set()
    for info in found:
        for entry in {info.orig_filename, info.filename, *_unicode_path(info)}:
            if ending_of(clean_name(entry)) != ending_of(clean_name(info.filename)):
                raise damaged(name)
            if _leads_out(entry) or stat.S_ISLNK(info.external_attr >> 16):
                raise RefusedFileError(
                    _("“%(name)s” holds “%(entry)s”, which would not stay in its folder. Pack it again without that."),
                    name=name,
                    entry=shown(entry),
                )
        key = unicodedata.normalize("NFC", info.filename).casefold().rstrip("/. ")
        if key in seen:
            raise RefusedFileError(
                _("“%(name)s” holds “%(entry)s” twice. Pack it again with one of each name."),
                name=name,
                entry=shown(info.filename),
            )
        seen.add(key)


def _leads_out(entry: str) -> bool:
    """Whether a name could be unpacked elsewhere than under its folder, on whatever system."""
    return (
        "\\" in entry
        or "\0" in entry
        or not entry
        or entry.startswith("/")
        or bool(re.match(r"[a-z]:", entry, re.IGNORECASE))
        or ".." in (part.strip() for part in entry.split("/"))
    )


def _unicode_path(info: zipfile.ZipInfo) -> Iterator[str]:
    """The other name that an entry may carry, which some unpackers prefer."""
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == UNICODE_PATH:
            yield extra[9 : 4 + length].decode(errors="replace")
        extra = extra[4 + length :]


def _start_of(file: BinaryIO, info: zipfile.ZipInfo, free_from: int) -> int:
    """Where the content of an entry starts.

    Raises:
        zipfile.BadZipFile, struct.error: its own header is not what the directory says, or it does not follow the
        entry before, which ends at `free_from`, without a gap.
    """
    gap = info.header_offset - free_from
    if not 0 <= gap <= (LONGEST_DESCRIPTOR if free_from else 0):
        raise zipfile.BadZipFile
    file.seek(info.header_offset)
    mark, flags, method, packed, size, name_length, extra_length = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    local_name = file.read(name_length).decode("utf-8" if flags & UTF_8 else "cp437")
    sizes_agree = flags & SIZES_FOLLOW or (
        packed in (info.compress_size, 0xFFFFFFFF) and size in (info.file_size, 0xFFFFFFFF)
    )
    if (
        mark != b"PK\3\4"
        or flags & ENCRYPTED
        or method != info.compress_type
        or local_name != info.orig_filename
        or not sizes_agree
    ):
        raise zipfile.BadZipFile
    return info.header_offset + LOCAL_HEADER.size + name_length + extra_length


def _read(file: BinaryIO, info: zipfile.ZipInfo, start: int) -> Entry:
    """Read an entry to its end and keep its first bytes.

    Raises:
        zipfile.BadZipFile, zlib.error: its size or its checksum is not what the directory says.
    """
    kept = KEPT.get(info.filename.lower(), HEAD)
    content = b""
    size = checksum = 0
    file.seek(start)
    for piece in _unpacked(file, info):
        size += len(piece)
        if size > info.file_size:
            raise zipfile.BadZipFile
        checksum = zlib.crc32(piece, checksum)
        if len(content) < kept:
            content += piece[: kept - len(content)]
    if size != info.file_size or (size and info.is_dir()) or checksum != info.CRC:
        raise zipfile.BadZipFile
    return Entry(
        name=info.filename,
        is_folder=info.is_dir(),
        is_packed=info.compress_type != zipfile.ZIP_STORED,
        content=content,
    )


def _unpacked(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """What an entry unpacks to from here, in small pieces.

    Not by `ZipFile.open`, which stops at the size that the directory declares and tells nothing of what follows.

    Raises:
        zipfile.BadZipFile, zlib.error: it ends too early or too late.
    """
    left = info.compress_size
    if info.compress_type == zipfile.ZIP_STORED:
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
        return
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    raw = b""
    while left or raw or not (unpacker.eof or info.compress_size == 0):
        if not raw:
            raw = file.read(min(PIECE, left))
            left -= len(raw)
        is_last = not raw
        piece = unpacker.decompress(raw, PIECE)
        raw = unpacker.unconsumed_tail
        if unpacker.unused_data or (unpacker.eof and left) or (is_last and not piece and not unpacker.eof):
            raise zipfile.BadZipFile
        yield piece


def shown(entry: str) -> str:
    """The name of an entry as a sentence can quote it."""
    seen = "".join(each if each.isprintable() else "�" for each in entry)
    return seen if len(seen) <= 80 else f"…{seen[-79:]}"


def locked(name: str) -> RefusedFileError:
    """The refusal of a file that only opens with a password."""
    return RefusedFileError(
        _("“%(name)s” is locked with a password. Save it without one and choose the new file."), name=name
    )


def _too_much(name: str) -> RefusedFileError:
    return RefusedFileError(
        _("“%(name)s” unpacks to more than can be checked. Choose fewer or smaller files, or give a link instead."),
        name=name,
    )
