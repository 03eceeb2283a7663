"""Tables whose cells are ruled, as lines: each cell is read whole, row by row."""

from __future__ import annotations

from docqa.ingest.formats.pdf.cells import cells_of
from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.line import Cell, Line
from docqa.ingest.formats.pdf.order import in_order
from docqa.ingest.formats.pdf.rules import CellBox, Table


def table_cell(table: Table, glyphs: list[Glyph]) -> tuple[Cell | None, list[Glyph]]:
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
    lines = in_order(cells_of(glyphs))
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
