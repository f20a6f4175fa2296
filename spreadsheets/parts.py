"""The parts of a workbook's zip that reading needs: the workbook, its sheets, shared texts and number formats.

They are found by their relationships, as Excel does, and where those are missing by their usual names. What else lies
in the zip (document properties, themes, drawings, comments, what other programs add) is never opened, so that it never
decides whether the workbook is read. Nothing of the site is imported here: the process that reads workbooks uses it.
"""

import posixpath
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from defusedxml.common import DefusedXmlException
from defusedxml.sax import parse

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_LIST_BYTES = 1024 * 1024  # of a list of parts; Excel's own have a few thousand
BROKEN = (SAXException, DefusedXmlException, ValueError, LookupError, zipfile.BadZipFile, NotImplementedError, EOFError)


class PartsError(ValueError):
    """A part that reading needs is missing, broken or there twice."""


@dataclass(frozen=True)
class Relation:
    """A line of a part's list of relationships: its id, the last word of its type, and the name of the other part."""

    id: str
    kind: str
    target: str


class Elements(ContentHandler):
    """Calls `start` with the path of each element, by names without prefix, and its attributes."""

    def __init__(self, start: Callable[[tuple[str, ...], Mapping[str, str]], None]) -> None:
        super().__init__()
        self.start, self.path = start, ()

    def startElement(self, tag: str, attributes: Mapping[str, str]) -> None:  # noqa: N802
        """Note where an element begins."""
        self.path = (*self.path, tag.rpartition(":")[2])
        self.start(self.path, attributes)

    def endElement(self, _tag: str) -> None:  # noqa: N802
        """Note where it ends."""
        self.path = self.path[:-1]


class Parts:
    """The parts of an open zip, by the names a package gives them: without regard to case or the kind of slash."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.entries: dict[str, list[zipfile.ZipInfo]] = {}
        self.broken_lists: set[str] = set()  # lists of parts that could not be read to their end
        for entry in archive.infolist():
            if not entry.is_dir():
                self.entries.setdefault(plain(entry.filename), []).append(entry)
        self.folded: dict[str, str] = {}
        for name in self.entries:
            self.folded.setdefault(name.casefold(), name)

    def find(self, name: str) -> str | None:
        """The name of a part as the zip has it; None where it has none."""
        for asked in (plain(name), plain(unquote(name))):
            found = asked if asked in self.entries else self.folded.get(asked.casefold())
            if found:
                return found
        return None

    def entry(self, name: str) -> zipfile.ZipInfo:
        """The entry of a part.

        Raises:
            PartsError: there are two of it, and programs disagree on which one counts.
        """
        if len(self.entries[name]) > 1:
            raise PartsError(name)
        return self.entries[name][0]

    def parse(self, name: str, handler: ContentHandler) -> None:
        """Read the XML of a part; it may declare no document type and no entity.

        Raises:
            PartsError: it cannot be read.
        """
        try:
            with self.archive.open(self.entry(name)) as file:
                parse(file, handler, forbid_dtd=True)
        except BROKEN as error:
            raise PartsError(name) from error

    def _read_list(self, name: str | None, start: Callable[[tuple[str, ...], Mapping[str, str]], None]) -> None:
        """Read a list of parts; of a broken one what stands before the break."""
        if not name:
            return
        try:
            if self.entries[name][0].file_size > MOST_LIST_BYTES:
                raise PartsError(name)
            self.parse(name, Elements(start))
        except PartsError:
            self.broken_lists.add(name)

    @cached_property
    def types(self) -> dict[str, str]:
        """Content types by part ("xl/workbook.xml") and by ending (".xml"), all in small letters."""
        types: dict[str, str] = {}

        def start(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
            kind = attributes.get("ContentType", "").lower()
            if path[1:] == ("Override",):
                types[plain(attributes.get("PartName", "")).casefold()] = kind
            elif path[1:] == ("Default",):
                types["." + attributes.get("Extension", "").casefold()] = kind

        self._read_list(self.find("[Content_Types].xml"), start)
        return types

    def type_of(self, name: str) -> str:
        """The content type of a part, in small letters."""
        return self.types.get(name.casefold()) or self.types.get(posixpath.splitext(name.casefold())[1], "")

    def relations(self, name: str) -> list[Relation]:
        """The parts another one names; "" asks for those of the whole package."""
        folder, base = posixpath.split(name)
        relations: list[Relation] = []

        def start(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
            if path[-1] == "Relationship" and attributes.get("TargetMode", "").lower() != "external":
                target = attributes.get("Target", "").replace("\\", "/")
                found = self.find(posixpath.join("/" + folder, target)) or self.find(target)
                kind = attributes.get("Type", "").rpartition("/")[2].lower()
                if found:
                    relations.append(Relation(attributes.get("Id", ""), kind, found))

        self._read_list(self.find(posixpath.join(folder, "_rels", f"{base}.rels")), start)
        return relations

    @cached_property
    def workbook(self) -> str | None:
        """The name of the workbook part; None where there is none."""
        named = [each.target for each in self.relations("") if each.kind == "officedocument"]
        typed = [name for name in self.entries if "sheet.main" in self.types.get(name.casefold(), "")]
        usual = [
            name for name in self.entries if posixpath.basename(name).casefold() in ("workbook.xml", "workbook.bin")
        ]
        return next(iter([*named, *typed, *usual]), None)

    @cached_property
    def of_workbook(self) -> list[Relation]:
        """The parts the workbook names."""
        return self.relations(self.workbook) if self.workbook else []

    def _beside(self, kind: str, usual: str) -> str | None:
        """The part of a kind that the workbook names, or the one with its usual name beside it."""
        named = [each.target for each in self.of_workbook if each.kind == kind.lower()]
        return named[0] if named else self.find(posixpath.join(posixpath.dirname(self.workbook or ""), usual))

    @property
    def strings(self) -> str | None:
        """The name of the part with the texts that cells share."""
        return self._beside("sharedStrings", "sharedStrings.xml")

    @property
    def styles(self) -> str | None:
        """The name of the part with the number formats."""
        return self._beside("styles", "styles.xml")

    @property
    def worksheets(self) -> list[str]:
        """The names of the parts that hold sheets of cells."""
        named = [each.target for each in self.of_workbook if each.kind == "worksheet"]
        folder = posixpath.join(posixpath.dirname(self.workbook or ""), "worksheets/").casefold()
        return named or [name for name in self.entries if posixpath.split(name)[0].casefold() + "/" == folder]

    def worksheet(self, relation: str, number: int) -> str | None:
        """The part of a sheet by its relation's id or, where the workbook names no parts, its number from 1.

        Raises:
            PartsError: it is missing.
        """
        found = next((each for each in self.of_workbook if each.id == relation), None)
        if found:
            return found.target if found.kind == "worksheet" else None  # charts have sheets too
        name = self.find(posixpath.join(posixpath.dirname(self.workbook or ""), "worksheets", f"sheet{number}.xml"))
        if name is None or self.of_workbook:
            raise PartsError(relation)
        return name

    def has_macros(self) -> bool:
        """Whether there is a macro in it, or the workbook says that it is of the kind with macros.

        A content type for parts that are not there is none, and a library may list one in every file it writes.
        """
        kinds = {each.kind for each in self.of_workbook}
        return (
            "macroenabled" in self.type_of(self.workbook or "")
            or bool(kinds & {"vbaproject", "xlmacrosheet", "xlintlmacrosheet"})
            or any(self._is_macro(name) for name in self.entries)
        )

    def _is_macro(self, name: str) -> bool:
        folded, kind = name.casefold(), self.type_of(name)
        if folded.endswith("vbaproject.bin") or "/macrosheets/" in f"/{folded}" or "macrosheet" in kind:
            return True
        return ("macro" in kind or "vbaproject" in kind) and (
            folded in self.types or folded.endswith(".xml") or self.begins(name).startswith(OLE)
        )

    def begins(self, name: str) -> bytes:
        """The first bytes of a part; nothing where there is no such part or it cannot be read."""
        found = self.find(name)
        try:
            with self.archive.open(self.entries[found or ""][0]) as file:
                return file.read(100)
        except BROKEN:
            return b""

    def needed(self) -> Iterator[tuple[str, str]]:
        """(kind, name) of each part that reading opens: "workbook", "sheet", "strings", "styles"."""
        yield "workbook", self.workbook or ""
        yield from (("sheet", name) for name in dict.fromkeys(self.worksheets))
        for kind, name in (("strings", self.strings), ("styles", self.styles)):
            if name:
                yield kind, name


def plain(name: str) -> str:
    """The name of a part with its slashes forward and nothing before the first folder."""
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/")
