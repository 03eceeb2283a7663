"""SQLite's errors and the system's as docqa's, by their codes: the one place that does it.

Only a database whose content is broken is called damaged. A lock, a full disk or a missing
permission costs nothing that was written, and the message says so.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docqa.index.errors import (
    DiskFullError,
    IndexDamagedError,
    IndexLockedError,
    IndexUnreadableError,
    StorageError,
)

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NOT_PERMITTED = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}
# SQLite calls a disk full only where the system says ENOSPC. A quota or a limit on the size of
# files comes back as a failed write.
_FAILED_WRITES = {
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMMAP,
    sqlite3.SQLITE_IOERR_FSYNC,
}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LEAST_ROOM = 1 << 20  # bytes; with less, a write that failed is put down to it


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; 0 where the error does not come from SQLite."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def database_errors(folder: Path) -> Iterator[None]:
    """Raise every error of SQLite inside as one of docqa's.

    Args:
        folder: the index's.

    Raises:
        IndexDamagedError: the database is corrupt or no database.
        IndexLockedError: another process kept it locked for too long.
        IndexUnreadableError: this user may not open or write it.
        DiskFullError: there is no room left.
        StorageError: anything else that SQLite reports.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error


@contextmanager
def file_errors(folder: Path) -> Iterator[None]:
    """Raise every OSError inside as one of docqa's; inside, only the index's files are touched.

    Args:
        folder: the index's.

    Raises:
        DiskFullError: there is no room left.
        StorageError: anything else that the system reports.
    """
    try:
        yield
    except OSError as error:
        # numpy says only how much it could not write.
        if error.errno in _NO_ROOM or (error.errno is None and not _has_room(folder)):
            raise _disk_full(folder) from error
        raise StorageError(
            f"no index can be kept in {folder}: {error.strerror or error}"
        ) from error


def storage_error(error: sqlite3.Error, folder: Path) -> StorageError:
    """Return the docqa error that says what an error of SQLite means for the index in a folder."""
    extended: int = getattr(error, "sqlite_errorcode", 0)
    code = primary_code(error)
    if code in _DAMAGED:
        return damaged(folder, str(error))
    if code in _LOCKED:
        return IndexLockedError(
            f"another process keeps the index in {folder} locked; try again when it has finished"
        )
    if code == sqlite3.SQLITE_FULL or (extended in _FAILED_WRITES and not _has_room(folder)):
        return _disk_full(folder)
    if code in _NOT_PERMITTED:
        return IndexUnreadableError(
            f"no permission to use the index in {folder} ({error}); "
            "ask its owner for the right to read the folder, or use a copy of it"
        )
    if code == sqlite3.SQLITE_IOERR:
        return StorageError(
            f"the disk that the index in {folder} is on failed ({error}); check the disk and its "
            "free space, then try again: what was written before is kept"
        )
    return StorageError(f"the index in {folder} can't be used ({error})")


def damaged(folder: Path, reason: str) -> IndexDamagedError:
    """Return the error for an index whose content is broken."""
    return IndexDamagedError(
        f"the index in {folder} is damaged ({reason}); delete the folder and run docqa index again"
    )


def _disk_full(folder: Path) -> DiskFullError:
    return DiskFullError(
        f"the disk that the index in {folder} is on is full; make room and run docqa index again: "
        "what was finished is kept, and it goes on from there"
    )


def _has_room(folder: Path) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return True
    return status.f_bavail * status.f_frsize > _LEAST_ROOM
