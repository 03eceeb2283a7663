"""A handle that many threads share, that is closed in use, and whose index is replaced."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import docqa.index.models.embedder as embedder_module
from docqa.index.build import BuildOptions, build
from docqa.index.dense import DenseIndex
from docqa.index.errors import DiskFullError, IndexMismatchError, IndexMissingError
from docqa.index.handle import IndexHandle
from docqa.index.models.embedder import Embedder
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.ingest.document import Document
from docqa.ingest.windows import Window, WindowSettings

THREADS = 8
TURNS = 30


@pytest.fixture
def folder(
    tmp_path: Path, embedder: Embedder, index_settings: IndexSettings, documents: Path
) -> Path:
    make(tmp_path / "index", embedder, index_settings, documents)
    return tmp_path / "index"


def make(folder: Path, embedder: Embedder, settings: IndexSettings, documents: Path) -> None:
    with Store.create(folder, settings) as store:
        build(store, embedder, [documents], BuildOptions(workers=1))


def look(handle: IndexHandle, embedder: Embedder) -> int:
    """Search by meaning and by words, as a question does; return how many windows there were."""
    with handle.snapshot() as (store, searches):
        assert searches.dense.generation == store.generation
        ids = store.window_ids()
        scores, found = searches.dense.search(embedder.questions(["who may sign the lease"]), 50)
        assert set(found[0].tolist()) <= set(ids.tolist())
        assert len(found[0]) == min(50, len(ids)) == len(scores[0])
        store.vectors(ids)
        for id_, _ in searches.words.search(store, "landlord lease rocket", 10):
            assert id_ in ids
        return len(ids)


def in_threads(work: Callable[[], None], meanwhile: Callable[[], None]) -> None:
    """Run work in many threads while something else happens; raise what any of them raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(TURNS):
                work()
        except BaseException as error:  # raised again below
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        meanwhile()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_ask_while_another_closes(folder: Path, embedder: Embedder) -> None:
    """Fault: a segmentation fault, or "damaged; delete the folder" about a healthy index."""
    handle = IndexHandle(folder)
    in_threads(lambda: assert_some(look(handle, embedder)), handle.close)
    handle.close()


def assert_some(windows: int) -> None:
    assert windows > 0


def test_threads_ask_while_another_writes(folder: Path, embedder: Embedder) -> None:
    handle = IndexHandle(folder)
    window = Window(0, 4, np.array([1], np.int32), np.array([[0, 4]], np.int32))
    numbers = iter(range(10_000))
    with handle.writing() as writer:

        def write() -> None:
            n = next(numbers)
            text = f"text number {n}"
            vectors = embedder.passages([text])
            writer.put(Document(f"/d/{n % 7}.txt", "text", text, (), "h", 4, 0), [window], vectors)

        in_threads(lambda: assert_some(look(handle, embedder)), write)
    handle.close()
    assert {file.name for file in folder.glob("docqa.db*")} == {"docqa.db"}


def test_a_closed_handle_opens_again(folder: Path, embedder: Embedder) -> None:
    with IndexHandle(folder) as handle:
        windows = look(handle, embedder)
        with handle.snapshot() as (store, _):
            handle.close()
            assert len(store.window_ids()) == windows, "what is in use stays open"
        assert look(handle, embedder) == windows


def test_a_snapshot_stays_at_its_generation(
    folder: Path, embedder: Embedder, documents: Path
) -> None:
    (documents / "new.txt").write_text("A third document is here.")
    handle = IndexHandle(folder)
    with handle.snapshot() as (store, searches):
        ids = store.window_ids().tolist()
        with handle.writing() as writer:
            build(writer, embedder, [documents], BuildOptions(workers=1))
        with handle.snapshot() as (newer, newer_searches):
            assert newer.counts()["documents"] == 3
            assert newer_searches.dense.ids.tolist() == newer.window_ids().tolist() != ids
        assert store.window_ids().tolist() == searches.dense.ids.tolist() == ids
    handle.close()


def test_an_older_database_that_was_put_back_is_taken_up(
    folder: Path, embedder: Embedder, documents: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "backup")
    handle = IndexHandle(folder)
    (documents / "lease.txt").unlink()
    with handle.writing() as writer:
        build(writer, embedder, [documents], BuildOptions(workers=1))
    less = look(handle, embedder)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    assert look(handle, embedder) > less
    handle.close()


@pytest.mark.parametrize("number", [28, 30])  # a full disk, a read-only file system
def test_a_cache_that_can_t_be_saved_fails_no_question(
    folder: Path,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    """Fault: ``ask`` failed on a full disk where it had made the vectors' cache anew."""
    for file in folder.glob("vectors-*"):
        file.unlink()

    def no_fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", no_fsync)
    with caplog.at_level(logging.WARNING), IndexHandle(folder) as handle:
        assert_some(look(handle, embedder))
    assert "could not be saved" in caplog.text
    assert list(folder.glob("vectors-*")) == []


def test_saving_on_a_full_disk_says_so(new_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_fsync(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", no_fsync)
    with pytest.raises(DiskFullError, match="is full"):
        DenseIndex.load(new_store).save(new_store)


def test_an_index_made_anew_with_another_embedder_is_taken_up(
    folder: Path,
    embedder: Embedder,
    index_settings: IndexSettings,
    documents: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fault: an object that lived on while its index was made anew failed for ever."""
    loaded: list[str] = []

    class NamedEmbedder:
        def __init__(self, name: str, device: str) -> None:
            loaded.append(name)
            self.name, self.sha256, self.dimension = name, sha256s[name], embedder.dimension

    sha256s = {"words": embedder.sha256, "others": "1" * 64}
    monkeypatch.setattr(embedder_module, "load_embedder", NamedEmbedder)
    own, named = IndexHandle(folder), IndexHandle(folder, "words")
    for handle in (own, named):
        with handle.snapshot() as (store, _):
            assert handle.embedder(store).name == "words"
    shutil.rmtree(folder)
    other = IndexSettings(
        "others", "1" * 64, embedder.dimension, WindowSettings(32, 8), index_settings.tokenizer
    )
    make(folder, embedder, other, documents)
    with own.snapshot() as (store, _):
        assert own.embedder(store).name == "others"
    with named.snapshot() as (store, _), pytest.raises(IndexMismatchError, match="'others'"):
        named.embedder(store)
    assert loaded == ["words", "words", "others"]
    own.close()
    named.close()


def test_writing_without_an_index_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError), IndexHandle(tmp_path / "none").writing():
        pass
    assert not (tmp_path / "none").exists()
