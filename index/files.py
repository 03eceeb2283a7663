"""Files that are whole or absent, wherever a process is killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """Yield a path beside ``target`` to write to; synced and renamed to it if nothing is raised."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder; where it is not there, it is made beside its place and renamed when whole.

    Args:
        make: fills an empty folder. Where two processes do so at once, the first one's stays.

    Raises:
        OSError: it can't be written.
    """
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as work:
            part = Path(work) / "part"
            part.mkdir()
            make(part)
            try:
                part.rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise
    return folder
