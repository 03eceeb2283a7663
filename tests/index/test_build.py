"""Runs over changing files: added, changed, unchanged, removed, failed; nothing else."""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from docqa.index.build import BuildOptions, IndexReport, build, forget
from docqa.index.errors import IndexLockedError
from docqa.index.lock import writer_lock
from docqa.index.models.embedder import Embedder
from docqa.index.store import Store
from docqa.index.verify import verify
from docqa.ingest.document import Document, Failure
from docqa.ingest.workers.pool import LoaderPool


@pytest.fixture
def store(new_store: Store) -> Store:
    return new_store


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
    assert verify(store).problems == []


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
    assert [problem.document for problem in verify(store).problems] == [str(file)]
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


def test_a_named_folder_that_is_gone_is_forgotten(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    """Fault: after ``rm -r a; docqa index a`` the index still answered from what had been there."""
    run(store, embedder, documents)
    documents.rename(documents.with_name("elsewhere"))
    report = run(store, embedder, documents)
    assert names(report.removed) == ["lease.txt", "rocket.md"]
    [failure] = report.failed
    assert failure.path == str(documents)
    assert "forgotten" in failure.error
    assert store.counts()["documents"] == 0


def test_a_named_file_that_is_gone_is_forgotten(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    """Fault: a single file that was named and deleted stayed for ever."""
    run(store, embedder, documents / "lease.txt", documents / "rocket.md")
    (documents / "lease.txt").unlink()
    report = run(store, embedder, documents / "lease.txt")
    assert names(report.removed) == ["lease.txt"]
    assert names(list(store.files())) == ["rocket.md"]


def fail_passing(monkeypatch: pytest.MonkeyPatch, path: Path, reason: str) -> None:
    """Have a file fail to load for a reason that may pass, as a lost disk would have it."""
    real = LoaderPool.load_many

    def load_many(self: LoaderPool, paths: Iterable[str]) -> Iterator[Document | Failure]:
        for result in real(self, paths):
            broken = result.path == str(path)
            yield Failure(result.path, reason, passing=True) if broken else result

    monkeypatch.setattr(LoaderPool, "load_many", load_many)


def test_a_passing_failure_keeps_what_the_index_had(
    store: Store, embedder: Embedder, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: a time limit on a busy day deleted the windows of the file."""
    run(store, embedder, documents)
    windows = store.window_ids().tolist()
    lease = documents / "lease.txt"
    lease.write_text("The tenant must sign the contract in Paris.")
    with monkeypatch.context() as patch:
        fail_passing(patch, lease, "took more than 1 second")
        report = run(store, embedder, documents)
    assert (names(report.stale), report.removed) == (["lease.txt"], [])
    assert [failure.passing for failure in report.failed] == [True]
    assert store.window_ids().tolist() == windows
    assert store.files()[str(lease)].stale == "took more than 1 second"
    assert (store.counts()["documents"], store.counts()["stale"]) == (2, 1)

    report = run(store, embedder, documents)
    assert (names(report.changed), report.stale) == (["lease.txt"], [])
    assert store.counts()["stale"] == 0


def test_a_passing_failure_of_a_file_that_is_as_before_passes(
    store: Store, embedder: Embedder, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store, embedder, documents)
    with monkeypatch.context() as patch:
        fail_passing(patch, documents / "lease.txt", "the disk failed to read it")
        assert names(run(store, embedder, documents, rehash=True).stale) == ["lease.txt"]
    report = run(store, embedder, documents)
    assert (len(report.unchanged), store.counts()["stale"]) == (2, 0)


def test_a_passing_failure_of_a_new_file_is_tried_again(
    store: Store, embedder: Embedder, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_passing(patch, documents / "lease.txt", "changed while being read")
        report = run(store, embedder, documents)
    assert (report.stale, store.counts()["failed"]) == ([], 1)
    assert names(run(store, embedder, documents).added) == ["lease.txt"]


def test_a_folder_that_can_t_be_looked_into_keeps_its_documents(
    store: Store, embedder: Embedder, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store, embedder, documents)

    scandir_of_the_system = os.scandir

    def scandir(path: str | os.PathLike[str]) -> object:
        if os.fspath(path) == str(documents):
            raise OSError(errno.EIO, "Input/output error", path)
        return scandir_of_the_system(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", scandir)  # root may look into any folder
        report = run(store, embedder, documents)
    assert names(report.stale) == ["lease.txt", "rocket.md"]
    assert (report.removed, store.counts()["stale"]) == ([], 2)
    assert len(run(store, embedder, documents).unchanged) == 2
    assert store.counts()["stale"] == 0


def test_files_and_folders_can_be_forgotten(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    run(store, embedder, documents)
    lease = documents / "lease.txt"
    lease.unlink()
    with writer_lock(store.folder):
        assert forget(store, [lease]) == [str(lease)]
        with pytest.raises(ValueError, match="holds nothing under"):
            forget(store, [documents / "rocket.md", lease])
        assert store.counts()["documents"] == 1, "all or nothing"
        assert names(forget(store, [documents])) == ["rocket.md"]
    assert verify(store).problems == []


def test_a_run_removes_what_killed_runs_and_put_back_backups_left(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    run(store, embedder, documents)
    part = store.folder / "vectors-abc-000000000009.faiss.123.part"
    ahead = store.folder / f"vectors-{store.index_id[:12]}-{store.generation + 5:012}.faiss"
    part.touch()
    ahead.touch()
    run(store, embedder, documents)
    assert not part.exists()
    assert not ahead.exists()


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


def zip_of(path: Path, **texts: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"in/{name}.txt", text)


def test_members_of_archives_live_as_files_do(
    store: Store, embedder: Embedder, documents: Path
) -> None:
    archive = documents / "old.zip"
    zip_of(archive, a="The first member.", b="The second member.")
    report = run(store, embedder, documents)
    assert f"{archive}/in/a.txt" in report.added
    assert len(report.added) == 4

    report = run(store, embedder, documents)
    assert (len(report.unchanged), report.added, report.removed) == (4, [], [])
    assert verify(store).problems == []

    zip_of(archive, a="The first member.", c="A third member, which is new.")
    assert f"{archive}/in/a.txt" in [problem.document for problem in verify(store).problems]
    report = run(store, embedder, documents)
    assert report.added == [f"{archive}/in/c.txt"]
    assert report.removed == [f"{archive}/in/b.txt"]
    assert len(report.unchanged) == 3

    archive.write_bytes(b"no archive")
    report = run(store, embedder, documents)
    assert [failure.path for failure in report.failed] == [str(archive)]
    assert len(report.removed) == 2

    zip_of(archive, a="Whole again.")
    report = run(store, embedder, documents)
    assert (report.added, report.failed) == ([f"{archive}/in/a.txt"], [])
    assert str(archive) not in store.files()
    archive.unlink()
    assert run(store, embedder, documents).removed == [f"{archive}/in/a.txt"]
