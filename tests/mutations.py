"""Damage a workbook at random, reproducibly for a seed: in its bytes, parts or XML."""

import random
import re
import zipfile
from collections.abc import Callable
from io import BytesIO

ODD = ("", "ก" * 5_000, "\u0e33\u0e4d", "=1+1", "1e309", "-1", "NaN", "&#xD800;", "_x0000_", "A1:XFD1048576", "\u202e")
NUMBERS = re.compile(rb"\d+")
TAGS = re.compile(rb"<[^<>]+>")


def mutated(data: bytes, seed: int) -> bytes:
    """Return a damaged copy of a workbook."""
    chance = random.Random(seed)  # noqa: S311 - reproducible
    how = chance.choice((_flip, _cut, _part, _part, _part, _part))
    return how(data, chance)


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _each in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] if chance.random() < 0.5 else data[:start] + data[start + chance.randint(1, 400) :]


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
