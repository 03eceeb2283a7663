from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.ingest import formats
from docqa.ingest.document import LoadLimits
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
    def fail(format: str, data: bytes) -> Extracted:
        raise raised

    monkeypatch.setattr("docqa.ingest.load.extract", fail)
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(IngestError) as caught:
        load(str(tmp_path / "a.pdf"), LoadLimits())
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


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
    assert formats.format_of("/a/B.HTM") == "html"
    assert formats.format_of("/a/b.log") == "text"
