"""Zip files as evidence: an office document without macros, or an archive of ordinary files."""

import re
import zipfile
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from plan.evidence.names import clean_name, extension_of
from plan.evidence.refusals import DAMAGED, EMPTY, HIDDEN_CONTENT, LOCKED, MARKUP, RefusedFileError
from pmqa_tracker.upload_limit import MEGABYTE
from spreadsheets.parts import Parts
from spreadsheets.safe_zip import UnsafeZipError, ZipEntry, ZipLimits, ZipProblem, names_of, open_zip, read_strictly

# Office files are mostly XML, and unpack to less than 30 times their size.
LIMITS = ZipLimits(entries=5_000, unpacked=300 * MEGABYTE, ratio=200, ratio_from=10 * MEGABYTE)

OPEN_XML = "application/vnd.openxmlformats-officedocument.{}.main+xml"
OPEN_XML_KINDS = {
    OPEN_XML.format("wordprocessingml.document"): "docx",
    OPEN_XML.format("spreadsheetml.sheet"): "xlsx",
    OPEN_XML.format("presentationml.presentation"): "pptx",
}
OPEN_DOCUMENT_KINDS = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
}
PACKAGE_LISTS = {"[content_types].xml", "_rels/.rels"}
MACRO_FOLDERS = ("basic/", "scripts/")

PROGRAM = re.compile(
    r"\.(?:apk|app|appimage|application|appx|aspx?|bat|bin|cgi|chm|class|cmd|com|cpl|deb|desktop|dll|dmg|docm|dotm|elf"
    r"|exe|hta|html?|img|iso|jar|jse?|jsp|lnk|mht|mhtml|mjs|msc|msi|msix|msp|php|phtml|pif|pl|potm|ppam|ppsm|pptm"
    r"|psm?1|py|rb|reg|rpm|run|scf|scr|sh|svgz?|swf|sys|url|vb|vbe|vbs|vhdx?|wasm|wsc?|wsf|wsh|xhtml|xht|xla|xlam"
    r"|xll|xlsb|xlsm|xltm|xsl)"
)
ARCHIVE = re.compile(r"\.(?:7z|ace|arj|bz2|cab|gz|lz|lzh|lzma|rar|tar|tgz|txz|xz|z|zip|zipx|zst)")
OFFICE = re.compile(r"\.(?:docx|xlsx|pptx|odt|ods|odp)")  # the zip files that an archive may hold
PROGRAM_START = re.compile(rb"MZ[^\0]{0,60}\0|\x7fELF|#!|\s*<(?:!doctype|html|script|svg|\?php)", re.IGNORECASE)
ARCHIVE_START = re.compile(rb"PK[\3\5][\4\6]|Rar!\x1a|7z\xbc\xaf|\x1f\x8b\x08|BZh\d1AY|\xfd7zXZ|MSCF\0")
START_BYTES = 64  # of each entry, for the two patterns above

MACROS = _("“%(name)s” holds macros. Save it without them, as .docx, .xlsx or .pptx, and choose the new file.")
PROBLEMS = {
    ZipProblem.DAMAGED: DAMAGED,
    ZipProblem.ENCRYPTED: LOCKED,
    ZipProblem.HIDDEN_CONTENT: HIDDEN_CONTENT,
    ZipProblem.TOO_LARGE: _(
        "“%(name)s” unpacks to more than can be checked. Choose fewer or smaller files, or give a link instead."
    ),
    ZipProblem.UNKNOWN_METHOD: _(
        "“%(name)s” is packed in a way that cannot be checked. Pack it again as an ordinary ZIP file."
    ),
    ZipProblem.LEAVES_FOLDER: _(
        "“%(name)s” holds “%(entry)s”, which would not stay in its folder. Pack it again without that."
    ),
    ZipProblem.DUPLICATE_NAME: _("“%(name)s” holds “%(entry)s” twice. Pack it again with one of each name."),
}


def identify_container(file: BinaryIO) -> str | None:
    """Return the kind of a zip file: "docx", "xlsx", "pptx", "odt", "ods", "zip", or None for other office files.

    Raises:
        RefusedFileError: it is unsafe to unpack, empty, or contains macros, programs, web pages or other archives.
    """
    try:
        with open_zip(file, LIMITS) as archive:
            entries = read_strictly(file, archive)
            return _identify(archive, entries)
    except UnsafeZipError as error:
        raise RefusedFileError(PROBLEMS[error.problem], entry=_printable(error.entry)) from error


def _identify(archive: zipfile.ZipFile, entries: list[ZipEntry]) -> str | None:
    if MARKUP.search(archive.comment):
        raise RefusedFileError(HIDDEN_CONTENT)
    if any(len({extension_of(clean_name(name)) for name in names_of(entry.info)}) > 1 for entry in entries):
        raise RefusedFileError(DAMAGED)
    contents = {entry.info.filename.lower(): entry for entry in entries}
    is_open_document = bool(entries) and entries[0].info.filename == "mimetype"
    if "[content_types].xml" in contents:
        if is_open_document:
            raise RefusedFileError(HIDDEN_CONTENT)
        return _identify_open_xml(archive, contents)
    if is_open_document:
        return _identify_open_document(archive, contents)
    _check_archive([entry for entry in entries if not entry.info.is_dir()])
    return "zip"


def _identify_open_xml(archive: zipfile.ZipFile, contents: dict[str, ZipEntry]) -> str | None:
    """Return the kind of a Word, Excel or PowerPoint file by its main part."""
    parts = Parts(archive)
    has_macros = parts.has_macros()
    main = [relation.target for relation in parts.relations("") if relation.kind == "officedocument"]
    if PACKAGE_LISTS & {name.lower() for name in parts.broken_lists}:
        raise RefusedFileError(DAMAGED)
    if has_macros:
        raise RefusedFileError(MACROS)
    if len(main) != 1 or main[0].lower() not in contents:
        raise RefusedFileError(DAMAGED)
    return OPEN_XML_KINDS.get(parts.type_of(main[0]))


def _identify_open_document(archive: zipfile.ZipFile, contents: dict[str, ZipEntry]) -> str | None:
    """Return the kind of a LibreOffice file by the `mimetype` entry at its start."""
    mimetype = contents["mimetype"]
    if mimetype.info.compress_type != zipfile.ZIP_STORED or "content.xml" not in contents:
        raise RefusedFileError(DAMAGED)
    if manifest := contents.get("meta-inf/manifest.xml"):
        with archive.open(manifest.info) as file:
            if b"encryption-data" in file.read(MEGABYTE):
                raise RefusedFileError(LOCKED)
    if any(name.startswith(MACRO_FOLDERS) for name in contents):
        raise RefusedFileError(MACROS)
    return OPEN_DOCUMENT_KINDS.get(mimetype.start)


def _check_archive(entries: list[ZipEntry]) -> None:
    """Check that an archive contains files, and no program, web page or other archive."""
    if not entries:
        raise RefusedFileError(EMPTY)
    for entry in entries:
        name, start = entry.info.filename, entry.start[:START_BYTES]
        # Windows ends a file name at a colon.
        extensions = [extension_of(clean_name(part)) for part in name.rpartition("/")[2].split(":")]
        is_office = any(map(OFFICE.fullmatch, extensions))
        if any(map(PROGRAM.fullmatch, extensions)) or PROGRAM_START.match(start):
            sentence = _("“%(name)s” holds “%(entry)s”, a program or a web page. Take it out and pack the rest again.")
        elif any(map(ARCHIVE.fullmatch, extensions)) or (not is_office and ARCHIVE_START.match(start)):
            sentence = _("“%(name)s” holds “%(entry)s”, which is packed itself. Unpack that and pack all files in one.")
        else:
            continue
        raise RefusedFileError(sentence, entry=_printable(name))


def _printable(entry: str) -> str:
    """Return the name of an entry, safe and short enough for a message."""
    text = "".join(letter if letter.isprintable() else "�" for letter in entry)
    return text if len(text) <= 80 else f"…{text[-79:]}"
