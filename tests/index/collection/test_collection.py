"""Collections are made, kept in line, shared out anew and checked as any index is."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from docqa.index.build import BuildOptions, IndexReport
from docqa.index.collection import reshard as resharding
from docqa.index.collection.calls import ShardCalls
from docqa.index.collection.catalogue import Catalogue
from docqa.index.collection.documents import open_documents
from docqa.index.collection.handle import CollectionHandle
from docqa.index.collection.reshard import reshard
from docqa.index.collection.sharing import shard_of
from docqa.index.collection.verify import verify_collection
from docqa.index.errors import (
    IndexDamagedError,
    IndexMismatchError,
    IndexMissingError,
    IndexUnreadableError,
    StorageError,
)
from docqa.index.handle import IndexHandle
from docqa.index.hit import Hit
from docqa.index.models.embedder import Embedder
from docqa.index.paths import DocumentPaths
from docqa.index.store import Store
from docqa.ingest.windows import WindowSettings

FILES = 12
QUESTIONS = ["Who signs the lease of tower 3?", "notice period", "tenant 7"]


Indexing = Callable[..., IndexReport]


@pytest.fixture(scope="session")
def index(embedder: Embedder, tiny_tokenizer_json: str) -> Indexing:
    """Bring a collection in line with files."""

    def run(folder: Path, paths: Sequence[Path], shards: int | None = None) -> IndexReport:
        with CollectionHandle(folder, embedder, WindowSettings(32, 8)) as handle:
            options = BuildOptions(workers=1)
            return handle.index(paths, options, None, lambda: tiny_tokenizer_json, shards)

    return run


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, index: Indexing) -> Path:
    """A folder of documents and a collection of them; each test gets a copy."""
    folder = tmp_path_factory.mktemp("template") / "home"
    docs = folder / "docs"
    docs.mkdir(parents=True)
    for n in range(FILES):
        write(docs, n)
    index(folder / "collection", [docs], 3)
    return folder


@pytest.fixture
def docs(home: Path, tmp_path: Path) -> Path:
    shutil.copytree(home, tmp_path / "home")
    return tmp_path / "home" / "docs"


@pytest.fixture
def made(docs: Path) -> Path:
    return docs.parent / "collection"


def write(folder: Path, number: int, more: str = "") -> None:
    text = f"The tenant {number} signs the lease of tower {number}. Notice period: {number} months."
    (folder / f"{number:02}.txt").write_text(f"{text} {more}\n", encoding="utf-8")


def paths_in(folder: Path) -> dict[int, list[str]]:
    """The paths of the files in each shard."""
    found = {}
    for number, shard in enumerate(Catalogue.read(folder).folders(folder)):
        with Store.open(shard) as store:
            found[number] = sorted(store.files())
    return found


def places(folder: Path, embedder: Embedder) -> list[list[tuple[str, int, float]]]:
    with CollectionHandle(folder) as handle, handle.snapshot() as (documents, searches):
        rows = searches.search(documents, QUESTIONS, embedder.questions(QUESTIONS), 5)
    return [[(hit.document, hit.start, round(hit.score, 3)) for hit in row] for row in rows]


def test_a_collection_is_kept_in_line_as_an_index_is(
    docs: Path, made: Path, index: Indexing
) -> None:
    in_shards = paths_in(made)
    assert sorted(path for row in in_shards.values() for path in row) == sorted(
        str(file) for file in docs.iterdir()
    )
    assert all(in_shards.values()), "twelve files leave none of three shards without one"
    write(docs, 3, "It was changed.")
    write(docs, 99)
    (docs / "05.txt").unlink()
    report = index(made, [docs])
    assert [Path(p).name for p in report.changed] == ["03.txt"]
    assert [Path(p).name for p in report.added] == ["99.txt"]
    assert [Path(p).name for p in report.removed] == ["05.txt"]
    assert len(report.unchanged) == FILES - 2
    assert report.windows == FILES
    assert not verify_collection(made).problems


def test_failures_and_empty_folders_are_told_once(docs: Path, made: Path, index: Indexing) -> None:
    empty = docs.parent / "empty"
    empty.mkdir()
    report = index(made, [docs, empty, docs.parent / "nowhere"])
    assert [Path(failure.path).name for failure in report.failed] == ["nowhere"]
    assert report.empty == [str(empty)]


def test_a_named_folder_that_is_gone_is_forgotten_by_all_shards(
    docs: Path, made: Path, index: Indexing
) -> None:
    index(made, [docs])  # as a copy, it takes up its place
    shutil.rmtree(docs)
    report = index(made, [docs])
    assert len(report.removed) == FILES
    assert [failure.path for failure in report.failed] == [str(docs)]
    assert "has forgotten it" in report.failed[0].error


def test_another_number_of_shards_is_refused(docs: Path, made: Path, index: Indexing) -> None:
    with pytest.raises(IndexMismatchError, match=r"has 3 shards, not 4.*docqa reshard"):
        index(made, [docs], 4)
    assert index(made, [docs], 3).unchanged


def test_an_index_is_no_collection(corpora: Any, docs: Path, index: Indexing) -> None:
    one = corpora.index("one", [])
    with pytest.raises(IndexMismatchError, match="not a collection"):
        index(one, [docs], 2)
    with pytest.raises(IndexMissingError):
        index(docs.parent / "none", [docs])
    assert not (docs.parent / "none").exists()


def test_ids_are_unique_and_lead_to_their_documents(made: Path, embedder: Embedder) -> None:
    with CollectionHandle(made) as handle, handle.snapshot() as (documents, searches):
        ids = documents.document_ids()
        assert len(set(ids)) == FILES
        assert {documents.document(id_).id for id_ in ids} == set(ids)
        [hits] = searches.search(documents, ["tenant"], embedder.questions(["tenant"]), 50)
        assert len({hit.id for hit in hits}) == FILES
        for hit in hits:
            source = documents.document(hit.document_id)
            assert (source.path, source.slice(hit.start, hit.end)) == (hit.document, hit.text)
        with pytest.raises(IndexDamagedError):
            documents.document(max(ids) + (1 << 40))


def test_copies_in_several_shards_are_one_hit(
    docs: Path, made: Path, index: Indexing, embedder: Embedder
) -> None:
    for n in range(8):
        shutil.copy(docs / "04.txt", docs / f"copy-{n}.txt")
    index(made, [docs])
    question = ["The tenant 4 signs the lease of tower 4"]
    with CollectionHandle(made) as handle, handle.snapshot() as (documents, searches):
        [[hit]] = searches.search(documents, question, embedder.questions(question), 1)
        copies = {documents.document(copy.document_id).path for copy in hit.copies}
    assert len(copies) == 8
    assert hit.document not in copies


def test_a_forgotten_file_is_forgotten_by_its_shard(docs: Path, made: Path) -> None:
    with CollectionHandle(made) as handle:
        with pytest.raises(ValueError, match="holds nothing under"):
            handle.forget([docs / "01.txt", docs / "none.txt"])
        assert handle.forget([docs / "01.txt"]) == [str(docs / "01.txt")]
        assert len(handle.forget([docs])) == FILES - 1


def test_a_collection_moves_with_its_documents(
    docs: Path, made: Path, index: Indexing, tmp_path: Path
) -> None:
    before = paths_in(made)
    moved = tmp_path / "moved"
    docs.parent.rename(moved)
    report = index(moved / "collection", [moved / "docs"])
    assert len(report.unchanged) == FILES
    assert {
        n: [path.replace("/moved/", "/home/") for path in row]
        for n, row in paths_in(moved / "collection").items()
    } == before


def test_moved_alone_its_documents_come_into_the_right_shards(
    docs: Path, made: Path, index: Indexing, tmp_path: Path
) -> None:
    index(made, [docs])  # as a copy, it takes up its place
    (tmp_path / "far" / "away").mkdir(parents=True)
    moved = made.rename(tmp_path / "far" / "away" / "collection")
    report = index(moved, [docs])
    assert len(report.changed) + len(report.unchanged) == FILES
    assert not report.added
    assert not report.removed
    assert not verify_collection(moved).problems


def test_members_of_an_archive_are_in_one_shard() -> None:
    paths = DocumentPaths("/home")
    found = {shard_of(f"/home/a.zip{rest}", paths, 7) for rest in ("", "/x.txt", "/y/z.txt")}
    assert len(found) == 1


def test_a_name_that_is_not_utf8_has_a_shard() -> None:
    name = os.fsdecode(b"/home/caf\xe9.txt")
    assert 0 <= shard_of(name, DocumentPaths("/home"), 5) < 5


# -- sharing out anew ------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_sharing_out_anew_changes_no_hit(
    made: Path, docs: Path, index: Indexing, embedder: Embedder, shards: int
) -> None:
    before = places(made, embedder)
    done = reshard(made, shards)
    assert (done.before, done.shards, done.documents) == (3, shards, FILES)
    assert places(made, embedder) == before
    assert not verify_collection(made).problems
    assert [one.name for one in made.glob("shards-*")] == ["shards-0002"]
    assert len(index(made, [docs]).unchanged) == FILES, "nothing is read again"


def test_files_that_failed_are_shared_out_too(made: Path, docs: Path, index: Indexing) -> None:
    (docs / "bad.pdf").write_bytes(b"no pdf")
    index(made, [docs])
    with open_documents(made) as documents:
        before = documents.files()
    assert any(state.error for state in before.values())
    reshard(made, 2)
    with open_documents(made) as documents:
        assert documents.files() == before


def test_an_index_becomes_a_collection(
    docs: Path, index: Indexing, embedder: Embedder, tiny_tokenizer_json: str
) -> None:
    folder = docs.parent / "one"
    with IndexHandle(folder, embedder, WindowSettings(32, 8)) as handle:
        handle.index([docs], BuildOptions(workers=1), None, lambda: tiny_tokenizer_json)
    done = reshard(folder, 2)
    assert (done.before, done.windows) == (0, FILES)
    assert not list(folder.glob("docqa.db*"))
    assert not verify_collection(folder).problems
    assert len(index(folder, [docs]).unchanged) == FILES


def test_stopped_before_the_catalogue_is_replaced_the_old_collection_is_there(
    made: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = places(made, embedder)
    with monkeypatch.context() as patched:
        patched.setattr(Catalogue, "write", _stop)
        with pytest.raises(KeyboardInterrupt):
            reshard(made, 5)
    assert places(made, embedder) == before
    assert [one.name for one in made.glob("shards-*")] == ["shards-0001"]
    killed = made / "shards-0002" / "0000"  # as a kill leaves it
    killed.mkdir(parents=True)
    (killed / "docqa.db").write_bytes(b"half a database")
    assert places(made, embedder) == before
    reshard(made, 2)
    assert [one.name for one in made.glob("shards-*")] == ["shards-0002"]
    assert places(made, embedder) == before


def test_stopped_after_the_catalogue_is_replaced_the_new_collection_is_there(
    made: Path, docs: Path, index: Indexing, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = places(made, embedder)
    removals = iter([resharding.remove_leftovers, _stop])
    with monkeypatch.context() as patched:
        patched.setattr(resharding, "remove_leftovers", lambda *given: next(removals)(*given))
        with pytest.raises(KeyboardInterrupt):
            reshard(made, 5)
    assert len(Catalogue.read(made).shards) == 5
    assert places(made, embedder) == before
    index(made, [docs])
    assert [one.name for one in made.glob("shards-*")] == ["shards-0002"]


def _stop(*_given: object) -> None:
    raise KeyboardInterrupt


def test_who_asks_takes_up_what_was_shared_out_anew(made: Path, embedder: Embedder) -> None:
    question = embedder.questions(["tenant"])
    with CollectionHandle(made) as handle:
        with handle.snapshot() as (documents, searches):
            reshard(made, 2)
            [held] = searches.search(documents, ["tenant"], question, 50)
            assert len(held) == FILES, "a snapshot stays what it was"
            assert documents.searched.is_whole
        with handle.snapshot() as (documents, searches):
            assert str(documents.searched) == "2/2"
            [hits] = searches.search(documents, ["tenant"], question, 50)
            assert len(hits) == FILES


# -- faults ----------------------------------------------------------------------------------


def test_a_shard_that_is_gone_is_told_and_made_anew(
    made: Path, docs: Path, index: Indexing, embedder: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    lost = paths_in(made)[1]
    shutil.rmtree(Catalogue.read(made).folders(made)[1])
    with caplog.at_level(logging.WARNING), CollectionHandle(made) as handle:
        with handle.snapshot() as (documents, searches):
            [hits] = searches.search(documents, ["tenant"], embedder.questions(["tenant"]), 50)
            assert str(documents.searched) == "2/3"
            [failure] = documents.searched.failures
            assert (failure.shard, failure.reason) == (
                1,
                "it is missing; docqa index makes it anew",
            )
        assert "shard 1" in caplog.text
    assert {hit.document for hit in hits}.isdisjoint(lost)
    assert len(hits) == FILES - len(lost)
    assert any("shard 1" in problem.problem for problem in verify_collection(made).problems)
    assert index(made, [docs]).added == lost
    assert not verify_collection(made).problems


def test_a_shard_of_another_make_is_left_out(made: Path, corpora: Any) -> None:
    corpora.settings = replace(corpora.settings, embedder_sha256="other")
    foreign = corpora.index("foreign", [])
    shard = Catalogue.read(made).folders(made)[2]
    shutil.rmtree(shard)
    shutil.copytree(foreign, shard)
    with CollectionHandle(made) as handle, handle.snapshot() as (documents, _):
        assert str(documents.searched) == "2/3"
    assert any("not made as" in one.problem for one in verify_collection(made).problems)


def test_without_any_shard_there_is_an_error(made: Path) -> None:
    for shard in Catalogue.read(made).folders(made):
        shutil.rmtree(shard)
    with CollectionHandle(made) as handle:
        with pytest.raises(StorageError, match="no shard"), handle.snapshot():
            pass
        with pytest.raises(StorageError, match="no shard"):
            handle.forget([made])


@pytest.mark.parametrize("step", ["statistics", "find", "look", "fetch"])
@pytest.mark.parametrize("error", [IndexUnreadableError("gone"), OSError("gone")])
def test_a_shard_that_fails_in_any_step_is_left_out(
    made: Path, embedder: Embedder, step: str, error: Exception
) -> None:
    lost = set(paths_in(made)[0])
    with CollectionHandle(made) as handle, handle.snapshot() as (documents, searches):

        def fails(*_given: object) -> list[Hit]:
            raise error

        setattr(searches._shards[0], step, fails)
        [hits] = searches.search(documents, ["tenant"], embedder.questions(["tenant"]), 50)
        assert str(documents.searched) == "2/3"
        assert {hit.document for hit in hits} == {
            path for row in paths_in(made).values() for path in row
        } - lost


def test_a_mistake_of_ours_is_no_fault_of_a_shard(made: Path, embedder: Embedder) -> None:
    with CollectionHandle(made) as handle, handle.snapshot() as (documents, searches):
        searches._shards[0].find = None  # type: ignore[method-assign, assignment]
        with pytest.raises(TypeError):
            searches.search(documents, ["tenant"], embedder.questions(["tenant"]), 5)


def test_a_shard_that_does_not_answer_in_time_is_left_out_until_it_does() -> None:
    answer = threading.Event()
    calls = ShardCalls(seconds=0.05)
    results, failures = calls.each({0: lambda: "there", 1: answer.wait})
    assert results == {0: "there"}
    assert "within 0.05 seconds" in str(failures[1])
    results, failures = calls.each({0: lambda: "there", 1: lambda: "now"})
    assert results == {0: "there"}
    assert "earlier call" in str(failures[1])
    closed = threading.Event()
    calls.after(1, closed.set)
    assert not closed.is_set(), "what it works on is not closed under it"
    answer.set()
    assert closed.wait(60)
    results, failures = ShardCalls(seconds=60).each({1: lambda: "now"})
    assert (results, failures) == ({1: "now"}, {})
    calls.close()


def test_nothing_is_closed_under_a_shard_where_another_one_raises() -> None:
    # The error went on to the caller, who closed the files that other shards were reading.
    answer = threading.Event()
    calls = ShardCalls(seconds=60)
    with pytest.raises(ZeroDivisionError):
        calls.each({0: lambda: 1 // 0, 1: answer.wait, 2: answer.wait})
    with pytest.raises(ZeroDivisionError):
        calls.each({0: lambda: 1 // 0})
    closed = threading.Event()
    calls.after(2, closed.set)
    assert not closed.is_set()
    answer.set()
    assert closed.wait(60)
    calls.close()


def test_calls_go_on_after_they_were_closed() -> None:
    calls = ShardCalls(seconds=60, threads=2)
    for _ in range(3):
        results, failures = calls.each({n: lambda n=n: n for n in range(5)})  # type: ignore[misc]
        assert (results, failures) == ({n: n for n in range(5)}, {})
        calls.close()


# -- the catalogue ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', "no json"])
def test_a_catalogue_that_cannot_be_understood_is_damage(made: Path, text: str) -> None:
    (made / "collection.json").write_text(text, encoding="utf-8")
    with pytest.raises(IndexDamagedError, match=r"collection\.json"):
        Catalogue.read(made)


def test_a_catalogue_names_no_other_folders(made: Path) -> None:
    values = json.loads((made / "collection.json").read_text(encoding="utf-8"))
    values["shards"][1] = "../elsewhere"
    (made / "collection.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(IndexDamagedError):
        Catalogue.read(made)


def test_a_catalogue_of_another_version_is_refused(made: Path) -> None:
    values = json.loads((made / "collection.json").read_text(encoding="utf-8"))
    (made / "collection.json").write_text(json.dumps(values | {"version": 9}), encoding="utf-8")
    with pytest.raises(IndexMismatchError, match="version 9"):
        Catalogue.read(made)


def test_a_collection_below_the_documents_is_not_read(docs: Path, index: Indexing) -> None:
    inside = docs / "collection"
    index(inside, [docs], 2)
    report = index(inside, [docs])
    assert len(report.unchanged) == FILES
    assert not report.failed


def test_a_file_of_the_catalogues_name_is_read(docs: Path, made: Path, index: Indexing) -> None:
    (docs / "collection.json").write_text('{"title": "a tenant"}', encoding="utf-8")
    assert index(made, [docs]).added == [str(docs / "collection.json")]
