"""Text and paths as they are shown: nothing that steers a terminal, nothing longer than needed."""

from __future__ import annotations

import os


def printable(text: str) -> str:
    """Text that can't steer a terminal: control characters and lone surrogates made visible."""
    return "".join(
        char if char.isprintable() or char == " " else char.encode("unicode_escape").decode()
        for char in text
    )


def short_path(path: str) -> str:
    """A path as seen from the current folder, where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return path
    return relative if len(relative) < len(path) else path
