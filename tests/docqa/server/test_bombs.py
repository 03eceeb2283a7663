"""Uploads that grow without end when they are opened: each costs itself, and the server goes on."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from docqa.ingest.formats import recognition
from docqa.server.settings import ServerSettings
from tests.docqa.server.conftest import client_of
from tests.docqa.server.test_uploads import listed, upload
from tests.pdfs import by_hand

pytestmark = pytest.mark.slow

_MB = 1 << 20
_LAUGHS = (
    "<!DOCTYPE x ["
    + '<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    + '<!ENTITY file SYSTEM "file:///etc/passwd">]>'
)


def _zipped(**members: str | bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return file.getvalue()


def _overlapping(copies: int) -> bytes:
    """A zip whose members all are the same bytes of it."""
    file = io.BytesIO(_zipped(content=b" " * 8 * _MB))
    with zipfile.ZipFile(file, "a") as archive:
        first = archive.infolist()[0]
        for n in range(copies):
            twin = zipfile.ZipInfo(f"{n}.xml")
            for name in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(twin, name, getattr(first, name))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
        archive._didModify = True  # type: ignore[attr-defined]
    return file.getvalue()


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress(bytes(10 * _MB), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _picture_pdf(width: int, height: int) -> bytes:
    """A PDF whose page is a picture of a few bytes that says it has these many pixels."""
    data = zlib.compress(bytes(20 * _MB), 1)
    picture = (
        b"6 0 obj\n<< /Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 "
        b"/ColorSpace /DeviceRGB /Filter /FlateDecode /Length %d >>\n"
        b"stream\n%b\nendstream\nendobj\n"
    ) % (width, height, len(data), data)
    words = b"BT /F1 12 Tf 72 720 Td (The rent is 12.) Tj ET q 500 0 0 700 20 20 cm /I Do Q"
    return by_hand(words, b"/XObject << /I 6 0 R >>", picture)


def bombs() -> dict[str, bytes]:
    """Files by their names."""
    blanks = b" " * 130 * _MB  # what is packed may unpack to 128 MB
    return {
        "zip.docx": _zipped(word__document=blanks),
        "zip.odt": _zipped(content=blanks),
        "overlapping.odt": _overlapping(500),
        "gzip.txt.gz": gzip.compress(blanks, 1),
        "laughs.odt": _zipped(content=f"{_LAUGHS}<x><p>&a12;&file;</p></x>"),
        "laughs.docx": _zipped(word__document=f"{_LAUGHS}<x><p>&a12;&file;</p></x>"),
        "laughs.xhtml": f'<?xml version="1.0"?>{_LAUGHS}<html><p>&a12;&file;</p></html>'.encode(),
        "stream.pdf": by_hand(zlib.compress(blanks, 1)).replace(
            b"<< /Length", b"<< /Filter /FlateDecode /Length", 1
        ),
        "picture.pdf": _picture_pdf(60_000, 60_000),
        "large.pdf": by_hand(
            b"BT /F1 12 Tf (x) Tj ET", page=b"/MediaBox [0 0 14000000 9000000]"
        ).replace(b"/MediaBox [0 0 595 842] ", b""),
        "deep.json": b"[" * 1_000_000,
        "deep.html": b"<div>" * 500_000 + b"x",
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, tiny_reader: Path) -> ServerSettings:
    home = tmp_path_factory.mktemp("bombed")
    return ServerSettings(index=home / ".docqa", reader=str(tiny_reader), allow_changes=True)


def test_bombs_cost_themselves(settings: ServerSettings) -> None:
    with client_of(settings) as client:
        last = upload(client, ("good.txt", b"The rent is 12."), *bombs().items())[-1]
        assert last["stage"] == "done"
        reasons = {one["document"]: one["error"] for one in last["failures"]}
        home = str(settings.index.parent)
        for name, reason in reasons.items():
            assert home not in reason, name
            assert "Traceback" not in reason, name
        for name in ("zip.docx", "zip.odt", "overlapping.odt", "gzip.txt.gz"):
            assert name in reasons
        _see(client)
        found = client.post("/api/ask", json={"question": "What is the rent?"}).json()
        texts = [hit["text"] for hit in found["results"][0]["hits"]]
        assert any("The rent is 12." in text for text in texts)
        assert not any("root:" in text or "hahaha" in text for text in texts)


def _see(client: TestClient) -> None:
    """Look at the pages of those that could be read: a picture in its limits, or a reason."""
    for path, number in listed(client).items():
        if path.endswith(".pdf"):
            reply = client.get(f"/api/documents/{number}/page/1.png?width=2400")
            assert reply.status_code in (200, 404, 422), (path, reply.text)
            if reply.status_code == 200:
                width, height = struct.unpack(">II", reply.content[16:24])
                assert width * height <= 5_000_000
            else:
                assert reply.json()["error"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.png", _png(100_000, 100_000)),
        ("archive.zip", _zipped(a=b"x")),
        ("program.exe", b"MZ"),
        ("page.svg", b"<svg onload='alert(1)'/>"),
    ],
    ids=["picture", "archive", "program", "drawing"],  # an archive holds the time
)
def test_kinds_of_files_that_are_not_read_are_not_taken(
    settings: ServerSettings, name: str, content: bytes
) -> None:
    with client_of(settings) as client:
        if name.endswith(".png") and recognition.is_installed():
            assert upload(client, (name, content))[-1]["failures"][0]["error"]
            return
        reply = client.post("/api/documents", files={"files": (name, content)})
        assert reply.status_code == 422
        assert "files of this kind" in reply.json()["error"]
