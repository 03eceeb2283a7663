"""Archives: their members as documents, and what of them is refused."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from docqa.ingest.archives import file_of, is_archive, list_members
from docqa.ingest.document import Document, LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.load import load
from docqa.ingest.workers.pool import LoaderPool

_LIMITS = LoadLimits(max_file_mb=1)


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


MEMBERS = {"notes/lease.txt": b"The lease ends in May.", "b.md": b"# Fees\n\nTwo euros."}
KINDS = {
    "a.zip": zipped(MEMBERS),
    "a.tar": tarred(MEMBERS),
    "a.tar.gz": tarred(MEMBERS, "w:gz"),
    "a.tgz": tarred(MEMBERS, "w:gz"),
    "a.tar.bz2": tarred(MEMBERS, "w:bz2"),
    "a.TXZ": tarred(MEMBERS, "w:xz"),
}


@pytest.mark.parametrize("name", KINDS)
def test_members_are_documents(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(KINDS[name])
    assert is_archive(name)
    listing = list_members(str(path), LoadLimits())
    assert sorted(listing.members) == ["b.md", "notes/lease.txt"]
    document = load(f"{path}/notes/lease.txt", LoadLimits())
    assert (document.text, document.line_at(0)) == ("The lease ends in May.", 1)
    assert document.size == path.stat().st_size
    assert load(f"{path}/b.md", LoadLimits()).title == "Fees"
    assert file_of(document.path) == str(path)


def test_archives_in_archives_are_read_and_no_deeper(tmp_path: Path) -> None:
    inner = zipped({"c.txt": b"deep", "more.zip": zipped({"d.txt": b"deeper"})})
    path = tmp_path / "a.tar.gz"
    path.write_bytes(tarred({"x/b.zip": inner, "x/b.zip.txt": b"no archive"}, "w:gz"))
    listing = list_members(str(path), LoadLimits())
    assert listing.members == ("x/b.zip/c.txt", "x/b.zip.txt")
    assert "archives in an archive" in listing.gaps[0]
    assert load(f"{path}/x/b.zip/c.txt", LoadLimits()).text == "deep"


def test_members_that_lead_outside_are_left_out(tmp_path: Path) -> None:
    names = ("../up.txt", "/etc/passwd.txt", "C:\\a.txt", "a/../../b.txt", "..\\c.txt")
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({**dict.fromkeys(names, b"bad"), "good/../fine.txt": b"good"}))
    listing = list_members(str(path), LoadLimits())
    assert listing.members == ("fine.txt",)
    assert listing.gaps == ("left out: paths that lead outside the archive (5)",)
    assert os.listdir(tmp_path) == ["a.zip"]  # noqa: PTH208


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in (("a.txt", tarfile.SYMTYPE), ("b.txt", tarfile.LNKTYPE)):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, "/etc/passwd"
            archive.addfile(link)
        device = tarfile.TarInfo("c.txt")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
        archive.addfile(tarfile.TarInfo("d.txt"))
    path = tmp_path / "a.tar"
    path.write_bytes(file.getvalue())
    listing = list_members(str(path), LoadLimits())
    assert listing.members == ("d.txt",)
    assert listing.gaps == ("left out: links and devices (3)",)


def test_files_that_nobody_wrote_and_other_kinds(tmp_path: Path) -> None:
    members = {".git/a.txt": b"x", "__MACOSX/b.txt": b"x", "c.bin": b"x", "d.txt": b"x"}
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(members))
    listing = list_members(str(path), LoadLimits())
    assert listing.members == ("d.txt",)
    assert listing.gaps == ("left out, as docqa does not read such files: .bin (1)",)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.tar.gz", gzip.compress(bytes(20 << 20)), "unpacks to more than 10 MB"),
        ("a.tar.gz", b"no gzip", "damaged"),
        ("a.zip", b"no zip", "damaged"),
        ("a.zip", KINDS["a.zip"][:60], "damaged"),
        ("a.tar.xz", KINDS["a.TXZ"][:60], "damaged"),
        ("a.tar", b"x" * 2048, "damaged"),
        ("a.zip", zipped({f"{n}.txt": b"" for n in range(10_001)}), "more than 10,000 documents"),
        ("a.zip", zipped({f"{n}.txt": bytes(1 << 20) for n in range(11)}), "more than 10 MB"),
        ("a.zip", zipped({"a.bin": b""}), "holds nothing to read"),
        ("a.zip", zipped({"a.txt": bytes(2 << 20)}), "files larger than"),
    ],
    ids=itertools.count(),  # the bytes of an archive hold the time at which it was made
)
def test_archives_that_are_refused(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(IngestError, match=reason):
        list_members(str(path), _LIMITS)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_what_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path, name: str) -> None:
    content = {"a.txt": bytes(40 << 20)}
    path = tmp_path / name
    path.write_bytes(zipped(content) if name == "a.zip" else tarred(content, "w:gz"))
    with pytest.raises(IngestError, match="made to do harm"):
        list_members(str(path), LoadLimits())


def test_an_encrypted_member_costs_itself(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": b"secret", "b.txt": b"open"}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert list_members(str(path), LoadLimits()).members == ("a.txt", "b.txt")
    with pytest.raises(IngestError, match="encrypted"):
        load(f"{path}/a.txt", LoadLimits())
    assert load(f"{path}/b.txt", LoadLimits()).text == "open"


def test_a_damaged_member_costs_itself(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "spoilt")
        archive.writestr("b.txt", "whole")
    path = tmp_path / "a.zip"
    path.write_bytes(file.getvalue().replace(b"spoilt", b"spoilT"))
    with pytest.raises(IngestError, match="damaged"):
        load(f"{path}/a.txt", LoadLimits())
    assert load(f"{path}/b.txt", LoadLimits()).text == "whole"


def test_a_changed_archive_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"a.txt": b"one"}))
    assert load(f"{path}/a.txt", LoadLimits()).text == "one"
    path.write_bytes(zipped({"a.txt": b"two and more"}))
    assert load(f"{path}/a.txt", LoadLimits()).text == "two and more"
    with pytest.raises(IngestError, match="no longer in the archive"):
        load(f"{path}/b.txt", LoadLimits())


def test_members_come_through_the_workers(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(KINDS["a.tar.gz"])
    with LoaderPool(workers=1) as pool:
        ((listed, listing),) = pool.list_many([str(path)])  # type: ignore[misc]
        assert listed == str(path)
        documents = list(pool.load_many(f"{path}/{member}" for member in listing.members))
    assert all(isinstance(document, Document) for document in documents)
