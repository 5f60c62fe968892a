"""Files of kinds that are not read: each is named for what it is."""

from __future__ import annotations

import gzip

import pytest
from poison.formats import compound, zipped
from test_reading_formats import read, refused


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"ods_code": "RHU"}', "JSON"),
        (b'\xef\xbb\xbf [\n {"a": 1}]', "JSON"),
        (b"<?xml version='1.0'?><rows><row/></rows>", "XML of a kind"),
        (b'<office:document xmlns:office="x">', "flat OpenDocument"),
        (b"Received: by x\r\n\tid 7\r\nFrom: a@nhs.example\r\nSubject: return\r\n\r\nhello", "an e-mail"),
        (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\nContent-Type: multipart/related;\r\n", "web archive"),
        (b"%PDF-1.4", "a PDF"),
        (b"{\\rtf1 x}", "RTF"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\xff\xd8\xff\xe0", "an image"),
        (b"MZ\x90\0", "a program"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\0\1\0\0Standard Jet DB\0", "Access"),
        (b"$FL2@(#) SPSS DATA FILE", "SPSS"),
        (bytes(12) + b"\xc2\xea\x81\x60", "SAS"),
        (b"RDX3\nX\n", "file of R"),
        (gzip.compress(b"X\n\0\0\0\3", mtime=0), "file of R"),
        (b"ARROW1\0\0", "Arrow"),
        (b"Rar!\x1a\7", "RAR"),
        (b"ID;PWXL;N;E\r\nC;Y1;X1\r\n", "symbolic link"),
        (zipped({"word/document.xml": "x", "[Content_Types].xml": "x"}), "word-processor"),
        (zipped({"ppt/presentation.xml": "x"}), "presentation"),
        (zipped({"Index/Document.iwa": "x"}), "Numbers"),
        (zipped({"buildVersionHistory.plist": "x", "index.xml": "<x/>", "cover.jpg": b"\xff\xd8\xff"}), "Numbers"),
        (b"From: a@x\r\nTo: b@y\r\nSubject: return\r\nContent-Type: multipart/related;\r\n\r\n", "an e-mail"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "x"}), "word-processor"),
        (compound(bytes(4096)).replace("Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le")), "Office"),
        (compound(bytes(4096)).replace("Workbook".encode("utf-16-le"), "QUILL\0\0\0".encode("utf-16-le")), "Office"),
        (b"\0\0\x02\0\x06\x04\x06\0\x08\0" + bytes(40), "Lotus"),
        (b"\xff\0\x02\0\x04\x04\x06\0" + bytes(40), "Works"),
        (b"\0\0\x02\0\x02\x10\xc9\0" + bytes(40), "Quattro Pro"),
        (b"\x03\x7b\x0b\x1a\1\0\0\0\x41\0\x09\0" + bytes(52) + b"\r RHU     5\x1a", "dBase"),
        (b'TABLE\r\n0,1\r\n"EXCEL"\r\n', "interchange"),
        (b"<gmr:Workbook xmlns:gmr='http://www.gnumeric.org/v10.dtd' xmlns:office='urn:office:1.0'>", "Gnumeric"),
        (b"<p:notes xmlns:p='urn:slides'><p:text>A table</p:text></p:notes>", "XML of a kind"),
        (b"<html><title>Sign in</title><p>Your session has expired", "web page without a table"),
        (bytes(range(256)) * 40, "binary"),
        (b"RHU;" + bytes((n * 7919 >> 3) % 256 for n in range(9_000)), "binary"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, said: str) -> None:
    problem = refused(data)
    assert problem.rule == "file_kind"
    assert said in problem.message
    assert "Latin-1" not in problem.message


def test_names_that_look_like_a_mark_are_text() -> None:
    for text in (
        "MZ,b\n1,2\n",
        "RDX,ORC\n1,2\n",
        "ID;Provider\n1;2\n",
        "[x],b\n",
        "Date: 11 April\na,b\n",
        "<5,b\n",
        "{x},b\n",
    ):
        assert read(text.encode()).sheets, text


def test_a_damaged_or_locked_file_is_not_called_what_it_may_not_be() -> None:
    document = zipped({"word/document.xml": "x" * 99})
    assert refused(document[:-30]).message == "the file is cut short or damaged: its end is missing"
    locked = compound(bytes(4096)).replace("Workbook".encode("utf-16-le"), "EncryptedPackage".encode("utf-16-le")[:16])
    assert refused(locked + "EncryptedPackage".encode("utf-16-le")).message == "the file has a password"
    bare = refused(zipped({"content.xml": "<x/>", "META-INF/manifest.xml": "<x/>", "styles.xml": ""}))
    assert (bare.rule, "parts of a workbook" in bare.message) == ("file_damaged", True)


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be"])
def test_four_bytes_a_character_are_text_and_not_a_binary(encoding: str) -> None:
    problem = refused("Trust,Caf\u00e9\r\nRHU,5\r\n".encode(encoding))
    assert (problem.rule, "UTF-32" in problem.message) == ("encoding", True)
