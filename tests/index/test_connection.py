"""Whoever may only read sees the newest state, or an error: never an older one, never nothing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from docqa.index.build import BuildOptions, build
from docqa.index.errors import IndexLockedError, IndexMissingError
from docqa.index.models.embedder import Embedder
from docqa.index.schema import DATABASE, IndexSettings
from docqa.index.store import Store
from docqa.index.verify import verify

# Imports come first: another user may not be able to read where Python is installed.
AS_READER = """
import json, os, sys
from pathlib import Path
from docqa.errors import StorageError
from docqa.index.store import Store
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with Store.open(Path(sys.argv[1])) as store, store.snapshot():
        print(json.dumps(store.counts()["documents"]))
except StorageError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


def read_as_another(folder: Path) -> object:
    """Return the number of documents that a process sees that may read the folder, not write."""
    done = subprocess.run(
        [sys.executable, "-c", AS_READER, str(folder)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture
def index(
    tmp_path: Path, embedder: Embedder, index_settings: IndexSettings, documents: Path
) -> Path:
    """The folder of a finished index of two documents, that others may read."""
    with Store.create(tmp_path / "index", index_settings) as store:
        build(store, embedder, [documents], BuildOptions(workers=1))
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == Path.home().owner() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path / "index"


def names(index: Path) -> set[str]:
    return {file.name for file in index.iterdir() if file.name.startswith(DATABASE)}


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def test_a_finished_run_leaves_all_in_one_file(index: Path, tmp_path: Path) -> None:
    """Fault: the last commits stayed in a log that a copy of docqa.db alone did not have."""
    assert names(index) == {DATABASE}
    (tmp_path / "copy").mkdir()
    shutil.copy(index / DATABASE, tmp_path / "copy")
    with Store.open(tmp_path / "copy") as store:
        assert store.counts()["documents"] == 2


def test_a_reader_leaves_nothing_behind(index: Path) -> None:
    with Store.open(index) as store:
        assert store.counts()["documents"] == 2
    assert names(index) == {DATABASE}


def test_a_reader_can_t_write(index: Path) -> None:
    with Store.open(index) as store, pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.db.execute("delete from documents")


@as_root
def test_who_may_only_read_sees_each_finished_run(
    index: Path, embedder: Embedder, documents: Path
) -> None:
    """Fault: the answer was "no documents" or yesterday's, with exit code 0."""
    assert read_as_another(index) == 2
    (documents / "new.txt").write_text("A third document is here.")
    with Store.open(index, to_write=True) as store:
        build(store, embedder, [documents], BuildOptions(workers=1))
        assert read_as_another(index) == 3, "while the log is in use"
    assert read_as_another(index) == 3
    assert names(index) == {DATABASE}


@as_root
def test_a_log_that_can_t_be_read_is_an_error_and_never_ignored(
    index: Path, documents: Path, tmp_path: Path, embedder: Embedder
) -> None:
    (documents / "new.txt").write_text("A third document is here.")
    copy = tmp_path / "copy"
    with Store.open(index, to_write=True) as store:
        build(store, embedder, [documents], BuildOptions(workers=1))
        copy.mkdir()
        for suffix in ("", "-wal"):  # as a copy made beside a run, or of a killed one, may have it
            shutil.copy(index / f"{DATABASE}{suffix}", copy)
    kind, said = read_as_another(copy)  # type: ignore[misc]
    assert kind == "IndexUnreadableError"
    assert "let its owner run docqa index" in said
    with Store.open(copy) as store:
        assert store.counts()["documents"] == 3, "its owner can read it"
    assert read_as_another(copy) == 3, "and with that, everybody"


@as_root
def test_a_read_only_index_can_be_checked(index: Path) -> None:
    """Fault: verify wrote to the full text to check it, and failed where it could not."""
    code = AS_READER.replace(
        'store.counts()["documents"]', "[problem.problem for problem in verify(store).problems]"
    )
    code = f"from docqa.index.verify import verify\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code, str(index)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


def test_an_index_can_be_checked_beside_a_run(
    index: Path, embedder: Embedder, documents: Path
) -> None:
    """Fault: a document that was replaced while verify looked at it was an error."""
    with Store.open(index) as reader, Store.open(index, to_write=True) as writer:
        replaced = False

        def replace(done: int, total: int) -> None:
            nonlocal replaced
            if not replaced:
                writer.remove(str(documents / "rocket.md"))
                writer.remove(str(documents / "lease.txt"))
                replaced = True

        assert verify(reader, replace).problems == []
        assert replaced


def test_an_index_written_to_while_it_is_read_without_a_log_is_an_error(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docqa.index.connection._may_write", lambda path: False)

    def read_while_another_writes(reader: Store) -> None:
        with reader.snapshot(), Store.open(index, to_write=True) as writer:
            writer.remove(next(iter(writer.files())))

    with Store.open(index) as reader:
        with pytest.raises(IndexLockedError, match="ask again"):
            read_while_another_writes(reader)
        assert not reader.is_current


def test_a_folder_that_is_a_file_holds_no_index(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexMissingError):
        Store.open(tmp_path / "file")
