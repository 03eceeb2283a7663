"""The lock that one writer of an index holds at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from docqa.index.errors import IndexLockedError
from docqa.index.system_errors import file_errors

_LOCK = "writer.lock"


@contextmanager
def writer_lock(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold an index for writing; the lock dies with its process.

    Args:
        wait: how many seconds to wait for another process to let go of it.

    Raises:
        IndexLockedError: another process (or thread) holds it.
        StorageError: the folder can't be made or written to.
    """
    lock = FileLock(folder / _LOCK, timeout=wait)
    with file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise IndexLockedError(
                f"another docqa is writing to the index in {folder}; wait until it has finished"
            ) from None
    try:
        yield
    finally:
        lock.release()
