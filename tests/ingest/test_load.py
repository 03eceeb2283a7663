from __future__ import annotations

import errno
import gzip
import hashlib
import os
import sys
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.ingest import formats
from docqa.ingest.document import Heading, LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.ligatures import without_ligatures
from docqa.ingest.load import load


@given(
    st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("\r\n"), min_size=1)
)
def test_offsets_hold_in_the_decoded_file(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    if not text.strip() or text[0] == "\ufeff":
        return
    path = tmp_path_factory.getbasetemp() / "a.txt"
    path.write_bytes(text.encode())
    document = load(str(path), LoadLimits())
    assert document.text == without_ligatures(text)
    assert document.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("limits", "error"),
    [(LoadLimits(max_file_mb=1), "--max-file-mb"), (LoadLimits(max_chars=10), "split it")],
)
def test_limits_of_size(tmp_path: Path, limits: LoadLimits, error: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("word " * 300_000)
    with pytest.raises(IngestError, match=error):
        load(str(path), limits)


@pytest.mark.parametrize(
    "raised", [MemoryError(), RecursionError(), KeyError("a\nb"), ValueError()]
)
def test_whatever_a_parser_raises_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def fail(data: bytes) -> Extracted:
        raise raised

    monkeypatch.setattr("docqa.ingest.formats.pdf.extract_pdf", fail)
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(IngestError) as caught:
        load(str(tmp_path / "a.pdf"), LoadLimits())
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert type(raised).__name__ not in str(caught.value)
    assert not caught.value.passing


def test_characters_that_nothing_can_store_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docqa.ingest.load.extract", lambda format, data: Extracted("a\0b\ud800c"))
    (tmp_path / "a.pdf").write_text("x")
    assert load(str(tmp_path / "a.pdf"), LoadLimits()).text == "a\ufffdb\ufffdc"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="folder"):
        load(str(tmp_path), LoadLimits())


def test_suffixes_name_formats() -> None:
    assert formats.format_of("/a/B.HTM").name == "html"
    assert formats.format_of("/a/b.log").name == "text"
    assert formats.format_of("/a/b.md.gz").name == "markdown"
    assert [formats.is_supported(name) for name in ("a.TXT.gz", "a.tar.gz", "a.gz")] == [
        True,
        False,
        False,
    ]


def test_every_format_has_a_loader_and_suffixes_of_its_own() -> None:
    suffixes = [suffix for format in formats.FORMATS for suffix in format.suffixes]
    assert len(suffixes) == len(set(suffixes))
    for format in formats.FORMATS:
        module, function = format.loader.split(":")
        assert callable(getattr(import_module(f"docqa.ingest.formats.{module}"), function))


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docqa.ingest.formats.docx", None)
    with pytest.raises(IngestError, match="pip install lxml"):
        formats.extract("docx", b"x")


@pytest.mark.parametrize(
    ("number", "passing"),
    [
        (errno.EIO, True),
        (errno.EACCES, True),
        (errno.EMFILE, True),
        (errno.ENOMEM, True),
        (errno.ESTALE, True),
        (errno.ETIMEDOUT, True),
        (errno.ENOENT, False),
        (errno.ELOOP, False),
    ],
)
def test_errors_of_disk_and_network_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, passing: bool
) -> None:
    def fail(*arguments: object) -> int:
        raise OSError(number, "in the system's words")

    monkeypatch.setattr("docqa.ingest.load.os.open", fail)
    with pytest.raises(IngestError) as caught:
        load(str(tmp_path / "a.txt"), LoadLimits())
    assert caught.value.passing == passing


def test_a_file_that_is_being_written_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    fstat = os.fstat

    def status(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        path.write_text("after it was opened")
        return found

    monkeypatch.setattr("docqa.ingest.load.os.fstat", status)
    with pytest.raises(IngestError, match="changed") as caught:
        load(str(path), LoadLimits())
    assert caught.value.passing


def test_gzipped_text_is_read_and_bombs_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.md.gz").write_bytes(gzip.compress(b"# One\n") + gzip.compress(b"two\n"))
    document = load(str(tmp_path / "a.md.gz"), LoadLimits())
    assert (document.format, document.text) == ("markdown", "One\n\ntwo")
    assert document.line_at(6) == 2
    for data, error in [
        (gzip.compress(b" " * (3 << 20)), "unpacks to more than 1 MB"),
        (gzip.compress(b"words")[:-9], "cut short"),
        (b"words", "not a gzip file"),
        (gzip.compress(b"words") + b"more", "not a gzip file"),
    ]:
        (tmp_path / "a.txt.gz").write_bytes(data)
        with pytest.raises(IngestError, match=error):
            load(str(tmp_path / "a.txt.gz"), LoadLimits(max_file_mb=1))


def test_titles_headings_and_gaps_are_words_on_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracted = Extracted(
        "text", (), " The\x1b[2J\n title ", (Heading("\n", 1, 0), Heading("a\tb", 1, 2)), ("g\nap",)
    )
    monkeypatch.setattr("docqa.ingest.load.extract", lambda format, data: extracted)
    (tmp_path / "a.pdf").write_text("x")
    document = load(str(tmp_path / "a.pdf"), LoadLimits())
    assert document.title == "The[2J title"
    assert document.outline == (Heading("a b", 1, 2),)
    assert document.gaps == ("g ap",)
