"""Shards built on a real Ray that is started here and ended; some of its processes are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from docqa.index.build import BuildOptions, IndexReport
from docqa.index.collection.catalogue import Catalogue
from docqa.index.collection.handle import CollectionHandle
from docqa.index.collection.verify import verify_collection
from docqa.index.errors import ClusterError, StorageError
from docqa.index.models.embedder import Embedder
from docqa.index.store import Store
from docqa.ingest.windows import WindowSettings

pytestmark = pytest.mark.slow

ray = pytest.importorskip("ray", reason='Ray is missing: pip install -e ".[cluster]"')

FILES = 24
Indexing = Callable[..., IndexReport]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of this machine alone, with two places for tasks."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  (else they starve beside others)
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=100 << 20,
    )
    yield
    ray.shutdown()


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for n in range(FILES):
        text = f"The tenant {n} signs the lease of tower {n}."
        (folder / f"{n:02}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def index(embedder: Embedder, tiny_tokenizer_json: str) -> Indexing:
    def run(
        folder: Path,
        paths: Sequence[Path],
        ray: str | None,
        embedder: Embedder = embedder,
        progress: Callable[[int, int, int], None] | None = None,
    ) -> IndexReport:
        with CollectionHandle(folder, embedder, WindowSettings(32, 8)) as handle:
            options = BuildOptions(workers=1)
            return handle.index(paths, options, progress, lambda: tiny_tokenizer_json, 4, ray)

    return run


def content(folder: Path) -> list[list[tuple[object, ...]]]:
    """What each shard holds, without the numbers that its history gave it."""
    found = []
    for shard in Catalogue.read(folder).folders(folder):
        with Store.open(shard) as store:
            rows = store.db.execute(
                "select d.path, d.sha256, d.error, w.start, w.text, w.embedding from documents d"
                " left join windows w on w.document_id = d.id order by d.path, w.start"
            ).fetchall()
        found.append([(Path(row[0]).name, *row[1:]) for row in rows])
    return found


def test_no_cluster_is_told(docs: Path, index: Indexing) -> None:
    with pytest.raises(ClusterError, match=r"no Ray cluster at 127\.0\.0\.1:1"):
        index(docs.parent / "collection", [docs], "127.0.0.1:1")


@pytest.mark.usefixtures("cluster")
def test_a_collection_built_on_ray_is_that_of_the_plain_command(
    docs: Path, index: Indexing
) -> None:
    (docs / "bad.pdf").write_bytes(b"no pdf")
    plain, on_ray = docs.parent / "plain", docs.parent / "ray"
    expected = index(plain, [docs], None)
    last: list[tuple[int, int, int]] = []
    report = index(on_ray, [docs], "auto", progress=lambda *now: last.append(now))
    assert last[-1][:2] == (FILES + 1, FILES + 1)
    assert report.added == expected.added
    assert report.windows == expected.windows
    assert [(one.path, one.error) for one in report.failed] == [
        (one.path, one.error) for one in expected.failed
    ]
    assert content(on_ray) == content(plain)
    assert not verify_collection(on_ray).problems
    (docs / "07.txt").unlink()
    report = index(on_ray, [docs], "auto")
    assert report.removed == [str(docs / "07.txt")]
    assert len(report.unchanged) == FILES - 1


class DyingEmbedder:
    """An embedder whose process is killed while it embeds, once for each kind of moment.

    Args:
        marks: a folder in which it remembers whom it has killed.
    """

    def __init__(self, inner: Embedder, marks: Path) -> None:
        self.inner = inner
        self.marks = marks
        self.name, self.sha256, self.dimension = inner.name, inner.sha256, inner.dimension

    def passages(self, texts: Sequence[str], on_progress: object = None) -> object:
        for mark in (self.marks / str(n) for n in range(3)):
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.passages(texts)

    def questions(self, texts: Sequence[str]) -> object:
        return self.inner.questions(texts)


@pytest.mark.usefixtures("cluster")
def test_processes_that_are_killed_are_started_again(
    docs: Path, index: Indexing, embedder: Embedder
) -> None:
    marks = docs.parent / "marks"
    marks.mkdir()
    killed, whole = docs.parent / "killed", docs.parent / "whole"
    report = index(killed, [docs], "auto", embedder=DyingEmbedder(embedder, marks))  # type: ignore[arg-type]
    assert len(list(marks.iterdir())) == 3
    assert len(report.added) == FILES
    index(whole, [docs], None)
    assert content(killed) == content(whole)
    assert not verify_collection(killed).problems


@pytest.mark.usefixtures("cluster")
def test_a_shard_that_cannot_be_built_is_told_and_keeps_no_other_from_it(
    docs: Path, index: Indexing
) -> None:
    folder = docs.parent / "collection"
    index(folder, [docs], None)
    database = Catalogue.read(folder).folders(folder)[2] / "docqa.db"
    database.write_bytes(b"no database at all" * 1000)
    (docs / "new.txt").write_text("A new tenant.", encoding="utf-8")
    with pytest.raises(StorageError, match=r"shard 2 could not be built \(the others are"):
        index(folder, [docs], "auto")


@pytest.mark.usefixtures("cluster")
def test_a_node_that_sees_other_files_does_no_harm(
    docs: Path, index: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from docqa.index.collection import on_ray

    folder = docs.parent / "collection"
    index(folder, [docs], None)
    before = content(folder)
    real = on_ray._Common

    def elsewhere(*given: object) -> object:
        return real(*given[:-1], [str(docs), "/mnt/elsewhere"])  # type: ignore[arg-type, call-arg]

    monkeypatch.setattr(on_ray, "_Common", elsewhere)
    with pytest.raises(StorageError, match=r"does not see /mnt/elsewhere"):
        index(folder, [docs], "auto")
    assert content(folder) == before
