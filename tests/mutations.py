"""Damage a workbook at random, reproducibly for a seed: in its bytes, zip entries, parts, XML, types and sizes."""

import lzma
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

from tests.odd_workbooks import ODDITIES, STRINGS, TYPES, packed, unpacked

ODD = ("", "ก" * 5_000, "\u0e33\u0e4d", "=1+1", "1e309", "-1", "NaN", "&#xD800;", "_x0000_", "A1:XFD1048576", "\u202e")
NUMBERS = re.compile(rb"\d+")
TAGS = re.compile(rb"<[^<>]+>")


NAMES = (
    "",
    "../a.xml",
    "/etc/passwd",
    "xl/worksheets/sheet1.xml",
    "XL/WORKBOOK.XML",
    "ก" * 300,
    "a\\b",
    "xl/",
    "x\x01",
)
TEXT_KINDS = ("s", "b", "e", "d", "str", "n", "inlineStr", "", "x")
ENCODINGS = ("utf-16", "utf-16-le", "cp874", "latin-1", "utf-7", "none")
DIRECTORY_FIELDS = ((8, "H"), (10, "H"), (16, "L"), (20, "L"), (24, "L"), (28, "H"), (30, "H"), (42, "L"))
MEGABYTE = 1024 * 1024
SPOILT = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, NotImplementedError),
    *(RuntimeError, ValueError, LookupError, AssertionError),
)


def mutated(data: bytes, seed: int) -> bytes:
    """Return a damaged copy of a workbook."""
    chance = random.Random(seed)  # noqa: S311 - reproducible
    ways = (_flip, _cut, _directory, _entry, _size, _type, _xml, _odd, _part, _part, _part, _part)
    for _each in range(chance.choice((1, 1, 1, 2, 3))):
        try:
            data = chance.choice(ways)(data, chance)
        except SPOILT:
            return data  # an earlier damage leaves nothing that can be damaged in this way
    return data


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _each in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] if chance.random() < 0.5 else data[:start] + data[start + chance.randint(1, 400) :]


def _directory(data: bytes, chance: random.Random) -> bytes:
    """Overwrite a field of an entry in the directory of the zip file: flags, method, checksum, sizes, position."""
    places = [match.start() for match in re.finditer(rb"PK\x01\x02", data)]
    offset, kind = chance.choice(DIRECTORY_FIELDS)
    changed = bytearray(data)
    value = chance.choice((0, 1, 8, 99, 2 ** (16 if kind == "H" else 32) - 1))
    struct.pack_into(f"<{kind}", changed, chance.choice(places) + offset, value)
    return bytes(changed)


def _entry(data: bytes, chance: random.Random) -> bytes:
    """Rename, repeat, swap, reorder or add entries, or pack them by another method."""
    entries = list(unpacked(data).items())
    place, other = chance.randrange(len(entries)), chance.randrange(len(entries))
    how = chance.randrange(6)
    if how == 0:
        entries[place] = (chance.choice(NAMES), entries[place][1])
    elif how == 1:
        entries.insert(chance.randrange(len(entries)), (entries[place][0], entries[other][1]))
    elif how == 2:
        (name, content), (other_name, other_content) = entries[place], entries[other]
        entries[place], entries[other] = (name, other_content), (other_name, content)
    elif how == 3:
        chance.shuffle(entries)
    elif how == 4:
        entries += [(f"xl/more/{number}.xml", b"<a/>") for number in range(chance.choice((10, 490, 600)))]
    method = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in entries:
            archive.writestr(name or "-", content)
    return file.getvalue()


def _size(data: bytes, chance: random.Random) -> bytes:
    """Make a part, a text, a row or the whole file huge."""
    parts = unpacked(data)
    name = chance.choice([name for name in parts if name.endswith((".xml", ".rels"))])
    content = parts[name]
    more = chance.choice(
        (
            b" " * (chance.choice((1, 30)) * MEGABYTE),
            b"<row>" + b"<c><v>1</v></c>" * chance.choice((200, 20_000, 500_000)) + b"</row>",
            b'<row r="1"/>' * chance.choice((100, 9_000, 90_000)),
            b"<a>" * 20_000 + b"</a>" * 20_000,
            b"<!--" + b"x" * MEGABYTE + b"-->",
            b"<t>" + "\u0e01".encode() * 40_000 + b"</t>",
            random.Random(1).randbytes(11 * MEGABYTE),  # noqa: S311 - cannot be packed smaller
        )
    )
    ends = [match.start() for match in re.finditer(rb"</", content)] or [len(content)]
    place = chance.choice(ends)
    return packed(parts | {name: content[:place] + more + content[place:]})


def _type(data: bytes, chance: random.Random) -> bytes:
    """Swap the types of cells, their styles, the content types of parts or their relationships."""
    parts = unpacked(data)
    how = chance.randrange(4)
    if how == 0:
        name = chance.choice([name for name in parts if "/worksheets/sheet" in name and name.endswith(".xml")])
        kind, share = chance.choice(TEXT_KINDS), chance.random()
        swap = lambda match: f' t="{kind}"'.encode() if chance.random() < share else match[0]  # noqa: E731
        parts[name] = re.sub(rb' t="\w+"', swap, parts[name])
    elif how == 1:
        name = chance.choice([name for name in parts if "/worksheets/sheet" in name and name.endswith(".xml")])
        number = chance.choice((1, 999, -1, 10**12))
        parts[name] = re.sub(rb' s="\d+"', f' s="{number}"'.encode(), parts[name])
    elif how == 2:
        kinds = re.findall(rb'ContentType="([^"]*)"', parts[TYPES])
        parts[TYPES] = re.sub(
            rb'ContentType="[^"]*"', lambda _m: b'ContentType="%s"' % chance.choice(kinds), parts[TYPES]
        )
    else:
        name = chance.choice([name for name in parts if name.endswith(".rels")])
        targets = [*re.findall(rb'Target="([^"]*)"', parts[name]), b"../../../etc/passwd", b"", STRINGS.encode()]
        parts[name] = re.sub(rb'Target="[^"]*"', lambda _m: b'Target="%s"' % chance.choice(targets), parts[name])
    return packed(parts)


def _xml(data: bytes, chance: random.Random) -> bytes:
    """Break the XML of a part: entities, encodings, characters, attributes and namespaces."""
    parts = unpacked(data)
    name = chance.choice([name for name in parts if name.endswith((".xml", ".rels"))])
    content = parts[name]
    how = chance.randrange(7)
    if how == 0:
        content = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + content
    elif how == 1:
        encoding = chance.choice(ENCODINGS)
        content = re.sub(rb"^<\?xml[^>]*\?>", b"", content)
        content = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + content
    elif how == 2:
        content = content.decode().encode("utf-16")
    elif how == 3:
        content = _replace_one(content, re.compile(rb">[^<>]+<"), b">&undefined;\x00\xff<", chance)
    elif how == 4:
        content = _replace_one(content, re.compile(rb' \w+="[^"]*"'), b' r="' + b"9" * 70_000 + b'"', chance)
    elif how == 5:
        content = _replace_one(content, re.compile(rb' xmlns(:\w+)?="[^"]*"'), b"", chance)
    else:
        content = content.replace(b"<row ", b"<!-- <row -->\n<![CDATA[ <row ]]><row ", 3)
    return packed(parts | {name: content})


def _odd(data: bytes, chance: random.Random) -> bytes:
    """Write the workbook as another program does, which later damage may spoil."""
    return ODDITIES[chance.choice(sorted(ODDITIES))](data)


def _part(data: bytes, chance: random.Random) -> bytes:
    """Damage one part of the zip file."""
    with zipfile.ZipFile(BytesIO(data)) as parts:
        held = {name: parts.read(name) for name in parts.namelist()}
    name = chance.choice(sorted(held))
    how: Callable[[bytes, random.Random], bytes] = chance.choice((_number, _tag, _text, _swap, _double))
    changed = how(held[name], chance)
    if chance.random() < 0.08:
        del held[name]
    else:
        held[name] = changed
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        for each, content in held.items():
            parts.writestr(each, content)
    return file.getvalue()


def _replace_one(content: bytes, pattern: re.Pattern[bytes], with_what: bytes, chance: random.Random) -> bytes:
    places = list(pattern.finditer(content))
    if not places:
        return content
    match = chance.choice(places)
    return content[: match.start()] + with_what + content[match.end() :]


def _number(content: bytes, chance: random.Random) -> bytes:
    return _replace_one(content, NUMBERS, str(chance.choice((0, -1, 99999999, 1048577, 7.5))).encode(), chance)


def _tag(content: bytes, chance: random.Random) -> bytes:
    return _replace_one(content, TAGS, b"", chance)


def _text(content: bytes, chance: random.Random) -> bytes:
    return _replace_one(content, re.compile(rb">[^<>]+<"), f">{chance.choice(ODD)}<".encode(), chance)


def _swap(content: bytes, chance: random.Random) -> bytes:
    tags = list(TAGS.finditer(content))
    if len(tags) < 2:
        return content
    first, second = sorted(chance.sample(range(len(tags)), 2))
    one, two = tags[first], tags[second]
    between = content[one.end() : two.start()]
    return content[: one.start()] + two.group() + between + one.group() + content[two.end() :]


def _double(content: bytes, chance: random.Random) -> bytes:
    return _replace_one(content, TAGS, chance.choice(TAGS.findall(content) or [b""]) * chance.randint(2, 40), chance)
