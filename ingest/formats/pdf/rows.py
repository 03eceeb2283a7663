"""Glyphs of a page to rows: what stands on a base line, and what is raised or lowered beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.line import CELL_GAP, SAME_BASE, SCRIPT_SIZE

# How far glyphs of one piece may be off its base line.
_LEVEL = 0.05
# The gap behind the mark that a note begins with.
_MARK_GAP = 0.8
# How far the letters of a logo (TeX's) reach onto one another.
_ONTO = 0.1
# How deep what is lowered may stand, and how many digits off the line are no line of their own.
_DEEPEST = 0.55
_MOST_MOVED = 4
_OF_NUMBERS = frozenset("0123456789+-\u2212()")
_NOTE_MARK = re.compile(r"(?:\d{1,3}|[a-z*†‡§¶]|\*\*|\*\*\*)[.)]?")


@dataclass(slots=True)
class Piece:
    """Glyphs that follow one another on a base line, and where they are."""

    glyphs: list[Glyph]
    order: int
    left: float
    right: float
    base: float
    size: float


@dataclass(slots=True)
class Row:
    """Pieces of one base line."""

    base: float
    size: float
    pieces: list[Piece] = field(default_factory=list)


def _pieces(glyphs: list[Glyph]) -> list[Piece]:
    """Join glyphs that follow one another on a base line."""
    pieces: list[Piece] = []
    current: Piece | None = None
    for order, glyph in enumerate(glyphs):
        if (
            current is not None
            and abs(glyph.base - current.base) <= _LEVEL * current.size
            and abs(glyph.size - current.size) <= 0.1 * current.size
            and -0.9 * current.size <= glyph.left - current.right <= CELL_GAP * current.size
        ):
            current.glyphs.append(glyph)
            current.right = max(current.right, glyph.right)
            continue
        if glyph.text.isspace():  # it says nothing of where a line begins
            continue
        current = Piece([glyph], order, glyph.left, glyph.right, glyph.base, glyph.size)
        pieces.append(current)
    for piece in pieces:
        while piece.glyphs[-1].text.isspace():
            piece.glyphs.pop()
        piece.right = max(glyph.right for glyph in piece.glyphs)
    return pieces


def rows_of(glyphs: list[Glyph]) -> list[Row]:
    """Gather the pieces of each base line, with what is raised or lowered beside them."""
    rows: list[Row] = []
    at_height: dict[int, list[Row]] = {}

    def near(piece: Piece, reach: float) -> list[Row]:
        first, last = int((piece.base - reach) // 8), int((piece.base + reach) // 8)
        if last - first > 40:
            return []
        return [row for height in range(first, last + 1) for row in at_height.get(height, ())]

    # What is set between other pieces finds their row.
    for piece in sorted(
        _pieces(glyphs), key=lambda piece: (-piece.size, _is_short(piece), piece.order)
    ):
        fits = []
        for row in near(piece, 30.0):
            off = abs(row.base - piece.base)
            script = off > _LEVEL * piece.size and _is_script(piece, row)
            if script or off <= SAME_BASE * min(row.size, 1.3 * piece.size):
                fits.append((not script, off, row))
        if fits:
            _, _, row = min(fits, key=lambda fit: fit[:2])
            row.pieces.append(piece)
        else:
            row = Row(piece.base, piece.size, [piece])
            rows.append(row)
            at_height.setdefault(int(piece.base // 8), []).append(row)
    return rows


def _is_script(piece: Piece, row: Row) -> bool:
    """Tell whether a piece is raised or lowered beside a larger piece of a row."""
    if _is_set_in(piece, row):
        return True
    lift = row.base - piece.base
    if not -_DEEPEST * row.size <= lift <= 0.7 * row.size or len(piece.glyphs) > 24:
        return False
    is_mark = lift > 0 and _NOTE_MARK.fullmatch("".join(glyph.text for glyph in piece.glyphs))
    before = _MARK_GAP if is_mark else 0.3
    # In type of the same size, a few digits that are clearly off the line, right behind a word.
    is_moved = abs(lift) > SAME_BASE * row.size and is_number(piece)
    return any(
        is_moved
        and piece.size <= 1.02 * host.size
        and host.base == row.base
        and -0.1 * host.size <= piece.left - host.right <= 0.12 * host.size
        for host in row.pieces
    ) or any(
        piece.size <= SCRIPT_SIZE * host.size
        and (
            -0.25 * host.size <= piece.left - host.right <= 0.35 * host.size
            or -0.1 * host.size <= host.left - piece.right <= before * host.size
        )
        for host in row.pieces
    )


def is_number(piece: Piece) -> bool:
    """Return whether a piece is a few digits and signs, such as may be raised in its own size."""
    return len(piece.glyphs) <= _MOST_MOVED and all(
        glyph.text in _OF_NUMBERS for glyph in piece.glyphs
    )


def _is_short(piece: Piece) -> bool:
    return len(piece.glyphs) <= 2


def _is_set_in(piece: Piece, row: Row) -> bool:
    """Tell whether a letter is moved off the base line and onto the one before: TeX's E."""
    return _is_short(piece) and any(
        abs(host.base - piece.base) <= 0.3 * host.size
        and host.left < piece.left <= host.right - _ONTO * host.size
        for host in row.pieces
    )
