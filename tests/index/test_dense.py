"""The vectors' cache: exact, mended from the store, never trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import docqa.index.dense as dense_module
from docqa.index.dense import DenseIndex
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.ingest.document import Document
from docqa.ingest.windows import Window, WindowSettings

DIMENSION = 32


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.create(tmp_path, IndexSettings("e", "s", DIMENSION, WindowSettings(), "{}"))
    fill(made, 3)
    return made


def fill(store: Store, documents: int, windows: int = 20, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    window = Window(0, 4, np.array([1], np.int32), np.array([[0, 4]], np.int32))
    for n in range(documents):
        vectors = rng.normal(size=(windows, DIMENSION)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        path = f"/d/{seed}-{n}.txt"
        store.put(Document(path, "text", "text", (), "h", 4, 0), [window] * windows, vectors)


def files(store: Store) -> list[Path]:
    return sorted(store.folder.glob("vectors-*"))


def assert_exact(dense: DenseIndex, store: Store) -> None:
    ids = store.window_ids()
    vectors = store.vectors(ids)
    questions = vectors[::7]
    scores, found = dense.search(questions, 5)
    expected = np.argsort(-(questions @ vectors.T), axis=1)[:, :5]
    np.testing.assert_array_equal(found, ids[expected])
    np.testing.assert_allclose(scores[:, 0], 1, atol=1e-2)


def test_search_is_exact_while_the_index_is_small(store: Store) -> None:
    assert_exact(DenseIndex.load(store), store)


def test_a_saved_cache_is_read_and_not_rebuilt(store: Store) -> None:
    dense = DenseIndex.load(store)
    assert dense.rebuilt == "it was missing"
    assert not dense.is_saved(store)
    assert dense.save(store).is_saved(store)
    again = DenseIndex.load(store)
    assert again.rebuilt is None
    assert_exact(again, store)


def test_a_cache_that_is_behind_is_mended(store: Store) -> None:
    DenseIndex.load(store).save(store)
    store.remove("/d/0-1.txt")
    fill(store, 2, seed=5)
    dense = DenseIndex.load(store)
    assert dense.rebuilt is None
    assert_exact(dense, store)
    dense.save(store)
    assert len(files(store)) == 1, "what was there before is gone"


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_a_torn_cache_is_rebuilt(store: Store, keep: int) -> None:
    DenseIndex.load(store).save(store)
    [file] = files(store)
    file.write_bytes(file.read_bytes()[:keep])
    dense = DenseIndex.load(store)
    assert dense.rebuilt is not None
    assert "could not be read" in dense.rebuilt
    assert_exact(dense, store)


def test_another_index_s_cache_is_not_taken(store: Store, tmp_path: Path) -> None:
    other = Store.create(tmp_path / "other", store.settings)
    fill(other, 3, seed=9)
    DenseIndex.load(other).save(other)
    [file] = files(other)
    file.rename(store.folder / file.name)
    assert_exact(DenseIndex.load(store), store)


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    empty = Store.create(tmp_path, IndexSettings("e", "s", DIMENSION, WindowSettings(), "{}"))
    scores, ids = DenseIndex.load(empty).search(np.ones((2, DIMENSION), np.float32), 5)
    assert scores.shape == ids.shape == (2, 0)


def test_a_large_index_is_approximate_and_mended_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense_module, "EXACT_LIMIT", 50)
    fill(store, 20, windows=50, seed=2)
    dense = DenseIndex.load(store)
    dense.save(store)
    store.remove("/d/2-3.txt")
    fill(store, 1, seed=3)
    again = DenseIndex.load(store)
    assert again.rebuilt is None
    np.testing.assert_array_equal(again.ids, store.window_ids())
    vectors = store.vectors(again.ids)
    _, found = again.search(vectors, 1)
    assert np.mean(found[:, 0] == again.ids) > 0.9


def test_an_unchanged_store_is_not_gone_through(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    DenseIndex.load(store).save(store)

    def refuse(self: Store) -> None:
        raise AssertionError("all ids were read")

    monkeypatch.setattr(Store, "window_ids", refuse)
    dense = DenseIndex.load(store)
    assert dense.rebuilt is None
    assert dense.follow(store) is dense


@pytest.mark.parametrize("saved", [True, False])
def test_a_mapped_index_follows_the_store(
    store: Store, monkeypatch: pytest.MonkeyPatch, saved: bool
) -> None:
    monkeypatch.setattr(dense_module, "EXACT_LIMIT", 50)
    fill(store, 20, windows=50, seed=2)
    DenseIndex.load(store).save(store)
    dense = DenseIndex.load(store)
    store.remove("/d/2-3.txt")
    fill(store, 1, seed=3)
    if saved:
        DenseIndex.load(store).save(store)
    before = dense.ids
    now = dense.follow(store)
    assert now.follow(store) is now
    np.testing.assert_array_equal(dense.ids, before)
    dense = now
    np.testing.assert_array_equal(dense.ids, store.window_ids())


def test_a_cache_of_another_kind_is_built_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    DenseIndex.load(store).save(store)
    monkeypatch.setattr(dense_module, "EXACT_LIMIT", 50)
    dense = DenseIndex.load(store)
    assert dense.rebuilt == "it was of an older kind"
    vectors = store.vectors(dense.ids)
    scores, _ = dense.search(vectors, 1)
    assert np.mean(scores[:, 0] > 0.99) > 0.9
