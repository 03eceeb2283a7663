"""Lines of text from a marked-up document: white space collapses, blocks and cells separate.

The formats tell it what they meet; it never knows which format that is.
"""

from __future__ import annotations

_SPACE, _LINE, _BLANK_LINE, _CELL = " ", "\n", "\n\n", "\t"


class Layout:
    """Collects text as a browser would lay it out, one line a block or a table's row.

    What separates two pieces of text is written only when the second one comes, so that nested and
    empty blocks leave no empty lines.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._pending = ""
        self._row_has_text = False

    def write(self, text: str) -> None:
        """Running text; any run of white space in it is one blank."""
        words = text.split()
        if text[:1].isspace() and not self._pending:
            self._pending = _SPACE
        if not words:
            return
        self._emit(" ".join(words))
        if text[-1].isspace():
            self._pending = _SPACE

    def write_verbatim(self, text: str) -> None:
        """Text whose blanks and line ends mean something."""
        for number, line in enumerate(text.split("\n")):
            if number > 0:
                self._pending = _BLANK_LINE if self._pending.startswith(_LINE) else _LINE
            if line.strip() or (line and not self._pending):
                self._emit(line.rstrip("\r"))

    def line(self) -> None:
        """What follows starts on a line of its own."""
        if self._pending in ("", _SPACE):
            self._pending = _LINE

    def paragraph(self) -> None:
        """What follows is set off by an empty line."""
        if self._pending != _CELL:  # A paragraph that begins a cell stays in the row's line.
            self._pending = _BLANK_LINE

    def row(self) -> None:
        """A table's row starts or ends here."""
        self._pending = _LINE if self._pending != _BLANK_LINE else _BLANK_LINE
        self._row_has_text = False

    def cell(self) -> None:
        """A cell starts here."""
        if self._row_has_text:
            self._pending = _CELL

    def text(self) -> str:
        """All that was written."""
        return "".join(self._parts)

    def _emit(self, text: str) -> None:
        if self._parts:
            self._parts.append(self._pending)
        self._parts.append(text)
        self._pending = ""
        self._row_has_text = True
