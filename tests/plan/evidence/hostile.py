"""Hostile files that must be refused, each for its own reason, and good files that must be accepted."""

import gzip
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache

from PIL import Image, PngImagePlugin

from tests.odd_workbooks import ODDITIES
from tests.plan.evidence.packing import (
    MAIN,
    OPEN_XML,
    Packed,
    content_types,
    forge,
    open_document,
    open_xml,
    overlapping,
    pack,
    repeated_zeros,
    workbook,
    zeros,
    zip64,
)

SCRIPT = b"<script>alert(document.cookie)</script>"
HTML = b"<!DOCTYPE html><html><body>" + SCRIPT + b"</body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
SVG_SCRIPT = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>"
PHP = b"<?php system($_GET['c']); ?>"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(200) + b"PE\0\0"
ELF = b"\x7fELF\x02\x01\x01\x00" + bytes(64)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
GIF = b"GIF89a/*\x01\x00\x01\x00\x00*/=1;alert(1)//;"
THAI = "รายงานผลการดำเนินงาน รอบ ๖ เดือน ปีงบประมาณ พ.ศ. ๒๕๖๓ ของสำนักงานน้ำ\r\n"
MENTION_MACROS = [name for name in ODDITIES if "macro" in name]  # in their list of content types; none is there
MACRO_TYPE = "application/vnd.ms-word.document.macroEnabled.main+xml"


@dataclass(frozen=True)
class HostileFile:
    """A file and what is hostile in it; `is_fine` if only the name is, which becomes the harmless `cleaned`."""

    name: str
    content: bytes
    why: str
    is_fine: bool = False
    cleaned: str | None = None


def pdf():
    """A valid PDF of one empty page."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
    ]
    body, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 4\n0000000000 65535 f \n%strailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        table, len(body),
    )  # fmt: skip


def image(kind, size=(40, 30), **options):
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert("RGB").save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def huge_png(side=50_000):
    header = struct.pack(">LLBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def huge_webp():
    canvas = (16_382).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<L", 10) + bytes(4) + canvas
    return b"RIFF" + struct.pack("<L", len(body)) + body


def wave():
    body = b"WAVEfmt " + struct.pack("<LHHLLHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + bytes(100)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def entity_bomb():
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    return f'<?xml version="1.0"?><!DOCTYPE Types [{lines}]><Types>&e9;</Types>'


def nested_bomb(depth=5):
    inner = pack({"0.txt": bytes(1 << 20)})
    for level in range(depth):
        inner = pack({f"{level}-{each}.zip": inner for each in range(8)})
    return inner


def many_files(count=5_001):
    return forge([Packed(name=b"%d.txt" % each, data=b"") for each in range(count)])


def disguised_macros():
    return open_xml("docx", type_=MACRO_TYPE, more={"word/vbaProject.bin": OLE})


@cache
def hostile_files():
    """Hostile files, and good content under hostile names."""
    word, sheet, text = open_xml("docx"), workbook(), open_document()
    png, jpg, webp = image("PNG"), image("JPEG"), image("WEBP")
    archive = pack({"รายงาน.pdf": pdf()})
    bomb = repeated_zeros(1 << 30)
    twice = Packed(name=b"a.txt")
    part = MAIN["docx"][0]
    word_types = content_types(*MAIN["docx"])
    files = [
        ("logo.svg", SVG, "SVG"),
        ("script.svg", SVG_SCRIPT, "SVG with a script"),
        ("logo.svgz", gzip.compress(SVG), "packed SVG"),
        ("logo.png", SVG_SCRIPT, "SVG named as an image"),
        ("logo.txt", SVG, "SVG named as text"),
        ("logo-space.txt", b"\xef\xbb\xbf \r\n\t" + SVG, "SVG behind a BOM and spaces"),
        ("page.html", HTML, "HTML"),
        ("bom.html", b"\xef\xbb\xbf" + HTML, "HTML with a BOM"),
        ("spaces.txt", b" \n\t\x0c" + HTML, "HTML behind spaces"),
        ("comment.txt", b"<!-- notes --><p>text", "HTML behind a comment"),
        ("late.txt", b"notes " * 100_000 + HTML, "HTML behind much text"),
        ("between.txt", b"x" * (256 * 1024 - 4) + SCRIPT, "a script across two readings"),
        ("blank.txt", b" " * (300 * 1024) + b"<p onclick=x>", "HTML behind more spaces than are read at once"),
        ("utf16.txt", HTML.decode().encode("utf-16"), "HTML in UTF-16"),
        ("utf16be.csv", b"\xfe\xff" + SVG.decode().encode("utf-16-be"), "SVG in UTF-16, the other way round"),
        ("utf7.txt", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "HTML in UTF-7"),
        ("page.pdf", HTML, "HTML named as a PDF"),
        ("page.docx", HTML, "HTML named as Word"),
        ("table.csv", b"unit,share\n1," + SCRIPT, "CSV that holds HTML"),
        ("page.csv", HTML, "HTML named as a table"),
        ("page.jpg", HTML, "HTML named as an image"),
        ("frame.txt", "ผล ".encode() + b"<IFRAME src=//example.org>", "a frame in text"),
        ("thai.txt", THAI.encode("cp874") + SCRIPT, "a script in old Thai text"),
        ("plain.html", THAI.encode(), "text named as a web page"),
        ("picture.gif", GIF, "GIF that is a script too"),
        ("picture.jpg", GIF, "GIF named as another image"),
        ("zip.pdf", pdf() + archive, "PDF with an archive behind it"),
        ("zipped.pdf", pdf()[:-6] + archive + b"\n%%EOF\n", "PDF around an archive"),
        ("web.pdf", pdf().replace(b"\n", b"\n" + HTML + b"\n", 1), "PDF that is a web page too"),
        ("web-behind.pdf", pdf() + HTML, "PDF with a web page behind it"),
        ("late.pdf", b"\n" + pdf(), "PDF that does not begin at once"),
        ("cut.pdf", pdf()[:-7], "PDF without its end"),
        ("old.pdf", b"%PDF-9.9\n%%EOF", "PDF of no version"),
        ("zip.png", png + archive, "PNG with an archive behind it"),
        ("php.jpg", jpg + PHP, "JPEG with PHP behind it"),
        ("html.jpg", jpg + HTML, "JPEG with HTML behind it"),
        ("script.webp", webp + SCRIPT, "WebP with a script behind it"),
        ("svg.png", png + b"\n" + SVG, "PNG with SVG behind it"),
        ("html-zip.zip", HTML + archive, "archive behind HTML"),
        ("html-docx.docx", HTML + word, "Word file behind HTML"),
        ("zip-html.zip", archive + HTML, "archive before HTML"),
        ("comment.zip", pack({"a.txt": "a"}, comment=HTML), "archive with HTML in its comment"),
        ("shifted.zip", forge([Packed(name=b"a.txt", before=b"PK\3\4" + HTML)]), "hidden start"),
        ("gap.zip", forge([twice, Packed(name=b"b.txt", before=HTML)]), "HTML between two entries"),
        ("setup.pdf", EXE, "program named as a PDF"),
        ("photo.jpg", ELF, "program named as an image"),
        ("setup.exe", EXE, "program"),
        ("pdf.png", pdf(), "PDF named as an image"),
        ("png.pdf", png, "image named as a PDF"),
        ("zip.docx", archive, "archive named as Word"),
        ("plain-archive", archive, "archive that does not say so"),
        ("archive.xlsm", sheet, "workbook named as one with macros"),
        ("word.xlsx", word, "Word named as Excel"),
        ("libre.docx", text, "LibreOffice named as Word"),
        ("word.zip", word, "Word named as an archive"),
        ("data.xlsx", b'<?xml version="1.0"?><Workbook/>', "XML named as Excel"),
        ("double.pdf.exe", pdf(), "PDF named as a program"),
        ("notes.rtf", rb"{\rtf1 text}", "RTF"),
        ("music.webp", wave(), "sound named as an image"),
        ("../../etc/passwd.pdf", EXE, "program under a path"),
        ("..\\..\\x.pdf", HTML, "web page under a path"),
        ("a\0b.txt", ELF, "program with NUL in its name"),
        ("ก" * 300 + ".pdf", HTML, "web page with a long name"),
        ("\u202egpj.exe", EXE, "program with its name turned round"),
        ("x.pdf\r\nSet-Cookie: a=b", HTML, "web page with a header in its name"),
        ("..", EXE, "program with only dots for a name"),
        ("nested.zip", nested_bomb(), "archives in archives"),
        ("zeros.zip", forge([Packed(name=b"0.txt", data=bomb, method=8, size=1 << 30)]), "a GB of zeros"),
        ("zeros.docx", forge([Packed(name=b"0.xml", data=bomb, method=8, size=1 << 30)]), "a GB of zeros for Word"),
        ("liar.zip", forge([Packed(name=b"0.txt", data=bomb, method=8, size=1000, checksum=0)]), "a GB declared small"),
        ("prefix.zip", forge([Packed(name=b"0", data=zeros(1 << 20), method=8, size=4, checksum=zlib.crc32(bytes(4)))]),
         "more unpacked than declared, with the checksum of the beginning"),
        ("overlap.zip", overlapping(3), "entries that share their content"),
        ("overlaps.zip", overlapping(200), "many entries that share their content"),
        ("many.zip", many_files(), "too many entries"),
        ("untold.zip", forge([Packed(name=b"%d" % n, data=b"") for n in range(6_000)], count=1), "entries not counted"),
        ("packed.zip", pack({"a.txt": bytes(1000)}, compression=zipfile.ZIP_LZMA), "packed by LZMA"),
        ("slip.zip", pack({"../../a.txt": "a"}), "out of its folder"),
        ("absolute.zip", pack({"/etc/cron.d/a": "a"}), "from the root"),
        ("drive.zip", pack({"C:/a.txt": "a"}), "to a drive"),
        ("backslash.zip", pack({"..\\a.txt": "a"}), "out of its folder on Windows"),
        ("slip.docx", open_xml("docx", more={"../a.xml": "a"}), "Word file that leads out"),
        ("nul.zip", forge([Packed(name=b"a.txt\0.exe")]), "NUL in the name of an entry"),
        ("unicode.zip", forge([Packed(name=b"a.txt", extra=b"\x75\x70\x0a\x00\x01\0\0\0\0a.exe")]), "a second name"),
        ("link.zip", forge([Packed(name=b"a.txt", data=b"/etc/passwd", mode=0o120777)]), "link to elsewhere"),
        ("locked.zip", forge([Packed(name=b"a.txt", flags=1)]), "password"),
        ("twice.zip", forge([twice, Packed(name=b"A.txt", data=b"other")]), "one name twice"),
        ("renamed.zip", forge([Packed(name=b"a.txt", local_name=b"a.exe")]), "an entry of two names"),
        ("checksum.zip", forge([Packed(name=b"a.txt", checksum=1)]), "wrong checksum"),
        ("folder.zip", forge([Packed(name=b"a.exe/", data=EXE)]), "folder with content"),
        ("cut.zip", archive[:-30], "archive cut"),
        ("cut.docx", word[:-200], "Word file cut"),
        ("empty.zip", pack({}), "archive of nothing"),
        ("folders.zip", pack({"a/": ""}), "archive of a folder"),
        *((f"holds-{name}.zip", pack({"ก.pdf": "a", f"งาน/{name}": "a"}), f"archive with {name}")
          for name in ("a.exe", "a.JS", "a.html", "a.svg", "a.docm", "a.lnk", "a.exe. ", "a.7z", "a.zip", "a.tar.gz",
                       "a.exe:b.txt")),
        ("holds-program.zip", pack({"a.pdf": EXE}), "archive with a program named as a PDF"),
        ("holds-archive.zip", pack({"a.pdf": archive}), "archive with an archive named as a PDF"),
        ("macros.docx", disguised_macros(), "macros in a file named as without"),
        ("macros.docm", disguised_macros(), "macros"),
        ("vba.docx", open_xml("docx", more={"word/vbaProject.bin": OLE}), "macros without a content type"),
        ("binary.xlsx", open_xml("xlsx", type_="application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "xlsb"),
        ("template.docx", open_xml("docx", type_=f"{OPEN_XML}.wordprocessingml.template.main+xml"), "template"),
        ("entities.docx", open_xml("docx", types=entity_bomb()), "entities without end"),
        ("types.docx", open_xml("docx", types="<Types"), "broken list of types"),
        ("long.docx", open_xml("docx", types=word_types + f"<!--{'x' * 2_000_000}-->"),
         "list of types beyond what is read"),
        ("partless.docx", pack({"[Content_Types].xml": content_types(part, "x")}), "no main part"),
        ("both.docx", open_document(more={"[Content_Types].xml": word_types}), "two kinds in one"),
        ("macros.odt", open_document(more={"Basic/Standard/Module1.xml": "x"}), "LibreOffice with macros"),
        ("python.ods", open_document("spreadsheet", more={"Scripts/python/a.py": "x"}), "LibreOffice with Python"),
        ("locked.odt", open_document(manifest="<encryption-data/>"), "LibreOffice with a password"),
        ("squeezed.odt", open_document(compression=zipfile.ZIP_DEFLATED), "type packed"),
        ("late.odt", open_document(first="later"), "type not first"),
        ("slides.odp", open_document("presentation"), "LibreOffice of another kind"),
        ("table.xls", OLE, "old Excel"),
        ("secret.docx", OLE, "Word with a password"),
        ("run.txt", b"#!/bin/sh\nrm -rf ~\n", "shell script"),
        ("run.csv", b"@echo off\r\ndel *.*\r\n", "batch file"),
        ("php.txt", PHP, "PHP"),
        ("print.txt", b"%!PS-Adobe-3.0\n", "PostScript"),
        ("nothing.pdf", b"", "empty"),
        ("nothing.txt", b"", "empty text"),
        ("cut.png", png[:-30], "PNG cut"),
        ("crc.png", png.replace(b"IDAT", b"IDAT\1", 1)[:-1], "PNG garbled"),
        ("cut.jpg", jpg[: len(jpg) // 2], "JPEG cut"),
        ("cut.webp", webp[:-20], "WebP cut"),
        ("bare.jpg", b"\xff\xd8\xff\xe0", "JPEG of nothing"),
        ("notes.jpg", jpg[:2] + (b"\xff\xe1\x00\x0aExif\0\0II" * 17) + jpg[2:], "JPEG of endless notes"),
        ("chunks.png", png[:33] + chunk(b"abCd", b"") * 50_001 + png[33:], "PNG of endless parts"),
        ("huge.png", huge_png(), "50,000 × 50,000 pixels"),
        ("large.png", huge_png(10_001), "a little more than 100 million pixels"),
        ("huge.webp", huge_webp(), "16,383 × 16,383 pixels"),
        ("nul.txt", b"text\0text", "text with NUL"),
        ("control.txt", b"\x1b[2J\x07text", "text with control characters"),
        ("delete.csv", b"a,b\x7f\n", "table with a control character"),
        ("junk.txt", bytes(range(0xA0, 0x100)) * 20, "Latin junk"),
        ("french.txt", "déjà vu à l'été, forêt, ça, œuvre".encode("latin-1", "replace") * 9, "another code page"),
        ("marks.txt", bytes([0xE9, 0x20]) * 500, "Thai marks on nothing"),
        ("half.txt", THAI.encode("utf-16-le"), "UTF-16 without BOM"),
        ("wide.txt", THAI.encode("utf-32"), "UTF-32"),
        ("film.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 9, "film"),
        ("archive.rar", b"Rar!\x1a\x07\x01\x00" + bytes(range(256)), "another packer"),
    ]  # fmt: skip
    fine = [
        ("../../etc/passwd.pdf", "passwd.pdf", "path"),
        ("..\\..\\x.pdf", "x.pdf", "path on Windows"),
        ("a\0b.pdf", "ab.pdf", "NUL"),
        ("x" * 300 + ".pdf", "x" * 133 + "…" + "x" * 62 + ".pdf", "too long"),
        ("ผู้" * 100 + ".pdf", "ผู้" * 45 + "…" + "ผู้" * 20 + ".pdf", "too long in Thai"),
        ("\u202efdp.pdf", "fdp.pdf", "turned round"),
        ("รายงาน.pdf. . ", "รายงาน.pdf", "dots behind"),
        ("....", "file", "only dots"),
        ("CON.pdf", "_CON.pdf", "device"),
        ('x"\r\nSet-Cookie: a=b.pdf', "x_ Set-Cookie_ a=b.pdf", "header"),
    ]
    return [
        *(HostileFile(*each) for each in files),
        *(HostileFile(name, pdf(), why, is_fine=True, cleaned=cleaned) for name, cleaned, why in fine),
    ]


@cache
def good_files():
    """Name, content and kind of files from an office."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>", zip=True)
    return [
        ("รายงาน.pdf", pdf(), "pdf"),
        ("ตาราง.PDF", pdf() + b"\n\n", "pdf"),
        ("รายงาน.docx", open_xml("docx"), "docx"),
        ("ต้นแบบ.docx", open_xml("docx", types=content_types("x.xml", "x").replace("application/xml", MAIN["docx"][1])),
         "docx"),
        ("ตาราง.xlsx", workbook(), "xlsx"),
        *((f"{number}.xlsx", ODDITIES[name](workbook()), "xlsx") for number, name in enumerate(MENTION_MACROS)),
        ("ส่งออก.xlsx", zip64({name: zipfile.ZipFile(io.BytesIO(workbook())).read(name)
                              for name in zipfile.ZipFile(io.BytesIO(workbook())).namelist()}), "xlsx"),
        ("นำเสนอ.pptx", open_xml("pptx"), "pptx"),
        ("รายงาน.odt", open_document(), "odt"),
        ("ตาราง.ods", open_document("spreadsheet"), "ods"),
        ("ภาพ.png", image("PNG"), "png"),
        ("จอ.png", image("PNG", pnginfo=text), "png"),
        ("ภาพ.jpg", image("JPEG"), "jpg"),
        ("ภาพ.jpeg", image("JPEG", (400, 300), progressive=True, quality=95), "jpg"),
        ("มือถือ.jpg", image("JPEG") + bytes(500), "jpg"),
        ("ภาพ.webp", image("WEBP"), "webp"),
        ("วาด.webp", image("WEBP", lossless=True), "webp"),
        ("มือถือ.png", image("JPEG"), "jpg"),
        ("บันทึก.txt", THAI.encode(), "txt"),
        ("บันทึก bom.txt", b"\xef\xbb\xbf" + THAI.encode() * 9_000, "txt"),
        ("less.txt", "ร้อยละ < 80 และ > 60 (ก<ข)\n".encode(), "txt"),
        ("ตาราง.csv", ("ที่,หน่วยงาน,ผู้รับผิดชอบ\r\n" + THAI + "“ก” – “ข”").encode("cp874"), "csv"),
        ("excel.csv", THAI.encode("utf-16"), "csv"),
        ("ตัวเลข.csv", b"a,b\n1,2\n", "csv"),
        ("หลักฐาน.zip", pack({"งาน/": "", "งาน/รายงาน.pdf": pdf(), "งาน/ก.docx": open_xml("docx")}), "zip"),
        ("comment.zip", pack({"a.txt": "a"}, comment="รอบ ๖ เดือน".encode()), "zip"),
        ("รายงานไม่มีนามสกุล", pdf(), "pdf"),
        ("ครั้งที่ 2.2563", open_xml("docx"), "docx"),
        ("ที่ผู้ใหญ่ให้น้ำไว้.pdf", pdf(), "pdf"),
    ]  # fmt: skip
