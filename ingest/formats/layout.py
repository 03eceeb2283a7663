"""Lines of text from a marked-up document: white space collapses, blocks and cells separate.

The formats tell it what they meet; it never knows which format that is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from docqa.ingest.formats import Heading
from docqa.ingest.formats.ligatures import without_ligatures
from docqa.ingest.formats.raised import lowered, raised

_SPACE, _LINE, _BLANK_LINE, _CELL = " ", "\n", "\n\n", "\t"
NO_LINK = 0

# The lines of a longer cell are kept: it is part of a page's layout rather than of a table.
_LONGEST_CELL = 400
_LOOK_BACK = 4
_HIGH = 2  # a heading that is not within a table of data


class Checkpoint(NamedTuple):
    """A moment of a layout that can be returned to."""

    parts: int
    length: int
    headings: int
    lines: int
    pending: str
    row_has_text: bool
    held: bool


class Piece(NamedTuple):
    """A part of a line that is of one link, or of none.

    Attributes:
        text: without white space at its ends.
        link: the number of the link, as :attr:`Layout.link` had it.
    """

    text: str
    link: int


class Line(NamedTuple):
    """A line as it was written.

    Attributes:
        start, end: where it stands in the text.
        pieces: its text, link by link; none of them is empty.
    """

    start: int
    end: int
    pieces: list[Piece]


class Layout:
    """Collects text as a browser would lay it out, one line a block or a table's row.

    What separates two pieces of text is written only when the second one comes, so that nested and
    empty blocks leave no empty lines.

    Attributes:
        length: how many code points were written.
        link: the number of the link that is being written; ``NO_LINK`` outside of links.
        outline: the headings that were written.
        source_line: the line of the file that is being written; 0 where lines mean nothing.
        lines: where the text goes on in another line of the file: ``(offset, line)``.
    """

    def __init__(self) -> None:
        self.length = 0
        self.link = NO_LINK
        self.outline: list[Heading] = []
        self.source_line = 0
        self.lines: list[tuple[int, int]] = []
        self._parts: list[str] = []  # texts, and between them what separates them
        self._links: list[int] = []  # of the texts alone
        self._pending = ""
        self._row_has_text = False
        self._held = False  # A marker or a cell waits for its text: no line ends between them.
        self._cells: list[int | None] = []  # where each open cell's parts start; None: keep lines
        self._heading: tuple[int, int] | None = None
        self._after_mark = False
        self._indent = ""  # of a verbatim line whose first words come in another piece

    def write(self, text: str) -> None:
        """Write running text; any run of white space in it is one blank."""
        words = text.split()
        if text[:1].isspace() and not self._pending:
            self._pending = _SPACE
        if not words:
            return
        self._emit(" ".join(words))
        if text[-1].isspace():
            self._pending = _SPACE

    def write_verbatim(self, text: str) -> None:
        """Write text whose blanks and line ends mean something."""
        lines = (self._indent + text).split("\n")
        self._indent = ""
        if len(lines) > 1:
            self._keep_lines()
        for number, line in enumerate(lines):
            if number > 0:
                self.source_line += self.source_line > 0
                self._pending = _BLANK_LINE if self._pending.startswith(_LINE) else _LINE
            if line.strip() or (line and not self._pending):
                self._emit(line.rstrip("\r"))
        if self._pending.startswith(_LINE) and lines[-1].isspace():
            self._indent = lines[-1]

    def write_raised(self, text: str, is_mark: bool = False) -> None:
        """Write raised text; see :func:`docqa.ingest.formats.raised.raised`."""
        drawn = raised(self._before(), text, is_mark)
        begins_a_line = not self._parts or self._pending.startswith(_LINE)
        if drawn.startswith(" "):
            self.apart()
        if drawn.strip():
            self._emit(drawn.strip())
            self._after_mark = drawn.startswith(" ") or begins_a_line

    def write_lowered(self, text: str) -> None:
        """Write lowered text."""
        drawn = lowered(self._before(), text)
        if drawn.startswith(" "):
            self.apart()
        if drawn.strip():
            self._emit(drawn.strip())

    def write_marker(self, text: str) -> None:
        """Write the number of what follows, on the same line."""
        self._emit(text)
        self._pending = _SPACE
        self._held = True

    def apart(self) -> None:
        """Separate what follows by a blank at least."""
        self._pending = self._pending or _SPACE

    def line(self) -> None:
        """Start a line of its own for what follows."""
        self._indent = ""
        if not self._held and self._pending in ("", _SPACE):
            self._pending = _LINE

    def paragraph(self) -> None:
        """Set off what follows by an empty line."""
        self._indent = ""
        if not self._held:
            self._pending = _BLANK_LINE

    def join(self) -> None:
        """Let what follows continue the line."""
        self._pending = ""

    def release(self) -> None:
        """End what a marker stands for, even if there was no text."""
        self._held = False

    def row(self) -> None:
        """Start or end a table's row."""
        self._held = False
        self._pending = _LINE if self._pending != _BLANK_LINE else _BLANK_LINE
        self._row_has_text = False
        self._keep_lines()

    def cell(self) -> None:
        """Start a cell."""
        if self._row_has_text:
            self._pending = _CELL
        self._held = True
        self._cells.append(len(self._parts))

    def end_cell(self) -> None:
        """End a cell. Its lines become one, so that the row stays a row, unless it is long."""
        self._held = False
        start = self._cells.pop() if self._cells else None
        if start is None:
            return
        inside = self._parts[start + 1 :]
        if sum(map(len, inside)) > _LONGEST_CELL:
            self._keep_lines()
            return
        for number, part in enumerate(inside, start + 1):
            if part in (_LINE, _BLANK_LINE):
                self._parts[number] = _SPACE
                self.length -= len(part) - 1
        if len(self._parts) > start and self._pending in (_LINE, _BLANK_LINE):
            self._pending = _SPACE

    def open_heading(self, level: int, since: Checkpoint | None = None) -> None:
        """Start a heading, here or where it began."""
        self._keep_lines()
        if level <= _HIGH and self._cells and self._pending == _CELL:
            self._pending = _BLANK_LINE  # a cell of a page's layout, beside its menu
        if self._heading is None:
            self._heading = (len(self._parts) if since is None else since.parts, level)

    def close_heading(self) -> None:
        """End a heading and note it in the outline, if it has text."""
        if self._heading is None:
            return
        first, level = self._heading
        self._heading = None
        if first > 0:
            first += 1  # what separates it from the text before
        words = " ".join("".join(self._parts[first:]).split())
        if words:
            start = self.length - sum(map(len, self._parts[first:]))
            self.outline.append(Heading(words, level, start))

    def checkpoint(self) -> Checkpoint:
        """Return this moment, for :meth:`take_back` and :meth:`since`."""
        return Checkpoint(
            len(self._parts),
            self.length,
            len(self.outline),
            len(self.lines),
            self._pending,
            self._row_has_text,
            self._held,
        )

    def since(self, checkpoint: Checkpoint) -> str:
        """Return what was written since a moment, without what separates it from the rest."""
        first = checkpoint.parts + (checkpoint.parts > 0)
        return "".join(self._parts[first:])

    def take_back(self, checkpoint: Checkpoint) -> None:
        """Undo what was written since a moment."""
        del self._parts[checkpoint.parts :]
        del self._links[(checkpoint.parts + 1) // 2 :]
        del self.outline[checkpoint.headings :]
        del self.lines[checkpoint.lines :]
        self.length = checkpoint.length
        self._pending = checkpoint.pending
        self._row_has_text = checkpoint.row_has_text
        self._held = checkpoint.held
        self._after_mark = False

    def tail(self, count: int) -> str:
        """Return the last characters of the line, if what follows would touch them."""
        return self._before()[-count:]

    def embed(self, text: str, outline: tuple[Heading, ...]) -> None:
        """Write the text of another document, as it is, with its headings."""
        self.paragraph()
        self._emit(text)
        start = self.length - len(text)
        self.outline.extend(
            Heading(heading.text, heading.level, start + heading.start) for heading in outline
        )
        self.paragraph()

    def text(self) -> str:
        """Return all that was written."""
        return "".join(self._parts)

    def written_lines(self) -> Iterator[Line]:
        """Yield the lines in their order."""
        start = end = 0
        pieces: list[Piece] = []
        for number, link in enumerate(self._links):
            separator = self._parts[2 * number - 1] if number else ""
            if _LINE in separator:
                yield Line(start, end, pieces)
                start, pieces = end + len(separator), []
            text = self._parts[2 * number]
            end += len(separator) + len(text)
            if pieces and pieces[-1].link == link:
                pieces[-1] = Piece(f"{pieces[-1].text}{separator}{text}".strip(), link)
            elif text.strip():
                pieces.append(Piece(text.strip(), link))
        if self._parts:
            yield Line(start, end, pieces)

    def leave_out(self, lines: Sequence[Line]) -> None:
        """Take lines out, in their order; nothing can be written afterwards."""
        text = self.text()
        kept: list[str] = []
        cuts = [(0, 0)]  # where a cut ends, and how much is missing by then
        end = missing = 0
        for line in lines:
            kept.append(text[end : line.start])
            end = line.end
            while text.startswith(_LINE, end):
                end += 1
            missing += end - line.start
            cuts.append((end, missing))
        kept.append(text[end:])

        def moved(place: int) -> int:
            return place - cuts[bisect_right(cuts, (place, len(text))) - 1][1]

        self.outline[:] = [
            Heading(heading.text, heading.level, moved(heading.start)) for heading in self.outline
        ]
        self.lines[:] = [(moved(offset), line) for offset, line in self.lines]
        text = "".join(kept).rstrip(_LINE)
        self._parts, self._links, self.length = [text], [NO_LINK], len(text)

    def _before(self) -> str:
        """The end of what is written on the same line."""
        return "".join(self._parts[-_LOOK_BACK:])[-64:] if not self._pending else ""

    def _keep_lines(self) -> None:
        if self._cells:
            self._cells[-1] = None

    def _emit(self, text: str) -> None:
        text = without_ligatures(text)
        if self._after_mark and not self._pending and text[0].isalnum():
            self._pending = _SPACE
        self._after_mark = False
        if self._parts:
            self._parts.append(self._pending)
            self.length += len(self._pending)
        if self.source_line and (not self.lines or self.lines[-1][1] != self.source_line):
            self.lines.append((self.length, self.source_line))
        self._parts.append(text)
        self._links.append(self.link)
        self.length += len(text)
        self._pending = ""
        self._row_has_text = True
        self._held = False
