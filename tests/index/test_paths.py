"""An index that is moved with its documents, or without them, still knows where they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from docqa.index.build import BuildOptions, build
from docqa.index.models.embedder import Embedder
from docqa.index.paths import DocumentPaths
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.index.verify import verify
from tests.conftest import write_documents


@pytest.fixture
def project(tmp_path: Path, embedder: Embedder, index_settings: IndexSettings) -> Path:
    """A folder with documents and, beside them, their index."""
    folder = tmp_path / "project"
    folder.mkdir()
    documents = write_documents(folder / "docs")
    with Store.create(folder / ".docqa", index_settings) as store:
        build(store, embedder, [documents], BuildOptions(workers=1))
    return folder


def paths_in(index: Path) -> list[str]:
    with Store.open(index) as store:
        return sorted(store.files())


def test_an_index_moved_with_its_documents_goes_on(
    project: Path, tmp_path: Path, embedder: Embedder
) -> None:
    """Fault: a moved index kept the old paths, and the next run added every document again."""
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    project.rename(moved)
    assert paths_in(moved / ".docqa") == [f"{moved}/docs/lease.txt", f"{moved}/docs/rocket.md"]
    with Store.open(moved / ".docqa", to_write=True) as store:
        report = build(store, embedder, [moved / "docs"], BuildOptions(workers=1))
        assert len(report.unchanged) == store.counts()["documents"] == 2
        assert verify(store).problems == []


def test_an_index_moved_alone_finds_its_documents_where_they_were(
    project: Path, tmp_path: Path, embedder: Embedder
) -> None:
    (tmp_path / "indexes").mkdir()
    moved = tmp_path / "indexes" / "project"
    (project / ".docqa").rename(moved)
    expected = [f"{project}/docs/lease.txt", f"{project}/docs/rocket.md"]
    assert paths_in(moved) == expected
    with Store.open(moved, to_write=True) as store:
        report = build(store, embedder, [project / "docs"], BuildOptions(workers=1))
        assert len(report.unchanged) == 2
    project.rename(tmp_path / "gone")
    assert paths_in(moved) == expected, "they are no longer kept relative to the index"


def test_a_copy_beside_copied_documents_is_of_the_copies(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "copy")
    assert paths_in(tmp_path / "copy" / ".docqa")[0] == f"{tmp_path}/copy/docs/lease.txt"


def test_an_index_inside_the_documents_folder(
    tmp_path: Path, embedder: Embedder, index_settings: IndexSettings
) -> None:
    documents = write_documents(tmp_path / "docs")
    with Store.create(documents / ".docqa", index_settings) as store:
        build(store, embedder, [documents], BuildOptions(workers=1))
    documents.rename(tmp_path / "moved")
    assert paths_in(tmp_path / "moved" / ".docqa")[0] == f"{tmp_path}/moved/lease.txt"


@pytest.mark.parametrize(
    ("index", "path", "kept"),
    [
        ("/home/mira/.docqa", "/home/mira/docs/a.txt", "docs/a.txt"),
        ("/home/mira/docs/.docqa", "/home/mira/docs/a.txt", "a.txt"),
        ("/home/mira/.docqa", "/home/mirabelle/a.txt", "/home/mirabelle/a.txt"),
        ("/index", "/docs/a.txt", "/docs/a.txt"),
        ("/home/mira/.docqa", "/home/mira/\udcff.txt", b"\xff.txt"),
        ("/home/\udcff/.docqa", "/home/\udcff/a.txt", "a.txt"),
    ],
)
def test_paths_below_the_index_s_parent_are_kept_relative(
    index: str, path: str, kept: str | bytes
) -> None:
    paths = DocumentPaths.of_folder(Path(index))
    assert paths.to_kept(path) == kept
    assert paths.to_path(kept) == path
