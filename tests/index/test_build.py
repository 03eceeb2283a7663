"""Runs over changing files: added, changed, unchanged, removed, failed; nothing else."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from docqa.index.build import BuildOptions, IndexReport, build, writer_lock
from docqa.index.errors import IndexLockedError
from docqa.index.models.embedder import Embedder, load_embedder
from docqa.index.models.folders import DEFAULT_EMBEDDER
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.index.verify import verify
from docqa.ingest.windows import WindowSettings
from docqa.model.span_model import load_tokenizer


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder(DEFAULT_EMBEDDER)


@pytest.fixture
def store(tmp_path: Path, embedder: Embedder, tiny_reader: Path) -> Store:
    settings = IndexSettings(
        embedder.name,
        embedder.sha256,
        embedder.dimension,
        WindowSettings(32, 8),
        load_tokenizer(str(tiny_reader)).to_str(),
    )
    return Store.create(tmp_path / "index", settings)


def run(store: Store, embedder: Embedder, *paths: Path, rehash: bool = False) -> IndexReport:
    with writer_lock(store.folder):
        return build(store, embedder, paths, BuildOptions(workers=1, rehash=rehash))


def names(paths: list[str]) -> list[str]:
    return [Path(path).name for path in paths]


def test_a_run_over_changing_files(store: Store, embedder: Embedder, documents: Path) -> None:
    report = run(store, embedder, documents)
    assert names(report.added) == ["lease.txt", "rocket.md"]
    assert report.windows == store.counts()["windows"] > 2
    generation = store.generation

    report = run(store, embedder, documents)
    assert (names(report.unchanged), report.added) == (["lease.txt", "rocket.md"], [])
    assert store.generation == generation, "a run without changes writes nothing"

    (documents / "lease.txt").write_text("The tenant must sign the contract in Paris.")
    (documents / "new.txt").write_text("A third document is here.")
    (documents / "rocket.md").unlink()
    report = run(store, embedder, documents)
    assert names(report.added) == ["new.txt"]
    assert names(report.changed) == ["lease.txt"]
    assert names(report.removed) == ["rocket.md"]
    assert sorted(names(list(store.files()))) == ["lease.txt", "new.txt"]
    assert verify(store) == []


def test_a_touched_file_is_unchanged(store: Store, embedder: Embedder, documents: Path) -> None:
    run(store, embedder, documents)
    os.utime(documents / "lease.txt", ns=(1, 1))
    report = run(store, embedder, documents)
    assert (report.changed, len(report.unchanged)) == ([], 2)
    assert store.files()[str(documents / "lease.txt")].mtime_ns == 1


def test_rehash_sees_a_change_that_size_and_time_hide(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    run(store, embedder, documents)
    file = documents / "lease.txt"
    stamp = file.stat().st_mtime_ns
    file.write_text(file.read_text().replace("1,250", "9,999"))
    os.utime(file, ns=(stamp, stamp))
    assert run(store, embedder, documents).changed == []
    assert [problem.document for problem in verify(store)] == [str(file)]
    assert names(run(store, embedder, documents, rehash=True).changed) == ["lease.txt"]


def test_a_file_that_can_t_be_read_does_not_stop_the_others(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    (documents / "broken.pdf").write_bytes(b"%PDF-1.7 nothing follows")
    report = run(store, embedder, documents)
    assert names(report.added) == ["lease.txt", "rocket.md"]
    [failure] = report.failed
    assert Path(failure.path).name == "broken.pdf"
    generation = store.generation
    assert len(run(store, embedder, documents).failed) == 1, "it is named in each run"
    assert store.generation == generation
    (documents / "broken.pdf").unlink()
    report = run(store, embedder, documents)
    assert (report.failed, report.removed) == ([], [])
    assert store.counts()["failed"] == 0


def test_a_document_that_becomes_unreadable_is_no_longer_answered_from(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    run(store, embedder, documents)
    (documents / "lease.txt").write_bytes(b"\0\1\2" * 100)
    assert names([failure.path for failure in run(store, embedder, documents).failed]) == [
        "lease.txt"
    ]
    assert store.counts()["documents"] == 1


def test_only_what_was_named_is_removed(
    store: Store, embedder: Embedder, documents: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept.txt").write_text("This stays where it is.")
    run(store, embedder, documents, other)
    (documents / "lease.txt").unlink()
    (other / "kept.txt").unlink()
    assert names(run(store, embedder, documents).removed) == ["lease.txt"]
    assert str(other / "kept.txt") in store.files()


def test_a_folder_that_is_gone_or_closed_loses_nothing(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    run(store, embedder, documents)
    documents.rename(documents.with_name("unmounted"))
    report = run(store, embedder, documents)
    assert report.removed == []
    assert [failure.path for failure in report.failed] == [str(documents)]
    assert store.counts()["documents"] == 2


def test_one_writer_at_a_time(store: Store) -> None:
    with ExitStack() as held:
        held.enter_context(writer_lock(store.folder))
        with pytest.raises(IndexLockedError, match="another docqa"):
            held.enter_context(writer_lock(store.folder))
    with writer_lock(store.folder):
        pass


def test_progress_counts_up_to_all_files(store: Store, embedder: Embedder, documents: Path) -> None:
    told: list[tuple[int, int, int]] = []
    build(store, embedder, [documents], BuildOptions(workers=1), lambda *now: told.append(now))
    assert told[-1][:2] == (2, 2)
    assert told[-1][2] == store.counts()["windows"]
