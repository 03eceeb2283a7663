"""What a file becomes: its text, and where its pages start in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

# Formats whose text is the decoded file itself, so that line numbers mean something.
LINE_FORMATS = frozenset({"text", "markdown", "rst"})
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Document:
    """One source file with its text.

    Attributes:
        path: absolute; bytes that are no UTF-8 as :func:`os.fsdecode` gives them.
        format: ``text``, ``markdown``, ``rst``, ``pdf``, ``html`` or ``docx``.
        text: offsets count its code points; holds neither NULs nor lone surrogates.
        page_starts: offset of each page's first character; empty where there are no pages.
        sha256: of the file's bytes, hex.
        size: of the file, in bytes.
        mtime_ns: when the file was last changed.
    """

    path: str
    format: str
    text: str
    page_starts: tuple[int, ...]
    sha256: str
    size: int
    mtime_ns: int

    def page_at(self, offset: int) -> tuple[int, int] | None:
        """The page (from 1) that an offset is on and where that page starts; None: no pages."""
        page = bisect_right(self.page_starts, offset)
        return (page, self.page_starts[page - 1]) if page else None

    def line_at(self, offset: int) -> int | None:
        """The line (from 1) that an offset is on; None in formats whose text is not the file."""
        if self.format not in LINE_FORMATS:
            return None
        return 1 + sum(1 for _ in _LINE_END.finditer(self.text, 0, offset))


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or folder that could not be read, and why."""

    path: str
    error: str


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """What one file may cost.

    Args:
        seconds: of wall time.
        memory_mb: of address space of the process that extracts its text.
        max_file_mb: of the file itself.
        max_chars: of its text.

    Raises:
        ValueError: a limit is not positive.
    """

    seconds: float = 60.0
    memory_mb: int = 512
    max_file_mb: int = 100
    max_chars: int = 20_000_000

    def __post_init__(self) -> None:
        for name in ("seconds", "memory_mb", "max_file_mb", "max_chars"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, is {getattr(self, name)}")
