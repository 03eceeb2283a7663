"""The texts of an index's documents, kept in pieces so that a look at a place reads only a few.

Each piece knows how many lines end before it, so that a line's number needs no more than the piece
that holds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from sqlite_utils import Database

from docqa.index.errors import IndexDamagedError
from docqa.ingest.document import (
    LINE_FORMATS,
    Heading,
    count_line_ends,
    last_line_end,
    line_of,
    page_of,
)

PIECE_CHARS = 65_536
# What a StoredDocument is made of, in this order; see StoredDocument.__init__.
COLUMNS = "id, format, length, page_starts, title, outline, gaps, file_lines"


def cut_text(text: str) -> Iterator[dict[str, Any]]:
    """Yield the pieces of a text as rows of the table, without the document's id."""
    lines = 0
    for number, start in enumerate(range(0, len(text), PIECE_CHARS)):
        end = min(start + PIECE_CHARS, len(text))
        yield {"number": number, "text": text[start:end], "lines": lines}
        lines += count_line_ends(text, start, end)


class StoredDocument:
    """A document of an index; its text is read from the database where it is looked at.

    Implements :class:`docqa.ingest.document.Source`. Good for as long as the store's snapshot.

    Attributes:
        id: the database's; in a collection, the collection's.
        path: absolute.
        format: as in :class:`docqa.ingest.document.Document`, as are ``title``, ``outline``,
            ``gaps`` and ``page_starts``.
        length: of the text, in code points.
    """

    def __init__(self, db: Database, path: str, row: Sequence[Any]) -> None:
        self._db = db
        self._piece: tuple[int, str, int] = (-1, "", 0)
        self.path = path
        self.id: int = row[0]
        self._row_id: int = row[0]
        self.format: str = row[1]
        self.length: int = row[2]
        self.page_starts: tuple[int, ...] = tuple(json.loads(row[3]))
        self.title: str | None = row[4]
        self.outline = tuple(Heading(*heading) for heading in json.loads(row[5]))
        self.gaps: tuple[str, ...] = tuple(json.loads(row[6]))
        self._lines: str = row[7]

    @cached_property
    def lines(self) -> tuple[tuple[int, int], ...]:
        """Where the text goes on in another line of the file: ``(offset, line)``."""
        return tuple((offset, line) for offset, line in json.loads(self._lines))

    def slice(self, start: int, end: int) -> str:
        """Return ``text[start:end]``, cut to what there is; reads the pieces that hold it.

        Args:
            start: from 0, in code points.

        Raises:
            IndexDamagedError: a piece is missing.
        """
        end = min(end, self.length)
        if start >= end:
            return ""
        first, last = start // PIECE_CHARS, (end - 1) // PIECE_CHARS
        text = "".join(self._read_piece(number)[0] for number in range(first, last + 1))
        return text[start - first * PIECE_CHARS : end - first * PIECE_CHARS]

    def page_at(self, offset: int) -> tuple[int, int] | None:
        """Return the page (from 1) that holds an offset, and the offset where that page starts.

        None without pages.
        """
        return page_of(self.page_starts, offset)

    def line_at(self, offset: int) -> int | None:
        """Return the line (from 1) that holds an offset; None where the format has no lines.

        Raises:
            IndexDamagedError: a piece is missing.
        """
        if self.lines:
            return line_of(self.lines, offset)
        if self.format not in LINE_FORMATS:
            return None
        if not self.length:
            return 1
        number = min(offset, self.length - 1) // PIECE_CHARS
        text, lines = self._read_piece(number)
        return 1 + lines + count_line_ends(text, 0, offset - number * PIECE_CHARS)

    def column_at(self, offset: int) -> int | None:
        """Return the column (from 1) of an offset in its line of the file.

        None where the text is not the file itself.

        Raises:
            IndexDamagedError: a piece is missing.
        """
        if self.format not in LINE_FORMATS:
            return None
        end = offset
        for number in range(offset // PIECE_CHARS, -1, -1):
            start = number * PIECE_CHARS
            found = last_line_end(self.slice(start, end), end - start)
            if found >= 0:
                return offset - start - found
            end = start
        return offset + 1

    def _read_piece(self, number: int) -> tuple[str, int]:
        """Return a piece's text and the lines that end before it."""
        if self._piece[0] != number:
            row = self._db.execute(
                "select text, lines from pieces where document_id = ? and number = ?",
                [self._row_id, number],
            ).fetchone()
            if row is None:
                raise IndexDamagedError(
                    f"a part of the text of {self.path} is missing; run docqa verify"
                )
            self._piece = (number, row[0], row[1])
        return self._piece[1:]
