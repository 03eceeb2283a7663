"""Each error says what it is: only corruption is called damage, and nothing else costs work."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docqa.index.build import BuildOptions, build
from docqa.index.errors import (
    DiskFullError,
    IndexDamagedError,
    IndexLockedError,
    IndexUnreadableError,
    StorageError,
)
from docqa.index.lock import writer_lock
from docqa.index.models.embedder import Embedder
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.index.system_errors import database_errors, file_errors
from docqa.index.verify import verify


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite words it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_CORRUPT, IndexDamagedError),
        (sqlite3.SQLITE_CORRUPT_VTAB, IndexDamagedError),
        (sqlite3.SQLITE_NOTADB, IndexDamagedError),
        (sqlite3.SQLITE_BUSY, IndexLockedError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, IndexLockedError),
        (sqlite3.SQLITE_LOCKED, IndexLockedError),
        (sqlite3.SQLITE_FULL, DiskFullError),
        (sqlite3.SQLITE_READONLY_DIRECTORY, IndexUnreadableError),
        (sqlite3.SQLITE_CANTOPEN, IndexUnreadableError),
        (sqlite3.SQLITE_IOERR_READ, StorageError),
        (sqlite3.SQLITE_TOOBIG, StorageError),
        (sqlite3.SQLITE_ERROR, StorageError),
    ],
)
def test_sqlite_s_errors_by_their_codes(
    code: int, kind: type[StorageError], tmp_path: Path
) -> None:
    """Fault: a lock, a full disk or a closed connection was "damaged; delete the folder"."""
    with pytest.raises(StorageError) as raised, database_errors(tmp_path):
        raise sqlite_error(code)
    assert raised.type is kind
    assert ("delete the folder" in str(raised.value)) == (kind is IndexDamagedError)


def test_real_errors_of_sqlite(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "x.db")
    db.close()
    with pytest.raises(StorageError, match="closed") as raised, database_errors(tmp_path):
        db.execute("select 1")
    assert raised.type is StorageError
    (tmp_path / "y.db").write_bytes(b"no database" * 1000)
    with pytest.raises(IndexDamagedError), database_errors(tmp_path):
        sqlite3.connect(tmp_path / "y.db").execute("select * from sqlite_master")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_a_full_disk(number: int, tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="goes on from there"), file_errors(tmp_path):
        raise OSError(number, os.strerror(number))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB, as the folder of an index."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"no small disk can be made here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_run_that_fills_the_disk_loses_nothing_and_can_go_on(
    small_disk: Path, embedder: Embedder, index_settings: IndexSettings, tmp_path: Path
) -> None:
    """Fault: a full disk was a traceback."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for n in range(60):
        text = f"The lease number {n} ends in May. " * 40
        (documents / f"{n:02}.txt").write_text(text)
    options = BuildOptions(workers=1)
    with (
        Store.create(small_disk, index_settings) as store,
        pytest.raises(DiskFullError, match="make room"),
    ):
        build(store, embedder, [documents], options)
    with Store.open(small_disk) as store:
        kept = store.counts()["documents"]
        assert kept < 60
        assert verify(store).problems == []
    subprocess.run(["mount", "-o", "remount,size=32m", str(small_disk)], check=True)
    with Store.open(small_disk, to_write=True) as store:
        report = build(store, embedder, [documents], options)
        assert (len(report.unchanged), store.counts()["documents"]) == (kept, 60)
        assert verify(store).problems == []


def test_a_limit_on_the_size_of_files_is_an_error_of_docqa(tmp_path: Path) -> None:
    """Fault: where a quota ends, SQLite says "disk I/O error", and docqa said "damaged"."""
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from docqa.errors import IndexDamagedError, StorageError\n"
        "from docqa.index.schema import IndexSettings\n"
        "from docqa.index.store import Store\n"
        "from docqa.ingest.windows import WindowSettings\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "settings = IndexSettings('e', 's', 4, WindowSettings(), 'x' * 500_000)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try:\n"
        "    Store.create(Path(sys.argv[1]), settings)\n"
        "except StorageError as error:\n"
        "    print(isinstance(error, IndexDamagedError), error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "index")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("False")
    assert "delete" not in done.stdout


def test_a_lock_that_can_t_be_made_is_an_error_of_docqa(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="no index can be kept"), writer_lock(tmp_path / "file"):
        pass


def test_a_vector_that_is_missing_is_damage_and_shifts_nothing(
    new_store: Store, embedder: Embedder, documents: Path
) -> None:
    """Fault: the vectors after a missing one moved up, and the last was whatever memory held."""
    build(new_store, embedder, [documents], BuildOptions(workers=1))
    ids = new_store.window_ids()
    new_store.db.execute("delete from windows where id = ?", [int(ids[1])])
    with pytest.raises(IndexDamagedError, match=f"window {ids[1]} is missing"):
        new_store.vectors(ids)
    assert len(new_store.vectors(ids[[0, 2]])) == 2
