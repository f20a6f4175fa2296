"""Change single parts of a workbook; every other part keeps its bytes.

openpyxl would drop the charts, pictures and features that it does not know, so the parts themselves are edited as XML.
"""

import posixpath
import re
import zipfile
from collections.abc import Sequence
from io import BytesIO

from lxml import etree

from spreadsheets.parts import BROKEN, Parts, normalize

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=False)
DECLARATION = re.compile(rb"""^\s*<\?xml[^>]*?(?:encoding\s*=\s*["']([\w.-]+)["'])?[^>]*\?>""")
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES_PART = "[Content_Types].xml"
STRICT = "http://purl.oclc.org/ooxml"
TRANSITIONAL = "http://schemas.openxmlformats.org"


class UneditableError(ValueError):
    """A part is missing or broken, so the workbook cannot be edited without a guess."""


class EditedWorkbook:
    """A workbook of which some parts are replaced or added.

    Raises:
        UneditableError: the file is no zip file that can be read.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self.archive = zipfile.ZipFile(BytesIO(data))
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise UneditableError from error
        self.parts = Parts(self.archive)
        self.changed: dict[str, bytes] = {}  # name of a part → its new content

    def read(self, name: str) -> bytes:
        """The content of a part, in UTF-8.

        Raises:
            UneditableError: the part cannot be read.
        """
        if name in self.changed:
            return self.changed[name]
        try:
            return _utf_8(self.parts.open(self.parts.entry(name)).read())
        except BROKEN as error:
            raise UneditableError(name) from error

    def tree(self, name: str) -> etree._Element:
        """The root element of a part; see `parse`."""
        return parse(self.read(name))

    def write(self, name: str, root: etree._Element) -> None:
        """Replace a part, or add one."""
        self.changed[name] = serialize(root)

    def new_name(self, pattern: str) -> str:
        """A name that no part has: `pattern` with the first free number for "{}"."""
        number = 1
        while self.parts.find(pattern.format(number)) or pattern.format(number) in self.changed:
            number += 1
        return pattern.format(number)

    def relate(self, part: str, kind: str, target: str, *, is_strict: bool) -> str:
        """Add a relationship from a part to another, and return its id."""
        folder, base = posixpath.split(part)
        usual = posixpath.join(folder, "_rels", f"{base}.rels")
        name = self.parts.find(usual) or usual
        if name in self.changed or self.parts.find(usual):
            root = self.tree(name)
        else:
            root = etree.Element(f"{{{PACKAGE}/relationships}}Relationships", nsmap={None: f"{PACKAGE}/relationships"})
        taken = {each.get("Id") for each in root}
        key = next(f"rIdMark{number}" for number in range(1, len(taken) + 2) if f"rIdMark{number}" not in taken)
        space = namespace_of(root)
        made = etree.SubElement(root, f"{{{space}}}Relationship")
        base = f"{STRICT}/officeDocument" if is_strict else f"{TRANSITIONAL}/officeDocument/2006"
        made.attrib.update({"Id": key, "Type": f"{base}/relationships/{kind}", "Target": f"/{target}"})
        self.write(name, root)
        return key

    def set_type(self, content_type: str, *, part: str = "", extension: str = "") -> None:
        """Add the content type of a part, or of all parts with an extension unless it has one.

        Raises:
            UneditableError: the workbook has no list of content types.
        """
        name = self.parts.find(TYPES_PART)
        if name is None:
            raise UneditableError(TYPES_PART)
        root = self.tree(name)
        space = namespace_of(root)
        if part:
            etree.SubElement(root, f"{{{space}}}Override", PartName=f"/{part}", ContentType=content_type)
        elif extension not in {(each.get("Extension") or "").lower() for each in root}:  # a comment has None
            made = etree.Element(f"{{{space}}}Default", Extension=extension, ContentType=content_type)
            root.insert(0, made)
        self.write(name, root)

    def save(self) -> bytes:
        """The workbook as a file.

        Raises:
            UneditableError: one of the other parts cannot be read.
        """
        file, left = BytesIO(), dict(self.changed)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for info in {each.filename: each for each in self.archive.infolist()}.values():  # the last of two counts
                made = zipfile.ZipInfo(info.filename, info.date_time)
                made.compress_type, made.external_attr = info.compress_type, info.external_attr
                try:
                    content = left.pop(normalize(info.filename), None)
                    archive.writestr(made, self.parts.open(info).read() if content is None else content)
                except BROKEN as error:
                    raise UneditableError(info.filename) from error
            for name, content in left.items():
                archive.writestr(name, content)
        return file.getvalue()


def parse(content: bytes) -> etree._Element:
    """The root element of an XML part, without entities.

    Raises:
        UneditableError: it is broken, or has a document type.
    """
    try:
        root = etree.fromstring(content, PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UneditableError from error
    if root.getroottree().docinfo.doctype:
        raise UneditableError
    return root


def serialize(root: etree._Element) -> bytes:
    """The XML of a part."""
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8", standalone=True)


def namespace_of(root: etree._Element) -> str:
    """The namespace of a part.

    Raises:
        UneditableError: it has none, so no program knows what its elements mean.
    """
    space = etree.QName(root).namespace
    if not space:
        raise UneditableError(root.tag)
    return space


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace; "" for a comment."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def insert_in_order(root: etree._Element, made: etree._Element, order: Sequence[str]) -> None:
    """Insert a child where the schema wants it.

    Args:
        order: names of the children in the order of the schema, from the one of `made` on.
    """
    later = order[order.index(local_name(made)) + 1 :]
    place = next((place for place, each in enumerate(root) if local_name(each) in later), len(root))
    root.insert(place, made)


def _utf_8(content: bytes) -> bytes:
    """XML in UTF-8 without a declaration, whatever its encoding was; XML in UTF-8 as it is."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    else:
        match = DECLARATION.match(content.removeprefix(b"\xef\xbb\xbf"))
        encoding = (match[1] or b"utf-8").decode() if match else "utf-8"
    if encoding.lower() in ("utf-8", "us-ascii"):
        return content.removeprefix(b"\xef\xbb\xbf")
    return DECLARATION.sub(b"", content.decode(encoding).encode())
