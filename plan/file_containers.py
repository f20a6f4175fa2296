"""Judges what is in a zip container: an office document without macros, or an ordinary archive of such files."""

import posixpath
import re
from typing import BinaryIO
from xml.sax import ContentHandler, SAXException

from defusedxml.sax import parseString
from django.utils.translation import gettext as _

from plan.file_archives import MOST_ENTRIES, Entry, locked, read_archive, shown
from plan.file_names import clean_name, ending_of
from plan.file_refusals import RefusedFileError, damaged, mixed

MAIN_PART = "application/vnd.openxmlformats-officedocument.{}.main+xml"
MAIN_PARTS = {
    MAIN_PART.format("wordprocessingml.document"): "docx",
    MAIN_PART.format("spreadsheetml.sheet"): "xlsx",
    MAIN_PART.format("presentationml.presentation"): "pptx",
}
MIMETYPES = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how a macro project begins
MACRO_FOLDERS = ("basic/", "scripts/")

RUNS = re.compile(
    r"\.(?:apk|app|appimage|application|appx|aspx?|bat|bin|cgi|chm|class|cmd|com|cpl|deb|desktop|dll|dmg|docm|dotm|elf"
    r"|exe|hta|html?|img|iso|jar|jse?|jsp|lnk|mht|mhtml|mjs|msc|msi|msix|msp|php|phtml|pif|pl|potm|ppam|ppsm|pptm"
    r"|psm?1|py|rb|reg|rpm|run|scf|scr|sh|svgz?|swf|sys|url|vb|vbe|vbs|vhdx?|wasm|wsc?|wsf|wsh|xhtml|xht|xla|xlam"
    r"|xll|xlsb|xlsm|xltm|xsl)"
)
PACKED = re.compile(r"\.(?:7z|ace|arj|bz2|cab|gz|lz|lzh|lzma|rar|tar|tgz|txz|xz|z|zip|zipx|zst)")
OFFICE = re.compile(r"\.(?:docx|xlsx|pptx|odt|ods|odp)")  # zip containers that may be in an archive
RUNS_BY_CONTENT = re.compile(rb"MZ[^\0]{0,60}\0|\x7fELF|#!|\s*<(?:!doctype|html|script|svg|\?php)", re.IGNORECASE)
PACKED_BY_CONTENT = re.compile(rb"PK[\3\5][\4\6]|Rar!\x1a|7z\xbc\xaf|\x1f\x8b\x08|BZh\d1AY|\xfd7zXZ|MSCF\0")


def judge_container(file: BinaryIO, name: str) -> str | None:
    """The kind of a zip container: "docx", "xlsx", "pptx", "odt", "ods" or "zip"; None for another office file.

    Raises:
        RefusedFileError: as `read_archive`; or it holds macros, programs, web pages or other archives, or nothing.
    """
    entries = read_archive(file, name)
    contents = {entry.name.lower(): entry.content for entry in entries}
    is_open_document = bool(entries) and entries[0].name == "mimetype"
    if "[content_types].xml" in contents:
        if is_open_document:
            raise mixed(name)
        return _open_xml(contents, name)
    if is_open_document:
        return _open_document(entries[0], contents, name)
    _check_archive(entries, name)
    return "zip"


class _Parts(ContentHandler):
    """Gathers what the two lists of an Open XML package say: types by part and by ending, and its main parts."""

    def __init__(self) -> None:
        super().__init__()
        self.types: dict[str, str] = {}
        self.main: list[str] = []
        self.left = 4 * MOST_ENTRIES

    def startElement(self, tag: str, attributes: dict[str, str]) -> None:  # noqa: N802
        """Note an element. Raises ValueError where there are more than any package has."""
        self.left -= 1
        if not self.left:
            raise ValueError("too many parts")
        element = tag.rpartition(":")[2]
        if element in ("Override", "Default"):
            part = attributes.get("PartName") or "." + attributes.get("Extension", "")
            self.types[part.lower()] = attributes.get("ContentType", "")
        elif element == "Relationship" and attributes.get("Type", "").endswith("/officeDocument"):
            self.main.append(posixpath.normpath("/" + attributes.get("Target", "").lstrip("/")).lower())


def _open_xml(contents: dict[str, bytes], name: str) -> str | None:
    """The kind of a Word, Excel or PowerPoint file, by its main part.

    Raises:
        RefusedFileError: it is damaged or holds macros.
    """
    parts = _Parts()
    try:
        for entry in ("[content_types].xml", "_rels/.rels"):
            parseString(contents.get(entry, b""), parts, forbid_dtd=True)
    except (SAXException, ValueError, LookupError) as error:
        raise damaged(name) from error
    if any(_is_macro(entry, content, parts.types) for entry, content in contents.items()):
        raise _macros(name)
    if len(parts.main) != 1 or parts.main[0].lstrip("/") not in contents:
        raise damaged(name)
    main = parts.main[0]
    return MAIN_PARTS.get(parts.types.get(main) or parts.types.get(posixpath.splitext(main)[1], ""))


def _is_macro(entry: str, content: bytes, types: dict[str, str]) -> bool:
    """Whether a part is a macro or of the kind with macros; a content type of parts that are not there is none."""
    own = types.get(f"/{entry}", "").lower()
    by_ending = "" if own else types.get(posixpath.splitext(entry)[1], "").lower()
    return (
        posixpath.basename(entry) == "vbaproject.bin"
        or any(word in own for word in ("macro", "vbaproject"))
        or ("macro" in by_ending and entry.endswith(".xml"))
        or (any(word in by_ending for word in ("macro", "vbaproject")) and content.startswith(OLE))
    )


def _open_document(first: Entry, contents: dict[str, bytes], name: str) -> str | None:
    """The kind of a LibreOffice file, by the type it begins with.

    Raises:
        RefusedFileError: it is damaged, locked or holds macros.
    """
    if first.is_packed or "content.xml" not in contents:
        raise damaged(name)
    if b"encryption-data" in contents.get("meta-inf/manifest.xml", b""):
        raise locked(name)
    if any(entry.startswith(MACRO_FOLDERS) for entry in contents):
        raise _macros(name)
    return MIMETYPES.get(first.content)


def _check_archive(entries: list[Entry], name: str) -> None:
    """See that an ordinary archive holds files, and only such as could be looked at one by one.

    Raises:
        RefusedFileError: it does not; the sentence names the first that may not be in it.
    """
    files = [entry for entry in entries if not entry.is_folder]
    if not files:
        raise RefusedFileError(_("“%(name)s” is empty. Choose another file."), name=name)
    for entry in files:
        # An unpacker may take what stands behind a colon for a part of the name or not.
        endings = [ending_of(clean_name(part)) for part in entry.name.rpartition("/")[2].split(":")]
        is_office = any(map(OFFICE.fullmatch, endings))
        if any(map(RUNS.fullmatch, endings)) or RUNS_BY_CONTENT.match(entry.content):
            sentence = _("“%(name)s” holds “%(entry)s”, a program or a web page. Take it out and pack the rest again.")
        elif any(map(PACKED.fullmatch, endings)) or (not is_office and PACKED_BY_CONTENT.match(entry.content)):
            sentence = _("“%(name)s” holds “%(entry)s”, which is packed itself. Unpack that and pack all files in one.")
        else:
            continue
        raise RefusedFileError(sentence, name=name, entry=shown(entry.name))


def _macros(name: str) -> RefusedFileError:
    return RefusedFileError(
        _("“%(name)s” holds macros. Save it without them, as .docx, .xlsx or .pptx, and choose the new file."),
        name=name,
    )
