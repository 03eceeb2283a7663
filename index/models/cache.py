"""Where models that are made of others are kept: the user's cache, which may always be emptied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory


def cache_folder() -> Path:
    """Return docqa's folder in the user's cache, as the system has it."""
    import platformdirs

    return platformdirs.user_cache_path("docqa")


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
