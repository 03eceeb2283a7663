"""Lines of a page, the cells that they are made of, and how far apart these are."""

from __future__ import annotations

from dataclasses import dataclass, field

from docqa.ingest.formats.pdf.glyph import Glyph

# In the size of the type: a gap within a word, and one between cells or columns.
WORD_GAP = 0.13
CELL_GAP = 1.15
SAME_BASE = 0.2
SCRIPT_SIZE = 0.88


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
