"""Rows of a page to cells: cut where there are wide gaps, and written down."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import pairwise

from docqa.ingest.formats.pdf import right_to_left
from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.line import CELL_GAP, SAME_BASE, SCRIPT_SIZE, WORD_GAP, Cell
from docqa.ingest.formats.pdf.rows import Piece, Row, is_number, rows_of
from docqa.ingest.formats.raised import lowered, raised

# How far the letters of a logo (TeX's) that are also smaller reach onto one another.
_TIGHT = 0.25
# Four dots in a sentence are an ellipsis and its full stop.
_LEADERS = re.compile(
    r"[ \t]*(?:(?:\.[ \t]?){8,}|(?:\.[ \t]?){4,}(?=[ \t]*[\divxlc]*\Z)|(?:…[ \t]?){2,}|_{4,})[ \t]*"
)


def cells_of(glyphs: list[Glyph]) -> list[Cell]:
    """Return the cells of a page, or of a part of it."""
    return [cell for row in rows_of(glyphs) for cell in _cells(row)]


def _cells(row: Row) -> list[Cell]:
    """Cut a row where there are wide gaps, and write each cell's text."""
    pieces = sorted(row.pieces, key=lambda piece: piece.left)
    groups: list[list[Piece]] = []
    right = 0.0
    for piece in pieces:
        if groups and piece.left - right < CELL_GAP * max(piece.size, groups[-1][-1].size):
            groups[-1].append(piece)
            right = max(right, piece.right)
        else:
            groups.append([piece])
            right = piece.right
    cells = []
    for group in groups:
        glyphs = [glyph for piece in group for glyph in piece.glyphs]
        if any(right_to_left.has_letters(glyph.text) for glyph in glyphs):
            text, glyphs = _from_right(glyphs)
        else:
            text = _cell_text(group)
        if text:
            sizes: Counter[float] = Counter()
            for piece in group:
                sizes[round(piece.size, 1)] += len(piece.glyphs)
            cells.append(
                Cell(
                    text,
                    min(piece.left for piece in group),
                    max(piece.right for piece in group),
                    row.base,
                    sizes.most_common(1)[0][0],
                    min(piece.order for piece in group),
                    glyphs,
                )
            )
    return cells


def _from_right(glyphs: list[Glyph]) -> tuple[str, list[Glyph]]:
    """Write a cell with Hebrew or the like in it, and put its glyphs into the order of reading."""
    marks = [glyph for glyph in glyphs if unicodedata.combining(glyph.text[0])]
    shown = [glyph for glyph in glyphs if not unicodedata.combining(glyph.text[0])]
    shown.sort(key=lambda glyph: glyph.left)
    letters: list[list[Glyph]] = []
    blank = False
    for glyph in shown:
        if glyph.text.isspace():
            blank = True
            continue
        gap = glyph.left - letters[-1][0].right if letters else 0.0
        if gap > WORD_GAP * glyph.size or (blank and letters and gap > -0.1 * glyph.size):
            letters.append([replace(glyph, text=" ", left=glyph.left - gap, right=glyph.left)])
        letters.append([glyph])
        blank = False
    for mark in marks:
        middle = (mark.left + mark.right) / 2
        if letters:
            near = min(letters, key=lambda own: abs((own[0].left + own[0].right) / 2 - middle))
            near.append(mark)
    ordered = right_to_left.in_reading_order(letters, lambda own: own[0].text)
    signs = [glyph for own in ordered for glyph in own]
    return "".join(glyph.text for glyph in signs), signs


def _cell_text(pieces: list[Piece]) -> str:
    text = ""
    before: Piece | None = None
    main = max(pieces, key=lambda piece: (piece.size, len(piece.glyphs)))
    for piece in pieces:
        words = _piece_text(piece)
        lift = main.base - piece.base
        if piece.size <= SCRIPT_SIZE * main.size:
            script = abs(lift) > 0.06 * main.size
        else:
            script = abs(lift) > SAME_BASE * main.size and is_number(piece)
        if before is not None and piece.left - before.right < -_TIGHT * main.size:
            script = False
        gap = piece.left - before.right if before is not None else 0.0
        if script and words:
            apart = gap > 0.25 * main.size
            write = raised if lift > 0 else lowered
            text += (" " if apart and text else "") + write("" if apart else text, words)
        elif before is not None and gap > WORD_GAP * min(piece.size, before.size):
            text += " " + words
        else:
            after_mark = before is not None and text and text[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹" and len(text) < 4
            text += (" " if after_mark and words[:1].isalpha() else "") + words
        before = piece
    return (
        " ".join(_LEADERS.sub("\t", text).replace("\t", " \0 ").split())
        .replace(" \0 ", "\t")
        .strip(" \0")
    )


def _piece_text(piece: Piece) -> str:
    """Write the words of a piece, with blanks where the file has them or where gaps are."""
    out: list[str] = []
    right = piece.left
    blank = False
    wide = _letter_gap(piece)
    for glyph in piece.glyphs:
        if glyph.text.isspace():
            blank = True
            continue
        gap = glyph.left - right
        if out and (gap > wide or (blank and gap > -0.1 * piece.size)):
            out.append(" ")
        out.append(glyph.text)
        right = max(glyph.right, right) if gap > -0.3 * piece.size else glyph.right
        blank = False
    return "".join(out)


def _letter_gap(piece: Piece) -> float:
    """Return the gap above which two letters are of two words; more where letters are spaced."""
    shown = [glyph for glyph in piece.glyphs if not glyph.text.isspace()]
    gaps = sorted(
        right.left - left.right
        for left, right in pairwise(shown)
        if left.text.isalnum() and right.text.isalnum()  # not the dots of a table of contents
    )
    plain = WORD_GAP * piece.size
    if len(gaps) < 4:
        return plain
    middle = gaps[len(gaps) // 2]
    # Single letters of type of one width stand as far apart: "a4 a a a".
    is_spaced = 0.1 * piece.size <= middle <= 0.45 * piece.size and gaps[0] > 0.4 * middle
    return max(plain, 1.8 * middle) if is_spaced else plain
