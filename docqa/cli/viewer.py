"""Documents in the system's viewers, at the page where that can be said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from docqa.errors import IngestError

# Browsers show a PDF at the page that its address names; xdg-open drops it on the way.
_BROWSERS = (
    "firefox", "chromium", "chromium-browser", "google-chrome", "brave-browser", "microsoft-edge",
)  # fmt: skip


def address(document: str, page: int | None = None) -> str:
    """Return the file:// address of a document, at a page."""
    url = Path(document).as_uri()
    return url if page is None else f"{url}#page={page}"


def viewing_command(document: str, page: int | None) -> list[str] | None:
    """Return the command that shows a document; None where there is none.

    Args:
        document: its path, absolute.
        page: where to open it; None for the beginning.
    """
    if sys.platform == "darwin":
        return ["open", document]
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    if page is not None:
        for name in _BROWSERS:
            if (found := shutil.which(name)) is not None:
                return [found, address(document, page)]
    found = shutil.which("xdg-open")
    return None if found is None else [found, document]


def view(document: str, page: int | None) -> None:
    """Show a document, and return while it is shown.

    Raises:
        IngestError: it is not there, or there is nothing to show it with.
    """
    from docqa.ingest.archives import file_of  # loads what reads archives

    if (archive := file_of(document)) != document:
        raise IngestError(f"{document} is in an archive; unpack {archive} to look at it")
    if not Path(document).exists():
        raise IngestError(f"{document} is not there any more")
    if sys.platform == "win32":
        os.startfile(document)
        return
    command = viewing_command(document, page)
    if command is None:
        raise IngestError(f"there is no viewer here; open it yourself: {address(document, page)}")
    try:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is not for the viewer
        )
    except OSError as error:
        raise IngestError(f"{command[0]} can't be started: {error.strerror or error}") from error
