"""A folder of hostile and broken files with good ones among them, for tests."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from pathlib import Path

# What every good file holds.
GOOD_TEXT = "The lease ends in May"


def make_bad_folder(folder: Path, huge_mb: int = 300) -> dict[str, str]:
    """Fill a folder.

    Args:
        folder: made if need be.
        huge_mb: size of the file of one line, in MiB (sparse: it takes no room on disk).

    Returns:
        For each file that can't be read, its name and what must be in its error. Every other file
        in the folder is good and holds ``GOOD_TEXT``. A file without permission is among the bad
        ones only where permissions count, which they don't for root.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bad = _bad_pdfs(folder) | _bad_texts(folder, huge_mb) | _bad_entries(folder)
    _zip_bomb(folder / "bomb.docx")
    bad["bomb.docx"] = "unpacks to more"
    _good(folder)
    return bad


def _bad_pdfs(folder: Path) -> dict[str, str]:
    from pypdf import PdfReader, PdfWriter

    good = _pdf(b"BT /F1 12 Tf 72 720 Td (" + GOOD_TEXT.encode() + b") Tj ET")
    (folder / "good.pdf").write_bytes(good)
    (folder / "truncated.pdf").write_bytes(good[: len(good) // 3])
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(good)))
    writer.encrypt("secret", algorithm="RC4-128")
    with (folder / "encrypted.pdf").open("wb") as file:
        writer.write(file)
    (folder / "loop.pdf").write_bytes(good.replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"))
    bomb = zlib.compressobj(9)
    blank = b" " * (1 << 20)
    packed = b"".join(bomb.compress(blank) for _ in range(2048)) + bomb.flush()
    (folder / "bomb.pdf").write_bytes(_pdf(packed, b"/Filter /FlateDecode "))
    return {"truncated.pdf": "", "encrypted.pdf": "encrypted", "loop.pdf": "", "bomb.pdf": "page 1"}


def _bad_texts(folder: Path, huge_mb: int) -> dict[str, str]:
    (folder / "nuls.txt").write_bytes(b"some\0text\0with\0nuls\n" * 50)
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 64)
    (folder / "empty.txt").touch()
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(huge_mb << 20)
    return {
        "nuls.txt": "binary",
        "binary.txt": "binary",
        "empty.txt": "no text",
        "huge.txt": "--max-file-mb",
    }


def _bad_entries(folder: Path) -> dict[str, str]:
    (folder / "loop-a.txt").symlink_to("loop-b.txt")
    (folder / "loop-b.txt").symlink_to("loop-a.txt")
    (folder / "dangling.txt").symlink_to("nowhere.txt")
    os.mkfifo(folder / "fifo.txt")
    bad = dict.fromkeys(("loop-a.txt", "loop-b.txt", "dangling.txt"), "link")
    bad["fifo.txt"] = "regular file"
    if os.geteuid() != 0:
        (folder / "forbidden.txt").write_text(GOOD_TEXT)
        (folder / "forbidden.txt").chmod(0)
        bad["forbidden.txt"] = "permission"
    return bad


def _good(folder: Path) -> None:
    (folder / "good.txt").write_text(GOOD_TEXT + ".\n")
    (folder / "latin1.txt").write_bytes((GOOD_TEXT + ", für die Straße.\n").encode("latin-1"))
    (folder / "utf16.txt").write_bytes((GOOD_TEXT + ", € 500.\n").encode("utf-16"))
    (folder / "a\nnewline.txt").write_text(GOOD_TEXT)
    (folder / os.fsdecode(b"undecodable-\xff\xfe.txt")).write_text(GOOD_TEXT)
    depth = 100_000
    deep = "<div>" * depth + GOOD_TEXT + "</div>" * depth
    (folder / "deep.html").write_text(f"<html><body>{deep}</body></html>")
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    (folder / "entities.html").write_text(
        f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY e0 "lol">{entities}]>'
        f"<html><body><p>{GOOD_TEXT}</p><p>&e12;</p></body></html>"
    )


def _pdf(content: bytes, filters: bytes = b"") -> bytes:
    """A PDF of one page, by hand, so that each part of it can be spoilt."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< %b/Length %d >>\nstream\n%b\nendstream" % (filters, len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(out)


def _zip_bomb(path: Path) -> None:
    """A Word document of a few MB whose body inflates to 2 GiB."""
    import docx

    empty = io.BytesIO()
    docx.Document().save(empty)
    blank = b" " * (1 << 20)
    with (
        zipfile.ZipFile(empty) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        for name in source.namelist():
            if name != "word/document.xml":
                target.writestr(name, source.read(name))
        with target.open("word/document.xml", "w", force_zip64=True) as file:
            for _ in range(2048):
                file.write(blank)
