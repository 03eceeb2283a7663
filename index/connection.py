"""Connections to an index's database: one that writes, and any number that only read.

Readers open the file with ``mode=ro``. In a folder that they may not write to there are three
cases. The write-ahead log has its index (``-shm``): SQLite reads both. There is no log, or an empty
one: the file alone is the whole truth and is read as it stands. There is a log that can't be read:
that is an error, for the file alone would be an older state of the index, or an empty one.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from docqa.index.errors import IndexUnreadableError
from docqa.index.schema import DATABASE
from docqa.index.system_errors import primary_code

_CANT_MAKE_LOG = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_WAIT = 30  # seconds for another process's lock
# How long the end of a run waits for readers of older generations before it leaves the log.
_WAIT_TO_EMPTY_MS = 1000


@dataclass(frozen=True, slots=True)
class Connection:
    """An open database.

    Attributes:
        db: what statements go through.
        folder: the index's.
        writes: whether it may write.
        frozen: the file's state, where it is read without a log and so must not change.
    """

    db: Database
    folder: Path
    writes: bool
    frozen: tuple[int, ...] | None
    _file: tuple[int, ...]

    @property
    def is_current(self) -> bool:
        """Whether the folder still holds the file that is open, as it was where that matters."""
        path = self.folder / DATABASE
        if self.frozen is None:
            return self._file == _identity(path)
        return self.frozen == _state(path) and not _log_size(path)

    def close(self) -> None:
        """Close it; a writer first moves the log's content into the file."""
        if self.writes:
            with suppress(sqlite3.OperationalError):  # a reader keeps the log in use, or no room
                self.db.execute(f"pragma busy_timeout = {_WAIT_TO_EMPTY_MS}")
                self.db.execute("pragma wal_checkpoint(truncate)")
        self.db.close()
        path = self.folder / DATABASE
        if not self.writes and self.frozen is None and self.is_current and _may_write(path):
            _clear_log(path)


def open_to_write(folder: Path, create: bool = False) -> Connection:
    """Open the database to write to it; the caller holds the writer's lock.

    Args:
        create: make it where it is missing.

    Raises:
        sqlite3.Error: it can't be opened.
    """
    path = folder / DATABASE
    connection = _connect(path, "mode=rwc" if create else "mode=rw")
    db = Database(connection, execute_plugins=False)
    try:
        db.execute("pragma synchronous = normal")
        db.execute("pragma foreign_keys = on")
        if create:
            db.enable_wal()
    except BaseException:
        db.close()
        raise
    return Connection(db, folder, True, None, _identity(path))


def open_to_read(folder: Path) -> Connection:
    """Open the database to read the newest state that was written.

    Raises:
        IndexUnreadableError: a log is there that this user can't read.
        sqlite3.Error: it can't be opened.
    """
    path = folder / DATABASE
    identity = _identity(path)
    if _may_write(path) or _log_size(path) or _beside(path, "-shm").exists():
        connection = _connect(path, "mode=ro")
        try:
            connection.execute("select count(*) from sqlite_master")
        except sqlite3.OperationalError as error:
            connection.close()
            if primary_code(error) not in _CANT_MAKE_LOG:
                raise
        else:
            return Connection(
                Database(connection, execute_plugins=False), folder, False, None, identity
            )
    state = _state(path)
    if _log_size(path):
        raise IndexUnreadableError(
            f"the index in {folder} was left in the middle of a run, and its last part can't be "
            "read without the right to write to the folder; let its owner run docqa index (or "
            "docqa status) once, or copy the folder to where you may write"
        )
    connection = _connect(path, "immutable=1")
    return Connection(Database(connection, execute_plugins=False), folder, False, state, identity)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=_WAIT,
        isolation_level=None,
        check_same_thread=False,
    )


def _clear_log(path: Path) -> None:
    """Let SQLite remove a log that nobody uses, which a reader leaves behind.

    Left there, it would belong to whoever asked last, and whoever writes next could be locked out.
    """
    if not _beside(path, "-wal").exists():
        return
    with suppress(sqlite3.Error):
        connection = _connect(path, "mode=rw")
        try:
            connection.execute("select count(*) from sqlite_master")
        finally:
            connection.close()


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _log_size(path: Path) -> int:
    try:
        return _beside(path, "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _identity(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino


def _state(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
