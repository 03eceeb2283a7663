"""Filters: a search of some documents finds what an index of these alone finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import docqa.index.dense as dense_module
import docqa.index.full_text as lexical
import docqa.index.postings as postings
from docqa.index.build import save_caches
from docqa.index.dense import DenseIndex
from docqa.index.errors import FilterError
from docqa.index.full_text import FullText
from docqa.index.schema import IndexSettings
from docqa.index.search import Searches, search
from docqa.index.store import Store
from docqa.index.within import absolute_entries, find_allowed, matcher
from docqa.ingest.document import Document
from docqa.ingest.windows import Window, WindowSettings

DIMENSION = 16
FOLDERS = ("/d/leases", "/d/rockets", "/d/recipes")
WORDS = "the lease rent rocket stage fuel bread oven flour notice landlord engine salt".split()
QUESTIONS = ["rocket fuel", "lease rent notice", "bread and salt", "unknown"]


def question_vectors() -> np.ndarray:
    vectors = np.random.default_rng(9).normal(size=(len(QUESTIONS), DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def fill(store: Store, number: int, windows: int = 20) -> None:
    rng = np.random.default_rng(number)
    texts = [" ".join(rng.choice(WORDS, rng.integers(4, 40))) for _ in range(windows)]
    vectors = rng.normal(size=(windows, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows, start = [], 0
    for text in texts:
        one = np.array([1], np.int32)
        rows.append(Window(start, start + len(text), one, np.array([[0, 1]], np.int32)))
        start += len(text) + 1
    path = f"{FOLDERS[number % 3]}/{number:03}.txt"
    store.put(Document(path, "text", " ".join(texts), (), "h", start, 0), rows, vectors)


def new_store(folder: Path) -> Store:
    return Store.create(folder, IndexSettings("e", "s", DIMENSION, WindowSettings(), "{}"))


@pytest.fixture(params=["exact and FTS5", "lists and postings", "with new and gone windows"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An index of 15 documents in 3 folders, searched in each of the ways that there are."""
    large = request.param != "exact and FTS5"
    if large:
        monkeypatch.setattr(dense_module, "_lists_for", lambda windows: 8)
        monkeypatch.setattr(lexical, "FTS5_LIMIT", 50)
        monkeypatch.setattr(postings, "_FREQUENT", 2)
    made = new_store(tmp_path / "index")
    for n in range(9 if request.param == "with new and gone windows" else 15):
        fill(made, n)
    if request.param == "with new and gone windows":
        for n in (12, 13, 14):
            fill(made, n)
        save_caches(made)
        made.remove(f"{FOLDERS[0]}/012.txt")
        for n in (9, 10, 11, 12):
            fill(made, n)
    else:
        save_caches(made)
    assert (FullText.load(made).scorer is not None) == large
    return made


def same_words(first: list[tuple[int, float]], second: list[tuple[int, float]]) -> bool:
    return [round(score, 4) for _, score in first] == [round(score, 4) for _, score in second]


@pytest.mark.parametrize("folder", FOLDERS)
def test_all_hits_are_allowed_and_as_many_as_asked_for(store: Store, folder: str) -> None:
    searches = Searches.load(store)
    with store.snapshot():
        rows = search(store, searches, QUESTIONS, question_vectors(), 10, (folder,))
    for row in rows:
        assert len(row) == 10
        assert {str(Path(hit.document).parent) for hit in row} == {folder}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_dense_search_finds_what_an_index_of_the_allowed_finds(
    store: Store, folder: str, tmp_path: Path
) -> None:
    alone = new_store(tmp_path / "alone")
    for n in range(15):
        if FOLDERS[n % 3] == folder:
            fill(alone, n)
    allowed = find_allowed(store, (folder,))
    assert len(allowed.ids) == 100
    vectors = question_vectors()
    scores, ids = DenseIndex.load(store).search(vectors, 30, allowed)
    cosines = vectors @ alone.vectors(alone.window_ids()).T
    assert scores == pytest.approx(-np.sort(-cosines)[:, :30], abs=1e-3), "the lists round a little"
    assert set(ids.flatten().tolist()) <= set(allowed.ids.tolist())


def test_words_score_as_in_the_whole_index(store: Store) -> None:
    """How rare a word is does not depend on the filter."""
    full_text = FullText.load(store)
    allowed = find_allowed(store, (FOLDERS[1],))
    kept = set(allowed.ids.tolist())
    for question in QUESTIONS:
        everything = full_text.search(store, question, 1000)
        expected = [(id_, score) for id_, score in everything if id_ in kept]
        found = full_text.search(store, question, 1000, allowed)
        assert dict(found) == pytest.approx(dict(expected))
        assert same_words(found, expected)
        assert same_words(full_text.search(store, question, 7, allowed), expected[:7])


def test_a_filter_that_lets_everything_through_changes_nothing(store: Store) -> None:
    searches = Searches.load(store)
    if "IVF" in type(searches.dense._base.index).__name__:
        pytest.skip("a filter searches more of the lists")
    with store.snapshot():
        without = search(store, searches, QUESTIONS, question_vectors(), 10)
        rows = search(store, searches, QUESTIONS, question_vectors(), 10, ("/d",))
    for row, expected in zip(rows, without, strict=True):
        assert [hit.score for hit in row] == pytest.approx([hit.score for hit in expected])


def test_a_filter_is_computed_once_a_generation(store: Store) -> None:
    searches = Searches.load(store)
    with store.snapshot():
        first = searches.allowed(store, ("/d/leases",))
        assert searches.allowed(store, ("/d/leases",)) is first
        for n in range(50):
            searches.allowed(store, ("/d/leases", f"/{n}"))
        assert len(searches._allowed) < 10
    fill(store, 15)
    followed = searches.follow(store)
    again = followed.allowed(store, ("/d/leases",))
    assert again is not None
    assert first is not None
    assert len(again.ids) == len(first.ids) + 20


def test_a_filter_without_documents_is_an_error_that_names_it(store: Store) -> None:
    with pytest.raises(FilterError, match=r"no document within /d/lea\b.*docqa status"):
        find_allowed(store, ("/d/lea",))


@pytest.mark.parametrize(
    ("entry", "matched"),
    [
        ("/d/a", ["/d/a/x.pdf", "/d/a/b/y.md"]),
        ("/d/a/", ["/d/a/x.pdf", "/d/a/b/y.md"]),
        ("/", ["/d/a/x.pdf", "/d/a/b/y.md", "/d/ab/z.pdf", "/d/[1]/q.md"]),
        ("a", ["/d/a/x.pdf", "/d/a/b/y.md"]),
        ("./a/../a/b", ["/d/a/b/y.md"]),
        ("/d/a/x.pdf", ["/d/a/x.pdf"]),
        ("*.pdf", ["/d/a/x.pdf", "/d/ab/z.pdf"]),
        ("a/*.pdf", ["/d/a/x.pdf"]),
        ("/d/a*", ["/d/a/x.pdf", "/d/a/b/y.md", "/d/ab/z.pdf"]),
        ("**/b/*", ["/d/a/b/y.md"]),
        ("b?", []),
        ("a?", ["/d/ab/z.pdf"]),
        ("[1]", ["/d/[1]/q.md"]),
        ("/d/[1]/q.md", ["/d/[1]/q.md"]),
        ("/d/a/x", []),
    ],
)
def test_entries_are_folders_files_or_globs(entry: str, matched: list[str]) -> None:
    documents = ["/d/a/x.pdf", "/d/a/b/y.md", "/d/ab/z.pdf", "/d/[1]/q.md"]
    lies_within = matcher(absolute_entries([entry], "/d"))
    assert [path for path in documents if lies_within(path)] == matched


def test_relative_entries_are_taken_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_entries(["x"]) == (str(tmp_path / "x"),)
    assert absolute_entries("x") == (str(tmp_path / "x"),), "one entry need not be in a list"


def test_an_empty_entry_is_an_error() -> None:
    with pytest.raises(FilterError, match="empty"):
        absolute_entries(["a", " "])
