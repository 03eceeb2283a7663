"""BM25: postings find what FTS5 finds, and are never needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import docqa.index.full_text as lexical
import docqa.index.postings as postings
from docqa.index.full_text import FullText
from docqa.index.postings import Postings
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.ingest.document import Document
from docqa.ingest.windows import Window, WindowSettings

WORDS = [
    "play", "player", "playing", "éclair", "house", "houses", "naïve", "snake_case", "a", "of",
    "the", "year", "1999", "zoo", "x", "running", "ran",
]  # fmt: skip
QUESTIONS = [
    "Who was playing, or did they play?", "ECLAIR houses", "What is snake_case?", "of the",
    "who is it?", "year 1999 zoo", "nothing known", "", '"quoted" OR (x NEAR y)*',
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(lexical, "FTS5_LIMIT", 50)
    monkeypatch.setattr(postings, "_NEW", 50)
    made = Store.create(tmp_path, IndexSettings("e", "s", 4, WindowSettings(), "{}"))
    for n in range(40):
        fill(made, n)
    return made


def fill(store: Store, number: int) -> None:
    """A document of ten windows of 5 to 300 words, some drawn more often than others."""
    rng = np.random.default_rng(number)
    lengths = rng.integers(5, 300, 10)
    weights = 1 / np.arange(1, len(WORDS) + 1) ** 2
    texts = [" ".join(rng.choice(WORDS, n, p=weights / weights.sum())) for n in lengths]
    windows, start = [], 0
    for text in texts:
        one = np.array([1], np.int32)
        windows.append(Window(start, start + len(text), one, np.array([[0, 1]], np.int32)))
        start += len(text) + 1
    vectors = np.ones((10, 4), np.float32) / 2
    document = Document(f"/{number}.txt", "text", " ".join(texts), (), "h", start, 0)
    store.put(document, windows, vectors)


def files(store: Store) -> list[Path]:
    return sorted(store.folder.glob("words-*"))


def assert_same(store: Store, question: str, limit: int = 25, tolerance: float = 1e-4) -> None:
    expected = FullText(None).search(store, question, limit)
    full_text = FullText.load(store)
    assert full_text.scorer is not None
    found = full_text.search(store, question, limit)
    assert len(found) == len(expected)
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], atol=tolerance)
    least = expected[-1][1] if expected else 0
    alike = {id_ for id_, score in expected if score > least + 2 * tolerance}
    assert alike <= {id_ for id_, _ in found}


@pytest.mark.parametrize("question", [q for q in QUESTIONS if "snake" not in q])
def test_postings_score_as_fts5_does(store: Store, question: str) -> None:
    FullText.refresh(store)
    assert_same(store, question)
    assert_same(store, question, limit=1000)


def test_a_word_that_fts5_parts_is_a_phrase(store: Store) -> None:
    """Fault: a window that held the phrase several times was scored as if it held it once."""
    FullText.refresh(store)
    assert_same(store, "What is snake_case?", limit=1000)
    assert_same(store, "What is snake_case?")


def test_a_small_index_has_no_postings(tmp_path: Path) -> None:
    small = Store.create(tmp_path, IndexSettings("e", "s", 4, WindowSettings(), "{}"))
    fill(small, 0)
    FullText.refresh(small)
    assert FullText.load(small).scorer is None
    assert FullText.load(small).search(small, "playing", 3)


def test_what_is_new_is_scored_as_fts5_does(store: Store) -> None:
    FullText.refresh(store)
    before = files(store)
    for number in (77, 78):
        fill(store, number)
    FullText.refresh(store)
    assert files(store) == before, "so little is new that the file is still good"
    for question in ("playing", "zoo 1999", "who is it?"):
        assert_same(store, question, limit=1000)


def test_what_is_gone_is_not_found(store: Store) -> None:
    FullText.refresh(store)
    store.remove("/3.txt")
    fill(store, 77)
    loaded = Postings.load(store)
    assert loaded is not None
    assert loaded.find_wrong_words(store) == []
    for question in ("playing", "zoo 1999"):
        found = {id_ for id_, _ in FullText.load(store).search(store, question, 1000)}
        assert found == {id_ for id_, _ in FullText(None).search(store, question, 1000)}


def test_a_file_that_is_too_old_is_not_used(store: Store) -> None:
    FullText.refresh(store)
    for number in range(6):
        store.remove(f"/{number}.txt")
    assert FullText.load(store).scorer is None
    assert FullText.load(store).search(store, "playing", 3)


def test_postings_are_made_anew_when_much_has_changed(store: Store) -> None:
    FullText.refresh(store)
    before = files(store)
    for n in range(100, 110):
        fill(store, n)
    FullText.refresh(store)
    assert len(files(store)) == 1
    assert files(store) != before
    assert_same(store, "playing in the house")


@pytest.mark.parametrize("keep", [0, 10, 1000, -1])
def test_without_a_whole_file_fts5_does_alone(store: Store, keep: int) -> None:
    FullText.refresh(store)
    [file] = files(store)
    file.write_bytes(file.read_bytes()[:keep])
    full_text = FullText.load(store)
    assert full_text.scorer is None
    assert full_text.search(store, "playing", 3)
    FullText.refresh(store)
    assert Postings.load(store) is not None


def test_postings_that_name_other_windows_are_found_out(store: Store) -> None:
    FullText.refresh(store)
    loaded = Postings.load(store)
    assert loaded is not None
    n = int(np.flatnonzero(loaded.terms == b"hous")[0])
    moved = loaded.slots.copy()
    moved[loaded.firsts[n]] += 1
    replace(loaded, slots=moved).save(store)
    again = Postings.load(store)
    assert again is not None
    assert again.find_wrong_words(store) == ["hous"]
