"""The database: what goes in comes out, whole or not at all, and readers see one generation."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from docqa.index.errors import IndexDamagedError, IndexMismatchError, IndexMissingError
from docqa.index.schema import DATABASE, IndexSettings
from docqa.index.store import Store
from docqa.ingest.document import Document
from docqa.ingest.windows import Window, WindowSettings

DIMENSION = 8


def settings() -> IndexSettings:
    return IndexSettings("embedder", "sha", DIMENSION, WindowSettings(), "{}")


def document(path: str, text: str = "Ada wrote the first program.") -> Document:
    return Document(path, "text", text, (0, 4), "hash", len(text), 7)


def windows(count: int = 2) -> list[Window]:
    ids = np.array([5, 70_000], np.int32)
    offsets = np.array([[0, 3], [4, 9]], np.int32)
    return [Window(n, n + 9, ids, offsets) for n in range(count)]


def vectors(count: int = 2) -> np.ndarray:
    made = np.random.default_rng(0).normal(size=(count, DIMENSION)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path, settings())


def test_what_goes_in_comes_out(store: Store) -> None:
    store.put(document("/d/a.txt"), windows(), vectors())
    [document_id] = store.document_ids()
    assert store.full_document(document_id) == document("/d/a.txt")
    first, second = store.document_windows(document_id)
    assert (first.text, second.text) == ("Ada wrote", "da wrote ")
    assert first.window.token_ids.tolist() == [5, 70_000]
    assert first.window.token_offsets.tolist() == [[0, 3], [4, 9]]
    found = store.hits([second.id, first.id], [2.5, 1.5], [1.0, -1.0])
    assert [(hit.id, hit.score, hit.prominence) for hit in found] == [
        (second.id, 2.5, 1.0),
        (first.id, 1.5, -1.0),
    ]
    assert [hit.text for hit in found] == ["da wrote ", "Ada wrote"]
    assert found[1].window.token_offsets.tolist() == [[0, 3], [4, 9]]
    np.testing.assert_allclose(store.vectors(store.window_ids()), vectors(), atol=1e-3)
    assert (found[0].document, found[0].start, found[0].end, found[0].page) == (
        "/d/a.txt",
        1,
        10,
        1,
    )
    assert store.counts() == {
        "documents": 1,
        "stale": 0,
        "failed": 0,
        "windows": 2,
        "characters": 28,
    }


def test_a_document_is_replaced_with_all_that_belongs_to_it(store: Store) -> None:
    store.put(document("/d/a.txt"), windows(), vectors())
    before = set(store.window_ids().tolist())
    store.put(document("/d/a.txt", "Something else, now."), windows(1), vectors(1))
    after = set(store.window_ids().tolist())
    assert store.counts()["windows"] == 1
    assert not before & after, "ids must never be used twice"
    match = "select count(*) from windows_fts where windows_fts match ?"
    assert store.db.execute(match, ["ada"]).fetchone() == (0,)
    assert store.db.execute(match, ["something"]).fetchone() == (1,)


def test_a_removed_last_window_s_id_is_not_used_again(store: Store) -> None:
    store.put(document("/d/a.txt"), windows(), vectors())
    last = store.window_ids().max()
    store.remove("/d/a.txt")
    store.put(document("/d/b.txt"), windows(), vectors())
    assert store.window_ids().min() > last


def test_a_failure_takes_the_place_of_what_was_known(store: Store) -> None:
    store.put(document("/d/a.txt"), windows(), vectors())
    store.put_failure("/d/a.txt", "encrypted", 3, 4)
    assert store.counts() == {
        "documents": 0,
        "stale": 0,
        "failed": 1,
        "windows": 0,
        "characters": 0,
    }
    assert store.files()["/d/a.txt"].error == "encrypted"
    store.put(document("/d/a.txt"), windows(), vectors())
    assert store.files()["/d/a.txt"].error is None


def test_names_that_are_no_text_are_kept(store: Store) -> None:
    odd = ["/d/new\nline.txt", "/d/bad\udcff.txt", "/d/ünï.txt"]
    for path in odd:
        store.put(document(path), windows(), vectors())
    assert sorted(store.files()) == sorted(odd)
    store.remove(odd[1])
    assert sorted(store.files()) == sorted([odd[0], odd[2]])


def test_a_write_that_breaks_leaves_nothing_behind(store: Store) -> None:
    store.put(document("/d/a.txt"), windows(), vectors())
    generation = store.generation
    with pytest.raises(ValueError, match="zip"):
        store.put(document("/d/a.txt", "Other words here."), windows(2), vectors(1))
    assert store.generation == generation
    assert store.full_document(store.document_ids()[0]) == document("/d/a.txt")
    assert store.counts()["windows"] == 2


def test_a_reader_sees_one_generation_while_a_writer_writes(store: Store, tmp_path: Path) -> None:
    store.put(document("/d/a.txt"), windows(), vectors())
    reader = Store.open(tmp_path)
    with reader.snapshot():
        generation = reader.generation
        store.put(document("/d/b.txt"), windows(), vectors())
        assert reader.generation == generation
        assert len(reader.window_ids()) == 2
    assert reader.generation == generation + 1
    assert len(reader.window_ids()) == 4


def test_no_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="docqa index"):
        Store.open(tmp_path / "nowhere")


def test_an_index_killed_while_it_was_made_is_missing_and_can_be_made(tmp_path: Path) -> None:
    (tmp_path / DATABASE).touch()
    with pytest.raises(IndexMissingError, match="never finished"):
        Store.open(tmp_path)
    assert Store.create(tmp_path, settings()).counts()["documents"] == 0


def test_what_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"no database at all" * 100)
    with pytest.raises(IndexDamagedError, match="delete the folder"):
        Store.open(tmp_path)


def test_another_schema_is_refused(store: Store, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("update settings set value = '99' where key = 'schema_version'")
    with pytest.raises(IndexMismatchError, match="schema 99"):
        Store.open(tmp_path)
