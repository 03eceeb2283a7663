"""Tables whose cells are ruled, as lines: each cell is read whole, row by row."""

from __future__ import annotations

from docqa.ingest.formats.pdf.cells import cells_of
from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.line import SAME_BASE, WORD_GAP, Cell, Line
from docqa.ingest.formats.pdf.order import in_order
from docqa.ingest.formats.pdf.rules import CellBox, Table

# Cells are looked for in bands of a table, in points; so many at most.
_BAND = 16.0
_MOST_BANDS = 400


def table_cell(table: Table, glyphs: list[Glyph]) -> tuple[Cell | None, list[Glyph]]:
    """Take a table out of a page's glyphs; None where the lines are no table's.

    Returns:
        The table, and the glyphs that are not in it.
    """
    inside: dict[CellBox, list[Glyph]] = {}
    outside: list[Glyph] = []
    boxes = _Boxes(table)
    before: Glyph | None = None
    box: CellBox | None = None
    for glyph in glyphs:
        if before is None or not _is_in_word(before, glyph):  # else it is where its word begins
            box = boxes.at((glyph.left + glyph.right) / 2, glyph.base - 0.3 * glyph.size)
        (outside if box is None else inside.setdefault(box, [])).append(glyph)
        before = glyph
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


def _is_in_word(before: Glyph, glyph: Glyph) -> bool:
    """Tell whether a glyph goes on with the word of the glyph before it in the file."""
    gap = glyph.left - before.right
    return (
        not before.text.isspace()
        and not glyph.text.isspace()
        and abs(gap) <= WORD_GAP * glyph.size
        and abs(glyph.base - before.base) <= SAME_BASE * glyph.size
    )


def _cell_lines(glyphs: list[Glyph]) -> list[Line]:
    """Return the lines of a table's cell; a wide gap in one of them alone makes no columns."""
    lines = in_order(cells_of(glyphs))
    tabbed = [line for line in lines if "\t" in line.text]
    if len(tabbed) == 1 and len(lines) > 1:
        tabbed[0].text = tabbed[0].text.replace("\t", " ")
    return lines


class _Boxes:
    """The cells of a table, to be found by what is in them."""

    def __init__(self, table: Table) -> None:
        boxes = [box for row in table for box in row]
        self._top = min(box[1] for box in boxes)
        height = max(box[3] for box in boxes) - self._top
        self._band = max(_BAND, height / _MOST_BANDS)
        self._bands: dict[int, list[CellBox]] = {}
        for box in boxes:
            for band in range(self._number(box[1]), self._number(box[3]) + 1):
                self._bands.setdefault(band, []).append(box)

    def at(self, x: float, y: float) -> CellBox | None:
        """Return the cell that a point is in."""
        for box in self._bands.get(self._number(y), ()):
            left, top, right, bottom = box
            if left <= x <= right and top <= y <= bottom:
                return box
        return None

    def _number(self, y: float) -> int:
        return int((y - self._top) // self._band)


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
