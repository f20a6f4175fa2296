"""Unusual but valid workbooks, as other programs write them; each has the cells of the original workbook."""

import posixpath
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO

from tests.plan.evidence.packing import zip64

Parts = dict[str, bytes]
TRANSITIONAL = "http://schemas.openxmlformats.org"
MACRO = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
VBA = "application/vnd.ms-office.vbaProject"
TYPES, PACKAGE, BOOK = "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"
RELATIONS, STRINGS, STYLES, CORE = (
    "xl/_rels/workbook.xml.rels",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "docProps/core.xml",
)
BETWEEN = re.compile(r"(</[^>]+>|/>)(?=<)")


def unpacked(data: bytes) -> Parts:
    """Return name → content of the parts of a workbook."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a workbook with these parts."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def change(
    part: str, pattern: str, replacement: str | Callable[[re.Match[str]], str], count: int = 1
) -> Callable[[Parts], Parts]:
    """Return an oddity that replaces `pattern` in every part whose name ends with `part`."""

    def make(parts: Parts) -> Parts:
        names = [name for name in parts if name.endswith(part)]
        changed = {name: re.sub(pattern, replacement, parts[name].decode(), count=count).encode() for name in names}
        assert any(changed[name] != parts[name] for name in names), part
        return parts | changed

    return make


def without(*names: str) -> Callable[[Parts], Parts]:
    """Return an oddity that removes parts, though other parts name them."""
    return lambda parts: {name: content for name, content in parts.items() if name not in names}


def holding(contents: Mapping[str, bytes | str]) -> Callable[[Parts], Parts]:
    """Return an oddity that adds or replaces parts."""
    made = {name: content.encode() if isinstance(content, str) else content for name, content in contents.items()}
    return lambda parts: parts | made


def every(make: Callable[[str], str | bytes], *endings: str) -> Callable[[Parts], Parts]:
    """Return an oddity that changes all XML parts, or the parts whose names end with `endings`."""

    def change_all(parts: Parts) -> Parts:
        changed = {}
        for name, content in parts.items():
            is_meant = name.endswith(endings or (".xml", ".rels"))
            made = make(content.decode()) if is_meant else content
            changed[name] = made.encode() if isinstance(made, str) else made
        return changed

    return change_all


def renamed(new_name: str) -> Callable[[Parts], Parts]:
    """Return an oddity that moves the workbook part to another name and folder than its sheets."""

    def make(parts: Parts) -> Parts:
        rels = posixpath.join(posixpath.dirname(new_name), "_rels", posixpath.basename(new_name) + ".rels")
        moved = {new_name if name == BOOK else rels if name == RELATIONS else name: parts[name] for name in parts}
        for name in (TYPES, PACKAGE):
            moved[name] = moved[name].replace(b"xl/workbook.xml", new_name.encode())
        return moved

    return make


def in_names(make: Callable[[str], str]) -> Callable[[Parts], Parts]:
    """Return an oddity that changes only the names in the zip file."""
    return lambda parts: {make(name): content for name, content in parts.items()}


def _two_bytes(text: str) -> bytes:
    return re.sub(r"^<\?xml[^>]*\?>", '<?xml version="1.0" encoding="UTF-16"?>', text).encode("utf-16")


def _prefixed(text: str) -> str:
    text = re.sub(r"<(/?)([A-Za-z]\w*)(?=[\s/>])", r"<\1x:\2", text)
    return re.sub(r"\sxmlns=", " xmlns:x=", text)


def _strict(text: str) -> str:
    text = text.replace(f"{TRANSITIONAL}/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main")
    return text.replace(
        f"{TRANSITIONAL}/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships"
    )


def shared(parts: Parts) -> Parts:
    """Move the texts into a part of shared texts, as Excel does; this site writes them into the cells."""
    texts: dict[str, int] = {}

    def refer(match: re.Match[str]) -> str:
        return f'<c {match[1]}t="s"{match[2]}><v>{texts.setdefault(match[3], len(texts))}</v></c>'

    pattern = re.compile(r'<c ([^>]*?)t="inlineStr"([^>]*)><is>(.*?)</is></c>', re.DOTALL)
    changed = {
        name: pattern.sub(refer, content.decode()).encode() for name, content in parts.items() if "/worksheets/" in name
    }
    assert texts
    items = "".join(f"<si>{text}</si>" for text in texts)
    table = f'<sst xmlns="{TRANSITIONAL}/spreadsheetml/2006/main" count="9" uniqueCount="9">{items}</sst>'
    return parts | changed | {STRINGS: table.encode()}


def _rich(parts: Parts) -> Parts:
    """Split each shared text into two runs and add a phonetic hint."""

    def runs(match: re.Match[str]) -> str:
        first, rest = match[1][:1], match[1][1:]
        if "&" in match[1]:
            return match[0]
        run = '<r><rPr><b/></rPr><t xml:space="preserve">{}</t></r>'
        said = '<rPh sb="0" eb="1"><t>เสียงอ่าน</t></rPh><phoneticPr fontId="1"/>'
        return f"<si>{run.format(first)}{run.format(rest)}{said}</si>"

    return change(STRINGS, r"<si><t(?: [^>]*)?>([^<]+)</t></si>", runs, count=0)(shared(parts))


def _without_addresses(parts: Parts) -> Parts:
    """Remove the addresses of cells in rows without gaps."""
    sheet = "xl/worksheets/sheet1.xml"
    rows = re.findall(r"<row .*?</row>", parts[sheet].decode(), re.DOTALL)
    text = parts[sheet].decode()
    for row in rows:
        places = re.findall(r'<c r="([A-Z]+)\d+"', row)
        if all(len(place) == 1 and ord(place) - 64 == number for number, place in enumerate(places, start=1)):
            text = text.replace(row, re.sub(r'(<c) r="[A-Z]+\d+"', r"\1", row))
    assert text != parts[sheet].decode()
    return parts | {sheet: text.encode()}


def _with_sheet(name: str, kind: str, content: str) -> Callable[[Parts], Parts]:
    """Return an oddity that adds a sheet at the end."""
    relation = (
        f'<Relationship Id="rIdOwn" Type="{TRANSITIONAL}/officeDocument/2006/relationships/{kind}" Target="{name}"/>'
    )
    listed = (
        f'<sheet xmlns:q="{TRANSITIONAL}/officeDocument/2006/relationships" name="ของฉัน" sheetId="77" q:id="rIdOwn"/>'
    )

    def make(parts: Parts) -> Parts:
        parts = change(RELATIONS, "</Relationships>", f"{relation}</Relationships>")(parts)
        parts = change(BOOK, "</sheets>", f"{listed}</sheets>")(parts)
        return parts | {f"xl/{name}": content.encode()}

    return make


def _wrong_checksum(data: bytes) -> bytes:
    """Give an unneeded part a wrong checksum."""
    picture = b"0123456789" * 20
    data = packed(unpacked(data) | {"xl/media/image1.png": picture}, zipfile.ZIP_STORED)
    return data.replace(picture, picture[::-1])


def _streamed(data: bytes) -> bytes:
    """Write the zip file without seeking, so that the sizes follow each part."""

    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def report_progress(self) -> int:
            raise OSError

    file = Pipe()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in unpacked(data).items():
            archive.writestr(name, content)
    return file.getvalue()


def _twice(data: bytes) -> bytes:
    """Add a second copy of an unneeded part."""
    file = BytesIO(data)
    with zipfile.ZipFile(file, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr(CORE, "<a/>")
    return file.getvalue()


def _folders(parts: Parts) -> Parts:
    return {"_rels/": b"", "docProps/": b"", "xl/": b"", "xl/worksheets/": b""} | parts


OF_PARTS: dict[str, Callable[[Parts], Parts]] = {
    "a content type for binary parts that mentions macros": change(
        TYPES, r"(<Types[^>]*>)", rf'\1<Default Extension="bin" ContentType="{MACRO}"/>'
    ),
    "a content type for a missing macro": change(
        TYPES, r"(<Types[^>]*>)", rf'\1<Override PartName="/xl/vbaProject.bin" ContentType="{VBA}"/>'
    ),
    "printer settings with a content type for macros": lambda parts: change(
        TYPES, r"(<Types[^>]*>)", rf'\1<Default Extension="bin" ContentType="{VBA}"/>'
    )(parts | {"xl/printerSettings/printerSettings1.bin": b"A4"}),
    "no content types": without(TYPES),
    "broken content types": holding({TYPES: "<Types"}),
    "an empty fill": change(STYLES, r"(<fills[^>]*>)", r"\1<fill/>"),
    "no styles": without(STYLES),
    "broken styles": change(STYLES, r"</fills>", ""),
    "unknown number formats": change(STYLES, r'(<cellXfs.*?<xf [^>]*?)numFmtId="\d+"', r'\1numFmtId="9999"'),
    "styles with invalid colours": change(STYLES, r'rgb="[^"]*"', 'rgb="red"', count=0),
    "a local date in the properties": change(CORE, r"(<dcterms:modified[^>]*>)[^<]*", r"\g<1>15/5/2563 8:00"),
    "no properties": without(CORE),
    "broken properties": holding({"docProps/core.xml": "<cp:coreProperties", "docProps/app.xml": "\0"}),
    "properties with a document type": holding({"docProps/custom.xml": "<!DOCTYPE a><a/>"}),
    "part names in large letters": in_names(str.upper),
    "part names in small letters": in_names(str.lower),
    "backslashes in part names": in_names(lambda name: name.replace("/", "\\")),
    "a slash before part names": in_names(lambda name: "/" + name),
    "a workbook part called workbook2.xml": renamed("xl/workbook2.xml"),
    "a workbook part beside its folder": renamed("book.xml"),
    "a workbook part found only by its content type": lambda parts: without(PACKAGE)(renamed("xl/table.xml")(parts)),
    "relationships with backslashes": change(
        RELATIONS,
        r'Target="/?(?:xl/)?([^"]*)"',
        lambda m: f'Target="{m[1]}"'.replace("/", "\\").replace('\\"', '"'),
        count=0,
    ),
    "relative relationships": change(RELATIONS, r'Target="/xl/([^"]*)"', r'Target="./\1"', count=0),
    "relationships from the root without a slash": change(
        RELATIONS, r'Target="/xl/([^"]*)"', r'Target="xl/\1"', count=0
    ),
    "relationships with escapes": change(RELATIONS, r"sheet1\.xml", "sheet%31.xml"),
    "external relationships": change(
        RELATIONS,
        "</Relationships>",
        '<Relationship Id="x" Type="a/externalLink" Target="file:///c:/x" TargetMode="External"/></Relationships>',
    ),
    "no relationships of the package": without(PACKAGE),
    "sheets without a dimension": change(".xml", r"<dimension [^>]*/>", ""),
    "a wrong dimension": change(".xml", r"<dimension [^>]*/>", '<dimension ref="A1"/>'),
    "shared texts": shared,
    "no shared texts": without(STRINGS),
    "rich texts with phonetic hints": _rich,
    "no theme": without("xl/theme/theme1.xml"),
    "a broken theme": holding({"xl/theme/theme1.xml": "<a:theme"}),
    "byte order marks": every(lambda text: "\ufeff" + text),
    "two bytes a letter": every(_two_bytes),
    "prefixed elements": every(_prefixed, BOOK, STRINGS, STYLES, "sheet1.xml", "sheet2.xml"),
    "Strict Open XML": every(_strict),
    "white space between elements": every(lambda text: BETWEEN.sub("\\1\n  ", text)),
    "entries for folders": _folders,
    "unknown parts": holding(
        {"junk/a.xml": "<a", "Thumbs.db": "\0", "/MACOSX/x": "y", "xl/macros.html": "<!DOCTYPE html>"}
    ),
    "a broken calculation chain": holding({"xl/calcChain.xml": "<calcChain><c r='A1' i='99'"}),
    "broken external links": holding({"xl/externalLinks/externalLink1.xml": "<externalLink"}),
    "broken comments and drawings": lambda parts: holding(
        {
            "xl/comments1.xml": "<comments",
            "xl/drawings/drawing1.xml": "<xdr:wsDr><row>",
            "xl/drawings/vml.vml": "<!DOCTYPE x>",
        }
    )(change("sheet1.xml", "</worksheet>", '<drawing xmlns:q="a" q:id="none"/><legacyDrawing/></worksheet>')(parts)),
    "broken names": change(
        BOOK,
        "</sheets>",
        '</sheets><definedNames><definedName>#REF!</definedName><definedName name="a">x!!</definedName></definedNames>',
    ),
    "unknown rules": change(
        "sheet1.xml",
        "</sheetData>",
        '</sheetData><conditionalFormatting sqref="x"><cfRule type="rainbow" dxfId="999"/></conditionalFormatting>'
        '<dataValidations><dataValidation type="?" sqref="0"/></dataValidations>',
    ),
    "unknown extensions": change(
        "sheet1.xml",
        "</worksheet>",
        '<extLst><ext uri="{1}"><row r="-1"><c><v>9</v></c></row></ext></extLst></worksheet>',
    ),
    "wrong filters and page setup": change(
        "sheet1.xml", "</worksheet>", '<autoFilter ref="nowhere"/><pageSetup paperSize="none"/></worksheet>'
    ),
    "unknown attributes": change(
        "sheet1.xml", "<row ", '<row x14ac:dyDescent="?" xmlns:x14ac="y" collapsed="maybe" ', count=0
    ),
    "wrong merged areas": change(
        "sheet1.xml", "</worksheet>", '<mergeCells><mergeCell ref="A1"/><mergeCell/></mergeCells></worksheet>'
    ),
    "addresses in small letters": change("sheet1.xml", r'<c r="[A-Z]+', lambda match: match[0].lower(), count=0),
    "cells without addresses": _without_addresses,
    "rows without numbers": change("sheet1.xml", r'<row r="(?:1|2|3)"', "<row"),
    "a broken sheet of the user": _with_sheet("worksheets/own.xml", "worksheet", "<worksheet><sheetData><row"),
    "a sheet that is a chart": _with_sheet("chartsheets/sheet1.xml", "chartsheet", "<chartsheet/>"),
    "a wrong workbook view": change(
        BOOK, r"<bookViews>.*?</bookViews>", '<bookViews><workbookView activeTab="99"/></bookViews>'
    ),
}
OF_ZIP: dict[str, Callable[[bytes], bytes]] = {
    "not compressed": lambda data: packed(unpacked(data), zipfile.ZIP_STORED),
    "sizes behind the parts": _streamed,
    "a directory for large files": lambda data: zip64(unpacked(data)),
    "a wrong checksum of a picture": _wrong_checksum,
    "a repeated unneeded part": _twice,
    "the parts in another order": lambda data: packed(dict(reversed(unpacked(data).items()))),
}
ODDITIES: dict[str, Callable[[bytes], bytes]] = {
    **{name: lambda data, make=make: packed(make(unpacked(data))) for name, make in OF_PARTS.items()},
    **OF_ZIP,
}
