"""Glyphs of a page to lines of text in reading order.

Glyphs become pieces (glyphs that follow one another on a base line), pieces become rows, and rows
are cut into cells where there are wide gaps. What is set in columns is read column by column; what
is set as a table is read row by row, its cells apart by a tab; where lines rule the cells, each is
read whole. Raised and lowered digits are
written with Unicode's own signs, so that they never join the number before them.

Nothing here touches a file.
"""

from __future__ import annotations

import re
import statistics
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from docqa.ingest.formats.pdf import right_to_left
from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.rules import CellBox, Table
from docqa.ingest.formats.raised import lowered, raised

# In the size of the type: a gap within a word, and one between cells or columns.
_WORD_GAP = 0.13
_CELL_GAP = 1.15
_SAME_BASE = 0.2
_SCRIPT_SIZE = 0.88
# The gap behind the mark that a note begins with.
_MARK_GAP = 0.8
# How far the letters of a logo (TeX's) reach onto one another, and those that are also smaller.
_ONTO = 0.1
_TIGHT = 0.25
# Columns and tables need this many rows on either side.
_LEAST_ROWS = 3
_MOST_CUTS = 12

# A raised number here is a footnote's; after a number or a unit (m, km) it is a power.
_TAKES_A_MARK = re.compile(r"[^\W\d]{3}\Z|[.,;:!?\"'\u2019\u201d\u00bb]\Z")
# Four dots in a sentence are an ellipsis and its full stop.
_LEADERS = re.compile(
    r"[ \t]*(?:(?:\.[ \t]?){8,}|(?:\.[ \t]?){4,}(?=[ \t]*[\divxlc]*\Z)|(?:…[ \t]?){2,}|_{4,})[ \t]*"
)
_NOTE_MARK = re.compile(r"(?:\d{1,3}|[a-z*†‡§¶]|\*\*|\*\*\*)[.)]?")
_MARKER = re.compile(r"(?:\(?[0-9]{1,3}(?:\.[0-9]{1,3})*[.)]?|\(?[A-Za-z][.)]|[^\w\s]{1,2})\Z")


@dataclass(slots=True)
class Cell:
    """A stretch of text without a wide gap in it, or a whole table.

    Attributes:
        text: its words.
        left, right, base: where it is, along the writing.
        size: of most of its type, in points.
        order: number of its first glyph in the file.
        glyphs: as its text has them.
        lines: of a table whose cells are ruled; none of other text.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    order: int
    glyphs: list[Glyph]
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """A line of a page as it is read.

    Attributes:
        text: its words; cells of a table apart by a tab.
        left, right, base: where it is, along the writing.
        size: of most of its type, in points.
        upright: whether it is not turned.
        glyphs: in the order in which the text has them.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    upright: bool = True
    glyphs: list[Glyph] = field(default_factory=list)


@dataclass(slots=True)
class _Piece:
    glyphs: list[Glyph]
    order: int
    left: float
    right: float
    base: float
    size: float


@dataclass(slots=True)
class _Row:
    base: float
    size: float
    pieces: list[_Piece] = field(default_factory=list)


def page_lines(glyphs: list[Glyph], tables: Sequence[Table] = ()) -> list[Line]:
    """Return the lines of a page in reading order; writing that is turned comes last.

    Letters are composed with the accents that follow them, as other texts have them.

    Args:
        glyphs: of the page, in the order of the file.
        tables: of the page, those whose cells are ruled.
    """
    lines: list[Line] = []
    counts = Counter(glyph.direction for glyph in glyphs if not glyph.text.isspace())
    directions = sorted(counts, key=lambda direction: (-counts[direction], direction))
    for direction in directions:
        turned = [glyph for glyph in glyphs if glyph.direction == direction]
        whole: list[Cell] = []
        for table in tables if direction == 0 else ():
            cell, turned = _table_cell(table, turned)
            whole += [cell] if cell is not None else []
        cells = whole + _cells_of(turned)
        upright = direction == directions[0]
        lines += [
            replace(line, text=unicodedata.normalize("NFC", line.text), upright=upright)
            for line in _in_order(cells, 0)
        ]
    return lines


def _cells_of(glyphs: list[Glyph]) -> list[Cell]:
    return [cell for row in _rows(_pieces(glyphs)) for cell in _cells(row)]


def _pieces(glyphs: list[Glyph]) -> list[_Piece]:
    """Join glyphs that follow one another on a base line."""
    pieces: list[_Piece] = []
    current: _Piece | None = None
    for order, glyph in enumerate(glyphs):
        if (
            current is not None
            and abs(glyph.base - current.base) <= 0.05 * current.size
            and abs(glyph.size - current.size) <= 0.1 * current.size
            and -0.9 * current.size <= glyph.left - current.right <= _CELL_GAP * current.size
        ):
            current.glyphs.append(glyph)
            current.right = max(current.right, glyph.right)
            continue
        if glyph.text.isspace():  # it says nothing of where a line begins
            continue
        current = _Piece([glyph], order, glyph.left, glyph.right, glyph.base, glyph.size)
        pieces.append(current)
    for piece in pieces:
        while piece.glyphs[-1].text.isspace():
            piece.glyphs.pop()
        piece.right = max(glyph.right for glyph in piece.glyphs)
    return pieces


def _rows(pieces: list[_Piece]) -> list[_Row]:
    """Gather the pieces of each base line, with what is raised or lowered beside them."""
    rows: list[_Row] = []
    at_height: dict[int, list[_Row]] = {}

    def near(piece: _Piece, reach: float) -> list[_Row]:
        first, last = int((piece.base - reach) // 8), int((piece.base + reach) // 8)
        if last - first > 40:
            return []
        return [row for height in range(first, last + 1) for row in at_height.get(height, ())]

    # What is set between other pieces finds their row.
    for piece in sorted(pieces, key=lambda piece: (-piece.size, _is_short(piece), piece.order)):
        fits = [
            (not script, abs(row.base - piece.base), row)
            for row in near(piece, 30.0)
            if (script := _is_script(piece, row))
            or abs(row.base - piece.base) <= _SAME_BASE * min(row.size, 1.3 * piece.size)
        ]
        if fits:
            _, _, row = min(fits, key=lambda fit: fit[:2])
            row.pieces.append(piece)
        else:
            row = _Row(piece.base, piece.size, [piece])
            rows.append(row)
            at_height.setdefault(int(piece.base // 8), []).append(row)
    return rows


def _is_script(piece: _Piece, row: _Row) -> bool:
    """Tell whether a piece is raised or lowered beside a larger piece of a row."""
    if _is_set_in(piece, row):
        return True
    lift = row.base - piece.base
    if not -0.4 * row.size <= lift <= 0.7 * row.size or len(piece.glyphs) > 24:
        return False
    is_mark = lift > 0 and _NOTE_MARK.fullmatch("".join(glyph.text for glyph in piece.glyphs))
    before = _MARK_GAP if is_mark else 0.3
    return any(
        piece.size <= _SCRIPT_SIZE * host.size
        and (
            -0.25 * host.size <= piece.left - host.right <= 0.35 * host.size
            or -0.1 * host.size <= host.left - piece.right <= before * host.size
        )
        for host in row.pieces
    )


def _is_short(piece: _Piece) -> bool:
    return len(piece.glyphs) <= 2


def _is_set_in(piece: _Piece, row: _Row) -> bool:
    """Tell whether a letter is moved off the base line and onto the one before: TeX's E."""
    return _is_short(piece) and any(
        abs(host.base - piece.base) <= 0.3 * host.size
        and host.left < piece.left <= host.right - _ONTO * host.size
        for host in row.pieces
    )


def _cells(row: _Row) -> list[Cell]:
    """Cut a row where there are wide gaps, and write each cell's text."""
    pieces = sorted(row.pieces, key=lambda piece: piece.left)
    groups: list[list[_Piece]] = []
    right = 0.0
    for piece in pieces:
        if groups and piece.left - right < _CELL_GAP * max(piece.size, groups[-1][-1].size):
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
        if gap > _WORD_GAP * glyph.size or (blank and letters and gap > -0.1 * glyph.size):
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


def _cell_text(pieces: list[_Piece]) -> str:
    text = ""
    before: _Piece | None = None
    main = max(pieces, key=lambda piece: (piece.size, len(piece.glyphs)))
    for piece in pieces:
        words = _piece_text(piece)
        lift = main.base - piece.base
        script = piece.size <= _SCRIPT_SIZE * main.size and abs(lift) > 0.06 * main.size
        if before is not None and piece.left - before.right < -_TIGHT * main.size:
            script = False
        gap = piece.left - before.right if before is not None else 0.0
        if script and words:
            apart = gap > 0.25 * main.size
            write = raised if lift > 0 else lowered
            text += (" " if apart and text else "") + write("" if apart else text, words)
        elif before is not None and gap > _WORD_GAP * min(piece.size, before.size):
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


def _piece_text(piece: _Piece) -> str:
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


def _letter_gap(piece: _Piece) -> float:
    """Return the gap above which two letters are of two words; more where letters are spaced."""
    shown = [glyph for glyph in piece.glyphs if not glyph.text.isspace()]
    gaps = sorted(
        right.left - left.right
        for left, right in pairwise(shown)
        if left.text.isalnum() and right.text.isalnum()  # not the dots of a table of contents
    )
    plain = _WORD_GAP * piece.size
    if len(gaps) < 4:
        return plain
    middle = gaps[len(gaps) // 2]
    # Single letters of type of one width stand as far apart: "a4 a a a".
    is_spaced = 0.1 * piece.size <= middle <= 0.45 * piece.size and gaps[0] > 0.4 * middle
    return max(plain, 1.8 * middle) if is_spaced else plain


# Ruled tables ------------------------------------------------------------------------------------


def _table_cell(table: Table, glyphs: list[Glyph]) -> tuple[Cell | None, list[Glyph]]:
    """Take a table out of a page's glyphs; None where the lines are no table's.

    Returns:
        The table, and the glyphs that are not in it.
    """
    inside: dict[CellBox, list[Glyph]] = {}
    outside: list[Glyph] = []
    for glyph in glyphs:
        box = _box_at((glyph.left + glyph.right) / 2, glyph.base - 0.3 * glyph.size, table)
        (outside if box is None else inside.setdefault(box, [])).append(glyph)
    filled = {box: lines for box in inside if (lines := _cell_lines(inside[box]))}
    rows = [[filled[box] for box in row if box in filled] for row in table]
    if sum(len(row) > 1 for row in rows) < 2:
        return None, glyphs
    lines = [line for row in rows for line in _row_lines(row)]
    cell = Cell(
        "\n".join(line.text for line in lines),
        min(box[0] for row in table for box in row),
        max(box[2] for row in table for box in row),
        lines[0].base,
        lines[0].size,
        0,
        [],
        lines,
    )
    return cell, outside


def _cell_lines(glyphs: list[Glyph]) -> list[Line]:
    """Return the lines of a table's cell; a wide gap in one of them alone makes no columns."""
    lines = _in_order(_cells_of(glyphs), 0)
    tabbed = [line for line in lines if "\t" in line.text]
    if len(tabbed) == 1 and len(lines) > 1:
        tabbed[0].text = tabbed[0].text.replace("\t", " ")
    return lines


def _box_at(x: float, y: float, table: Table) -> CellBox | None:
    for row in table:
        for box in row:
            left, top, right, bottom = box
            if left <= x <= right and top <= y <= bottom:
                return box
    return None


def _row_lines(cells: list[list[Line]]) -> list[Line]:
    """Return the lines of a table's row: each cell's first on the last of the cell before."""
    lines: list[Line] = []
    for cell in cells:
        if not lines:
            lines += cell
            continue
        last, first = lines[-1], cell[0]
        lines[-1] = Line(
            f"{last.text}\t{first.text}",
            min(last.left, first.left),
            max(last.right, first.right),
            last.base,
            max((last, first), key=lambda line: len(line.text)).size,
            glyphs=last.glyphs + first.glyphs,
        )
        lines += cell[1:]
    return lines


# Reading order -----------------------------------------------------------------------------------


def _in_order(cells: list[Cell], depth: int) -> list[Line]:
    """Return the lines of a region: its bands from top to bottom, columns one after another."""
    edge = _column_edge(cells) if depth < _MOST_CUTS else None
    if edge is None:
        return _as_rows(cells)
    lines: list[Line] = []
    for band in _bands(cells, edge):
        left = [cell for cell in band if cell.left < edge]
        right = [cell for cell in band if cell.left >= edge]
        if left and right and _are_columns(left, right, edge):
            if right_to_left.is_mostly("".join(cell.text for cell in band)):
                left, right = right, left
            lines += _in_order(left, depth + 1) + _in_order(right, depth + 1)
        else:
            lines += _as_rows(band)
    return lines


def _column_edge(cells: list[Cell]) -> float | None:
    """Return where a second column begins: the left edge with most text in columns beside it."""
    if len(cells) < 2 * _LEAST_ROWS:
        return None
    edges: Counter[int] = Counter(round(cell.left) for cell in cells)
    leftmost = min(edges)
    best: tuple[int, float] | None = None
    for place, count in edges.most_common(12):
        if count + edges[place - 1] + edges[place + 1] < _LEAST_ROWS or place < leftmost + 30:
            continue
        edge = place - 1.5
        good = 0
        for band in _bands(cells, edge):
            left = [cell for cell in band if cell.left < edge]
            right = [cell for cell in band if cell.left >= edge]
            if left and right and _are_columns(left, right, edge):
                good += len(band)
        if good and (best is None or good > best[0]):
            best = good, edge
    return best[1] if best else None


def _bands(cells: list[Cell], edge: float) -> list[list[Cell]]:
    """Cut a region above and below what runs across an edge."""
    bands: list[list[Cell]] = []
    crossing_before = None
    for cell in sorted(cells, key=lambda cell: (cell.base, cell.left)):
        crossing = cell.left < edge and cell.right > edge
        if crossing_before is None or crossing != crossing_before:
            bands.append([])
        bands[-1].append(cell)
        crossing_before = crossing
    return bands


def _are_columns(left: list[Cell], right: list[Cell], edge: float) -> bool:
    """Tell columns of running text from the cells of a table."""
    sides = [_as_rows(left), _as_rows(right)]
    if min(map(len, sides)) < _LEAST_ROWS:
        return False
    gutter = min(cell.left for cell in right) - max(cell.right for cell in left)
    size = statistics.median(cell.size for cell in left + right)
    if gutter < 0.6 * size:
        return False
    in_file = sorted([(cell.order, 0) for cell in left] + [(cell.order, 1) for cell in right])
    switches = sum(a[1] != b[1] for a, b in pairwise(in_file))
    rows = min(map(len, sides))
    bases = sorted(line.base for line in sides[0])
    aligned = sum(_has_near(bases, line.base, 0.25 * line.size) for line in sides[1])
    is_aligned = aligned > 0.8 * rows
    flowing = [_flows(lines) for lines in sides]
    if all(flowing):
        return switches <= 0.5 * rows or rows >= 8
    # Lists and code in columns: written column by column, and not in step.
    return switches <= 2 and rows >= 6 and not is_aligned


def _has_near(values: list[float], value: float, reach: float) -> bool:
    at = bisect_right(values, value - reach)
    return at < len(values) and values[at] <= value + reach


def _flows(lines: list[Line]) -> bool:
    """Tell whether lines are running text: long, and most of them as long as their column."""
    width = max(line.right for line in lines) - min(line.left for line in lines)
    full = statistics.median(line.right - line.left for line in lines) / max(1.0, width)
    letters = statistics.mean(len(line.text) for line in lines)
    tabs = sum("\t" in line.text for line in lines)
    return full > 0.6 and letters > 18 and tabs < 0.3 * len(lines)


def _as_rows(cells: list[Cell]) -> list[Line]:
    """Return lines from top to bottom, cells of one base line apart by a tab."""
    rows: list[list[Cell]] = []
    for cell in sorted(cells, key=lambda cell: (cell.base, cell.left)):
        beside = rows[-1][0] if rows and not rows[-1][0].lines and not cell.lines else None
        if beside and cell.base - beside.base <= _SAME_BASE * min(cell.size, beside.size):
            rows[-1].append(cell)
        else:
            rows.append([cell])
    for row in rows:
        row.sort(key=lambda cell: cell.left)
    right = max(cell.right for cell in cells)
    lines = []
    for at, row in enumerate(rows):
        if row[0].lines:
            lines += row[0].lines
            continue
        near = rows[max(0, at - 1) : at] + rows[at + 1 : at + 2]
        is_marked = len(row) == 2 and _MARKER.match(row[0].text)
        is_text = is_marked or _is_stretched(row, near, right)
        longest = max(row, key=lambda cell: len(cell.text))
        leftmost = row[0].left
        if right_to_left.is_mostly("".join(cell.text for cell in row)):
            row = row[::-1]
        lines.append(
            Line(
                (" " if is_text else "\t").join(cell.text for cell in row),
                leftmost,
                max(cell.right for cell in row),
                row[0].base,
                longest.size,
                glyphs=[glyph for cell in row for glyph in cell.glyphs],
            )
        )
    return lines


def _is_stretched(row: list[Cell], beside: list[list[Cell]], right: float) -> bool:
    """Tell whether a row is a line of text that is stretched to the width of its column.

    All gaps between its words are as wide, it ends where the column ends, and it shares no edge
    with the rows beside it, as columns of a table do.

    Args:
        row: cells from left to right.
        beside: the rows before and after.
        right: where the column ends.
    """
    if len(row) < 2 or row[-1].right < right - 1:
        return False
    glyphs = [glyph for cell in row for glyph in cell.glyphs if not glyph.text.isspace()]
    gaps = [
        after.left - before.right
        for before, after in pairwise(glyphs)
        if before.text not in ".,;:!?"  # behind which some programs leave more
    ]
    gaps = [gap for gap in gaps if gap > _WORD_GAP * row[0].size]
    if len(gaps) < 2 or max(gaps) > 1.15 * min(gaps):
        return False
    edges = _inner_edges(row)
    return not any(
        abs(edge - mine) < 1 for other in beside for edge in _inner_edges(other) for mine in edges
    )


def _inner_edges(row: list[Cell]) -> list[float]:
    return [cell.right for cell in row[:-1]] + [cell.left for cell in row[1:]]
