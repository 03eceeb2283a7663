"""Glyphs of a page to lines of text in reading order.

Glyphs become pieces (glyphs that follow one another on a base line), pieces become rows, and rows
are cut into cells where there are wide gaps. What is set in columns is read column by column; what
is set as a table is read row by row, its cells apart by a tab; where lines rule the cells, each is
read whole. Raised and lowered digits are written with Unicode's own signs, so that they never join
the number before them.

Nothing here touches a file.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from docqa.ingest.formats.pdf.cells import cells_of
from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.line import Cell, Line
from docqa.ingest.formats.pdf.order import in_order
from docqa.ingest.formats.pdf.rules import Table
from docqa.ingest.formats.pdf.tables import table_cell


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
            cell, turned = table_cell(table, turned)
            whole += [cell] if cell is not None else []
        cells = whole + cells_of(turned)
        upright = direction == directions[0]
        lines += [
            replace(line, text=unicodedata.normalize("NFC", line.text), upright=upright)
            for line in in_order(cells)
        ]
    return lines
