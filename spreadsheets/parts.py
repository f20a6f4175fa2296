"""The parts in the zip file of an Office document: types, relationships, macros, and the parts of a workbook.

Parts are found by their relationships, as in Excel, or by their usual names if relationships are missing. Other parts
(properties, themes, drawings, comments) are not opened, so a broken one does no harm. The process that reads workbooks
imports this module, so it imports nothing from the site.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import IO
from urllib.parse import unquote
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from defusedxml.common import DefusedXmlException
from defusedxml.sax import parse

OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_LIST_BYTES = 1024 * 1024  # of a list of parts; Excel writes a few thousand bytes
BROKEN = (
    *(SAXException, DefusedXmlException, ValueError, LookupError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError),
)


class PartsError(ValueError):
    """A required part is missing or broken, or two parts have the same name."""


@dataclass(frozen=True)
class Relation:
    """A relationship of a part: its id, the last word of its type in lower case, and the name of the other part."""

    id: str
    kind: str
    target: str


class Elements(ContentHandler):
    """Call `start` with the path (element names without prefix) and the attributes of each element."""

    def __init__(self, start: Callable[[tuple[str, ...], Mapping[str, str]], None]) -> None:
        super().__init__()
        self.start, self.path = start, ()

    def startElement(self, tag: str, attributes: Mapping[str, str]) -> None:  # noqa: N802
        """Add the element to the path and call `start`."""
        self.path = (*self.path, tag.rpartition(":")[2])
        self.start(self.path, attributes)

    def endElement(self, _tag: str) -> None:  # noqa: N802
        """Remove the element from the path."""
        self.path = self.path[:-1]


class Parts:
    """The parts in an open zip file; names match regardless of case and the direction of slashes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.entries: dict[str, list[zipfile.ZipInfo]] = {}
        self.broken_lists: set[str] = set()  # lists that could not be read to the end
        for entry in archive.infolist():
            if not entry.is_dir():
                self.entries.setdefault(normalize(entry.filename), []).append(entry)
        self.folded: dict[str, str] = {}
        for name in self.entries:
            self.folded.setdefault(name.casefold(), name)

    def find(self, name: str) -> str | None:
        """Return the name of a part as written in the zip file; None if there is no such part."""
        for asked in (normalize(name), normalize(unquote(name))):
            found = asked if asked in self.entries else self.folded.get(asked.casefold())
            if found:
                return found
        return None

    def entry(self, name: str) -> zipfile.ZipInfo:
        """Return the zip entry of a part.

        Raises:
            PartsError: two entries have the same name, and programs disagree on which one counts.
        """
        if len(self.entries[name]) > 1:
            raise PartsError(name)
        return self.entries[name][0]

    def open(self, entry: zipfile.ZipInfo) -> IO[bytes]:
        """Open an entry to read its content.

        Raises:
            PartsError: it is packed by a method that no office program uses; LZMA can ask for gigabytes of memory.
        """
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PartsError(entry.filename)
        return self.archive.open(entry)

    def parse(self, name: str, handler: ContentHandler) -> None:
        """Parse the XML of a part.

        Raises:
            PartsError: the XML is broken, or has a document type or entities.
        """
        try:
            with self.open(self.entry(name)) as file:
                parse(file, handler, forbid_dtd=True)
        except BROKEN as error:
            raise PartsError(name) from error

    def _read_list(self, name: str | None, start: Callable[[tuple[str, ...], Mapping[str, str]], None]) -> None:
        """Parse a list of parts; a broken list is parsed up to the break."""
        if not name:
            return
        try:
            if self.entries[name][0].file_size > MAX_LIST_BYTES:
                raise PartsError(name)
            self.parse(name, Elements(start))
        except PartsError:
            self.broken_lists.add(name)

    @cached_property
    def types(self) -> dict[str, str]:
        """Content types by part ("xl/workbook.xml") and by extension (".xml"), all in lower case."""
        types: dict[str, str] = {}

        def start(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
            kind = attributes.get("ContentType", "").lower()
            if path[1:] == ("Override",):
                types[normalize(attributes.get("PartName", "")).casefold()] = kind
            elif path[1:] == ("Default",):
                types["." + attributes.get("Extension", "").casefold()] = kind

        self._read_list(self.find("[Content_Types].xml"), start)
        return types

    def type_of(self, name: str) -> str:
        """Return the content type of a part, in lower case."""
        return self.types.get(name.casefold()) or self.types.get(posixpath.splitext(name.casefold())[1], "")

    def relations(self, name: str) -> list[Relation]:
        """Return the relationships of a part to other parts; for "", those of the package."""
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
    def main_part(self) -> str | None:
        """The name of the main part; None if there is none."""
        named = [each.target for each in self.relations("") if each.kind == "officedocument"]
        typed = [name for name in self.entries if "sheet.main" in self.types.get(name.casefold(), "")]
        usual = [
            name for name in self.entries if posixpath.basename(name).casefold() in ("workbook.xml", "workbook.bin")
        ]
        return next(iter([*named, *typed, *usual]), None)

    @cached_property
    def main_relations(self) -> list[Relation]:
        """The relationships of the main part."""
        return self.relations(self.main_part) if self.main_part else []

    def _beside(self, kind: str, usual: str) -> str | None:
        """Return the related part of a kind, or the part with the usual name in the folder of the main part."""
        named = [each.target for each in self.main_relations if each.kind == kind.lower()]
        return named[0] if named else self.find(posixpath.join(posixpath.dirname(self.main_part or ""), usual))

    @property
    def strings(self) -> str | None:
        """The name of the part with the texts that cells share, if there is one."""
        return self._beside("sharedStrings", "sharedStrings.xml")

    @property
    def styles(self) -> str | None:
        """The name of the part with the number formats, if there is one."""
        return self._beside("styles", "styles.xml")

    @property
    def worksheets(self) -> list[str]:
        """The names of the parts with sheets of cells."""
        named = [each.target for each in self.main_relations if each.kind == "worksheet"]
        folder = posixpath.join(posixpath.dirname(self.main_part or ""), "worksheets/").casefold()
        return named or [name for name in self.entries if posixpath.split(name)[0].casefold() + "/" == folder]

    def worksheet(self, relation: str, number: int) -> str | None:
        """Return the part of a sheet by the id of its relationship, or by its number (from 1) without relationships.

        Returns None for a sheet without cells, such as a chart.

        Raises:
            PartsError: the part is missing.
        """
        found = next((each for each in self.main_relations if each.id == relation), None)
        if found:
            return found.target if found.kind == "worksheet" else None  # charts have sheets too
        name = self.find(posixpath.join(posixpath.dirname(self.main_part or ""), "worksheets", f"sheet{number}.xml"))
        if name is None or self.main_relations:
            raise PartsError(relation)
        return name

    def has_macros(self) -> bool:
        """Return whether the document contains a macro, or its main part has a type with macros.

        A content type alone does not count: some libraries list types of parts that are not in the file.
        """
        kinds = {each.kind for each in self.main_relations}
        return (
            "macroenabled" in self.type_of(self.main_part or "")
            or bool(kinds & {"vbaproject", "xlmacrosheet", "xlintlmacrosheet"})
            or any(self._is_macro(name) for name in self.entries)
        )

    def _is_macro(self, name: str) -> bool:
        folded, kind = name.casefold(), self.type_of(name)
        if folded.endswith("vbaproject.bin") or "/macrosheets/" in f"/{folded}" or "macrosheet" in kind:
            return True
        return ("macro" in kind or "vbaproject" in kind) and (
            folded in self.types or folded.endswith(".xml") or self.start_of(name).startswith(OLE_START)
        )

    def start_of(self, name: str) -> bytes:
        """Return the first bytes of a part; empty if it is missing or broken."""
        found = self.find(name)
        try:
            with self.open(self.entries[found or ""][0]) as file:
                return file.read(100)
        except BROKEN:
            return b""

    def required_parts(self) -> Iterator[tuple[str, str]]:
        """Yield (kind, name) of each part of a workbook to read: "workbook", "sheet", "strings", "styles"."""
        yield "workbook", self.main_part or ""
        yield from (("sheet", name) for name in dict.fromkeys(self.worksheets))
        for kind, name in (("strings", self.strings), ("styles", self.styles)):
            if name:
                yield kind, name


def normalize(name: str) -> str:
    """Return the name of a part with forward slashes, from its first folder on."""
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/")
