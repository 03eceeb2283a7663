"""What becomes of one source file: its text with where the pages start, or why there is none."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

from docqa.ingest.formats import FORMATS
from docqa.ingest.formats import Heading as Heading

Lines = Sequence[tuple[int, int]]

# Where the text is the decoded file itself, so that its lines are the file's.
LINE_FORMATS = frozenset(format.name for format in FORMATS if format.is_lines)


class Source(Protocol):
    """A document whose text can be looked at: one that was just read, or one of an index."""

    @property
    def path(self) -> str: ...

    @property
    def format(self) -> str: ...

    @property
    def title(self) -> str | None: ...

    @property
    def outline(self) -> Sequence[Heading]: ...

    @property
    def page_starts(self) -> Sequence[int]:
        """Offset of each page's first character; empty where there are no pages."""

    @property
    def length(self) -> int:
        """How many code points the text has."""

    def slice(self, start: int, end: int) -> str:
        """Return ``text[start:end]``, cut to what there is."""

    def page_at(self, offset: int) -> tuple[int, int] | None:
        """Return the page (from 1) that holds an offset, and the offset where that page starts."""

    def line_at(self, offset: int) -> int | None:
        """Return the line (from 1) that holds an offset; None where the format has no lines."""

    def column_at(self, offset: int) -> int | None:
        """Return the column (from 1) of an offset in its line of the file.

        None where the text is not the file itself.
        """


@dataclass(frozen=True, slots=True)
class Document:
    """One source file, read.

    Attributes:
        path: absolute; undecodable bytes as ``os.fsdecode`` gives them (surrogateescape). Of a
            member of an archive, the archive's with the member's below it.
        format: the name of one of :data:`docqa.ingest.formats.FORMATS`.
        text: the whole text, without NULs and lone surrogates. For ``LINE_FORMATS`` it is the
            decoded file itself, so offsets into it hold in the file; ligatures are written out.
        page_starts: offset of each page's first character; empty where there are no pages.
        sha256: of the file's bytes, in hex.
        size: of the file, or of the archive that holds it, in bytes.
        mtime_ns: when that was last changed, in nanoseconds since 1970.
        title: what the document calls itself; None where it does not say.
        outline: its headings, in the order of the text.
        gaps: what of the file is not in the text, a sentence each ("pages 3 and 7 are pictures
            without text; ...").
        lines: where the text goes on in another line of the file: ``(offset, line)``, from 1;
            empty where the text is the file itself or has no lines.
        pictures: how many pages are missing in the text whose text could be recognised.
    """

    path: str
    format: str
    text: str
    page_starts: tuple[int, ...]
    sha256: str
    size: int
    mtime_ns: int
    title: str | None = None
    outline: tuple[Heading, ...] = ()
    gaps: tuple[str, ...] = ()
    lines: tuple[tuple[int, int], ...] = ()
    pictures: int = 0

    @property
    def length(self) -> int:
        """How many code points the text has."""
        return len(self.text)

    def slice(self, start: int, end: int) -> str:
        """Return ``text[start:end]``."""
        return self.text[start:end]

    def page_at(self, offset: int) -> tuple[int, int] | None:
        """Return the page that holds an offset.

        Args:
            offset: into ``text``, in code points.

        Returns:
            The page, counted from 1, and the offset where it starts; None without pages.
        """
        return page_of(self.page_starts, offset)

    def line_at(self, offset: int) -> int | None:
        r"""Return the line that holds an offset, as an editor counts.

        Lines end with ``\n``, ``\r\n`` or a lone ``\r``; the end belongs to the line it ends.

        Args:
            offset: into ``text``, in code points.

        Returns:
            The line, counted from 1; None where the format has no lines of its own.
        """
        if self.lines:
            return line_of(self.lines, offset)
        if self.format not in LINE_FORMATS:
            return None
        return 1 + count_line_ends(self.text, 0, offset)

    def column_at(self, offset: int) -> int | None:
        """Return the column of an offset in its line, as an editor counts.

        Args:
            offset: into ``text``, in code points.

        Returns:
            The column, counted from 1; None where the text is not the file itself.
        """
        if self.format not in LINE_FORMATS:
            return None
        return offset - last_line_end(self.text, offset)


def page_of(page_starts: Sequence[int], offset: int) -> tuple[int, int] | None:
    """Return the page (from 1) that holds an offset, and where it starts; None without pages."""
    if not page_starts:
        return None
    page = max(1, bisect_right(page_starts, offset))
    return page, page_starts[page - 1]


def last_line_end(text: str, offset: int) -> int:
    """Return where the last line before an offset ends; -1 in the first line."""
    return max(text.rfind(end, 0, offset) for end in "\r\n")


def count_line_ends(text: str, start: int, end: int) -> int:
    r"""Return how many lines end in ``text[start:end]``.

    An end is ``\n``, ``\r\n`` or a lone ``\r``; where ``end`` parts a pair, the line has not ended.
    """
    ends = text.count("\n", start, end) + text.count("\r", start, end)
    pairs = text.count("\r\n", start, end)
    parts_a_pair = end > start and text[end - 1 : end + 1] == "\r\n"
    return ends - pairs - parts_a_pair


def line_of(lines: Lines, offset: int) -> int:
    """Return the line of the file that holds an offset.

    Args:
        lines: where the text goes on in another line: ``(offset, line)``, at least one.
        offset: into the text, in code points.
    """
    return lines[max(0, bisect_right(lines, offset, key=itemgetter(0)) - 1)][1]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or folder that could not be read.

    Attributes:
        path: absolute.
        error: why, and what to do about it.
        passing: whether it says something of the moment (a time limit, a lost disk, a file that
            was being written) and nothing of the file; what an index has of the file then stays.
    """

    path: str
    error: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Something of a file that is not in its document's text.

    Attributes:
        path: of the file, absolute.
        gap: what is missing and why, a sentence.
    """

    path: str
    gap: str


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """What reading one file may cost.

    Attributes:
        seconds: wall time for a file.
        memory_mb: address space of a worker process, in MiB. It has about 70 before it starts.
        max_file_mb: size of a file, in MiB.
        max_chars: extracted text of a file, in code points.
        recognise: whether the text in pictures is read, for which ``seconds`` and ``memory_mb``
            must be larger; :mod:`docqa.ingest.workers.pool` sees to it.

    Raises:
        ValueError: a limit that nothing could be read under.
    """

    seconds: float = 120.0
    memory_mb: int = 512
    max_file_mb: int = 100
    max_chars: int = 20_000_000
    recognise: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.seconds < float("inf"):
            raise ValueError(f"the time for a file must be above 0 seconds, not {self.seconds}")
        if self.memory_mb < 128:
            raise ValueError(f"a worker needs at least 128 MB of memory, not {self.memory_mb}")
        if self.max_file_mb < 1:
            raise ValueError(f"a file may hold at least 1 MB, not {self.max_file_mb}")
        if self.max_chars < 1:
            raise ValueError(f"a file may hold at least 1 character, not {self.max_chars}")
