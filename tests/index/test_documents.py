"""Texts in pieces: what is looked at is what the whole text has there, and no more is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import docqa.index.documents as documents_module
from docqa.index.errors import IndexDamagedError
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.ingest.document import Document, Heading
from docqa.ingest.reading_text import reading_text
from docqa.ingest.windows import Window, WindowSettings

TEXT = "one\ntwo\r\nthree\rfour\n\n\r\n\r\rfive é \U0001f600 six\r\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(documents_module, "PIECE_CHARS", 5)
    return Store.create(tmp_path, IndexSettings("e", "s", 4, WindowSettings(), "{}"))


def put(store: Store, document: Document) -> int:
    one = np.array([1], np.int32)
    window = Window(0, len(document.text), one, np.array([[0, 1]], np.int32))
    store.put(document, [window], np.ones((1, 4), np.float32) / 2)
    return store.document_ids()[-1]


def test_a_stored_document_is_the_document_that_was_put(store: Store) -> None:
    document = Document(
        "/d/a.md",
        "markdown",
        TEXT,
        (0, 12, 20),
        "hash",
        9,
        7,
        title="Numbers",
        outline=(Heading("One", 1, 0), Heading("Three", 2, 9)),
        gaps=("page 4 is a picture without text",),
    )
    id_ = put(store, document)
    stored = store.document(id_)
    assert store.full_document(id_) == document
    for name in ("path", "format", "length", "title", "outline", "gaps", "page_starts"):
        assert getattr(stored, name) == getattr(document, name)
    for start in range(len(TEXT) + 1):
        assert stored.line_at(start) == document.line_at(start), start
        assert stored.page_at(start) == document.page_at(start)
        for end in range(start, len(TEXT) + 3):
            assert stored.slice(start, end) == TEXT[start:end]


def test_formats_without_lines_and_pages_have_none(store: Store) -> None:
    stored = store.document(put(store, Document("/d/a.html", "html", TEXT, (), "h", 9, 7)))
    assert (stored.line_at(4), stored.page_at(4)) == (None, None)


def test_only_the_pieces_that_are_looked_at_are_read(store: Store) -> None:
    stored = store.document(put(store, Document("/d/a.txt", "text", TEXT * 20, (), "h", 9, 7)))
    store.db.execute("delete from pieces where number > 3 and number < 20")
    assert stored.slice(3, 18) == TEXT[3:18]
    assert stored.line_at(17) is not None
    with pytest.raises(IndexDamagedError, match="missing"):
        stored.slice(22, 30)
    with pytest.raises(IndexDamagedError, match="characters"):
        store.full_document(stored.id)


def test_words_are_found_that_a_line_s_end_parts(store: Store) -> None:
    """Fault: "observa-" and "tory" were indexed, and never the word that they make."""
    text = "The observa\u00ad\ntory was paid for by dona\u00adtions."
    put(store, Document("/d/a.pdf", "pdf", text, (), "h", 9, 7))
    match = "select count(*) from windows_fts where windows_fts match ?"
    assert store.db.execute(match, ["observatory donations"]).fetchone() == (1,)
    [kept] = store.db.execute("select text, searched_text from windows").fetchall()
    assert kept == (text, f"a\n{reading_text(text)}")


def test_words_are_found_that_stand_in_headings_above_alone(store: Store) -> None:
    text = "Sixty days before the end of a quarter, in writing."
    outline = (Heading("Notice periods", 1, 0),)
    put(store, Document("/d/a.pdf", "pdf", text, (), "h", 9, 7, title="Lease", outline=outline))
    match = "select count(*) from windows_fts where windows_fts match ?"
    assert store.db.execute(match, ["lease quarter"]).fetchone() == (1,)
