"""Old Word's .doc (Word 97 to 2003), a binary file that Microsoft describes in [MS-DOC].

The text lies in pieces of the stream WordDocument; a table in another stream says in which order.
Deleted, struck and hidden text is left out; headings and tables are known by their paragraphs.
"""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import olefile

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.raised import lowered, raised

# Before Word 97; the last four are those of East Asia.
_WORD_97, _WORD_6 = 0xA5EC, (0xA5DC, 0xA5DB, 0xA697, 0xA698, 0xA699, 0xA69B)
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
_PAGE = 512  # of formats
# Where the head of the stream has its numbers.
_FLAGS, _LENGTHS, _CHARACTER_PAGES, _PARAGRAPH_PAGES, _PIECES = 0x0A, 0x4C, 0xFA, 0x102, 0x1A2
# Bytes after the two of a property's name, by its upper three bits; 6 says its length itself.
_OPERANDS = (1, 1, 2, 4, 2, 2, None, 3)
_LONG_OPERANDS = frozenset((0xD608, 0xC615))  # say their length in other ways, and hold no text
_LEFT_OUT = frozenset((0x0800, 0x0837, 0x083C, 0x2A53))  # deleted, struck, hidden, struck twice
_RAISED, _TABLE_PARAGRAPH, _TABLE_ROW_END = 0x2A48, 0x2416, 0x2417
_HIDDEN, _UP, _DOWN = 1, 2, 4
_HEADINGS = range(1, 10)  # of styles: those of headings are always the same
_CELL, _PARAGRAPH, _PAGE_BREAK = "\7", "\r", "\f"
_FIELD, _RESULT, _FIELD_END = "\x13", "\x14", "\x15"
_IN_TABLE, _ROW_END = 0x100, 0x200  # beside the style of a paragraph
_MEANT = frozenset((_CELL, _PARAGRAPH, _PAGE_BREAK, _FIELD, _RESULT, _FIELD_END, "\n"))
_SIGNS = {
    "\x0b": "\n",
    "\x0e": "\n",
    "\x1e": "\u2011",
    "\x1f": "",
    "\xa0": " ",
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters that lie together.

    Attributes:
        start, end: which of the document's characters they are.
        at: where they lie in the stream.
        width: bytes of a character.
    """

    start: int
    end: int
    at: int
    width: int


@dataclass(slots=True)
class _Formats:
    """What holds from which byte of the stream on.

    Attributes:
        starts: the bytes, ascending.
        values: what holds there.
    """

    starts: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)

    def at(self, place: int) -> int:
        found = bisect_right(self.starts, place) - 1
        return self.values[found] if found >= 0 else 0


def extract_doc(data: bytes) -> Extracted:
    """Read an old Word document.

    Raises:
        IngestError: not one, older than Word 97, encrypted, damaged, or nothing in it.
    """
    if data.startswith(b"{\\rtf"):
        raise IngestError("RTF inside; give it a name that ends in .rtf")
    if not data.startswith(olefile.MAGIC):
        raise IngestError("not an old Word document inside, or damaged")
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        if not ole.exists("WordDocument"):
            raise IngestError("not a Word document inside, or encrypted")
        stream = ole.openstream("WordDocument").read()
        (magic,) = struct.unpack_from("<H", stream, 0)
        if magic in _WORD_6:
            raise IngestError("of a version before Word 97; save it as .docx")
        (flags,) = struct.unpack_from("<H", stream, _FLAGS)
        if flags & _ENCRYPTED:
            raise IngestError("encrypted; save it without a password")
        name = "1Table" if flags & _SECOND_TABLE else "0Table"
        if magic != _WORD_97 or not ole.exists(name):
            raise IngestError("not a Word document, or damaged")
        table = ole.openstream(name).read()
        title = ole.get_metadata().title
    if isinstance(title, bytes):
        title = title.decode("utf-8", "replace")
    try:
        return _Document(stream, table).extracted(title)
    except (struct.error, IndexError) as error:
        raise IngestError("not a Word document, or damaged") from error


class _Words:
    """Signs of a paragraph, raised and lowered ones as they are written in plain text."""

    def __init__(self) -> None:
        self._text = ""
        self._next: list[str] = []
        self._script = 0

    def add(self, sign: str, script: int) -> None:
        if script != self._script:
            self._settle()
            self._script = script
        self._next.append(sign)

    def taken(self) -> str:
        self._settle()
        text, self._text, self._script = self._text, "", 0
        return text.strip()

    def _settle(self) -> None:
        text = "".join(self._next)
        if self._script:
            write = raised if self._script & _UP else lowered
            line = self._text.rpartition("\n")[2]
            text = write("" if line[-1:].isspace() else line, text)
        self._text += text
        self._next.clear()


class _Document:
    def __init__(self, stream: bytes, table: bytes) -> None:
        self._stream = stream
        self._pieces = list(_pieces_of(stream, table))
        self._characters = _formats_of(stream, table, _CHARACTER_PAGES, _character_format)
        self._paragraphs = _formats_of(stream, table, _PARAGRAPH_PAGES, _paragraph_format)
        self._composer = Composer()

    def extracted(self, title: str | None) -> Extracted:
        body, notes, margins, _, remarks, end_notes, boxes = struct.unpack_from(
            "<7I", self._stream, _LENGTHS
        )
        start = 0
        seen: set[str] | None = None
        for length, is_read in (
            (body, True),
            (notes, True),
            (margins, True),
            (remarks, False),
            (end_notes, True),
            (boxes, True),
        ):
            if is_read:
                seen = set() if length == margins and start == body + notes else None
                self._write(start, start + length, seen)
            start += length
        return self._composer.extracted(title)

    def _write(self, start: int, end: int, seen: set[str] | None) -> None:
        """Write a part of the document; each paragraph once where ``seen`` is given."""
        words = _Words()
        cells: list[str] = []
        fields: list[bool] = []  # of those that are open, whether the result has begun
        for sign, place, script in self._signs(start, end):
            if sign == _FIELD:
                fields.append(False)
            elif sign == _RESULT and fields:
                fields[-1] = True
            elif sign == _FIELD_END and fields:
                fields.pop()
            elif not all(fields):
                continue
            elif sign == _CELL:
                text = words.taken()
                if text or not self._is_row_end(place):
                    cells.append(" ".join(text.split()))
                else:
                    self._composer.line("\t".join(cells).rstrip())
                    cells.clear()
            elif sign in (_PARAGRAPH, _PAGE_BREAK):
                if self._is_in_table(place):
                    words.add("\n", 0)
                    continue
                text = words.taken()
                if seen is not None:
                    if text in seen:
                        continue
                    seen.add(text)
                level = self._paragraphs.at(place) & 0xFF
                if sign == _PARAGRAPH and level in _HEADINGS:
                    self._composer.heading(text, level)
                else:
                    self._composer.paragraph(text)
            else:
                words.add(sign, script)
        self._composer.paragraph("\t".join([*cells, words.taken()]))

    def _signs(self, start: int, end: int) -> Iterator[tuple[str, int, int]]:
        """Yield signs that are shown, where they lie, and whether they are raised or lowered."""
        for piece in self._pieces:
            first, last = max(start, piece.start), min(end, piece.end)
            if first >= last:
                continue
            at = piece.at + (first - piece.start) * piece.width
            raw = self._stream[at : at + (last - first) * piece.width]
            text = raw.decode("utf-16-le" if piece.width == 2 else "cp1252", "replace")
            for sign in text:
                format = self._characters.at(at)
                shown = _SIGNS.get(sign, sign)
                if format & _HIDDEN and sign not in (_CELL, _PARAGRAPH):
                    shown = ""
                if shown >= " " or (shown and shown in _MEANT):
                    yield shown, at, format & (_UP | _DOWN)
                at += 4 if sign > "\uffff" else piece.width

    def _is_row_end(self, place: int) -> bool:
        return bool(self._paragraphs.at(place) & _ROW_END)

    def _is_in_table(self, place: int) -> bool:
        return bool(self._paragraphs.at(place) & _IN_TABLE)


def _pieces_of(stream: bytes, table: bytes) -> Iterator[_Piece]:
    at, length = struct.unpack_from("<2I", stream, _PIECES)
    end = at + length
    while at < end and table[at] == 1:  # formats that pieces share
        at += 3 + struct.unpack_from("<H", table, at + 1)[0]
    if at >= end or table[at] != 2:
        raise IngestError("not a Word document, or damaged")
    (size,) = struct.unpack_from("<I", table, at + 1)
    count = (size - 4) // 12
    at += 5
    places = struct.unpack_from(f"<{count + 1}I", table, at)
    at += 4 * (count + 1)
    if places[-1] > len(stream):
        raise IngestError("not a Word document, or damaged")
    for number, (start, stop) in enumerate(pairwise(places)):
        (place,) = struct.unpack_from("<I", table, at + 8 * number + 2)
        if start > stop:
            raise IngestError("not a Word document, or damaged")
        if place & 0x40000000:
            yield _Piece(start, stop, (place & 0x3FFFFFFF) // 2, 1)
        else:
            yield _Piece(start, stop, place & 0x3FFFFFFF, 2)


def _formats_of(
    stream: bytes, table: bytes, pointer: int, unpack: Callable[[bytes, int, int], int]
) -> _Formats:
    """Return what the pages of formats say; of a damaged one, nothing.

    Args:
        pointer: where the head says where the list of pages is.
        unpack: makes the value of the page, the number of an entry, and how many there are.
    """
    at, length = struct.unpack_from("<2I", stream, pointer)
    count = max(0, (length - 4) // 8)
    numbers = struct.unpack_from(f"<{count}I", table, at + 4 * (count + 1)) if count else ()
    found = {}
    for number in numbers:
        start = (number & 0x3FFFFF) * _PAGE
        page = stream[start : start + _PAGE]
        if len(page) < _PAGE or page[-1] > 101:
            continue
        places = struct.unpack_from(f"<{page[-1] + 1}I", page, 0)
        for entry in range(page[-1]):
            found[places[entry]] = unpack(page, entry, page[-1])
        found.setdefault(places[-1], 0)
    return _Formats(sorted(found), [found[place] for place in sorted(found)])


def _character_format(page: bytes, entry: int, count: int) -> int:
    at = 2 * page[4 * (count + 1) + entry]
    if not at:
        return 0
    format = 0
    for name, operand in _properties(page[at + 1 : at + 1 + page[at]]):
        if name in _LEFT_OUT and operand[:1] in (b"\x01", b"\x81"):
            format |= _HIDDEN
        elif name == _RAISED:
            format |= {1: _UP, 2: _DOWN}.get(operand[0], 0)
    return format


def _paragraph_format(page: bytes, entry: int, count: int) -> int:
    """Return the number of a paragraph's style, and whether it is in a table or ends a row."""
    at = 2 * page[4 * (count + 1) + 13 * entry]
    if not at:
        return 0
    length = 2 * page[at] - 1
    if not page[at]:
        at += 1
        length = 2 * page[at]
    packed = page[at + 1 : at + 1 + length]
    (style,) = struct.unpack_from("<H", packed, 0)
    format = min(style, 0xFF)
    for name, operand in _properties(packed[2:]):
        if name == _TABLE_PARAGRAPH and operand[0]:
            format |= _IN_TABLE
        elif name == _TABLE_ROW_END and operand[0]:
            format |= _ROW_END
    return int(format)


def _properties(packed: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield properties, their names and operands, up to the first whose length is not known."""
    at = 0
    while at + 2 < len(packed):
        (name,) = struct.unpack_from("<H", packed, at)
        at += 2
        size = _OPERANDS[name >> 13]
        if name in _LONG_OPERANDS:
            return
        if size is None:
            size = packed[at]
            at += 1
        if operand := packed[at : at + size]:
            yield name, operand
        at += size
