"""Struck-out text: a line is drawn through its letters, or a note says so.

Nothing else in a PDF tells it from text that is valid.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pypdfium2.raw as pdfium

from docqa.ingest.formats.pdf.coordinates import Coordinates
from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.rules import Rule

# Left, top, right and bottom on the page as it is shown.
Box = tuple[float, float, float, float]

# In the size of the type: where a line through small letters runs, above their base line.
_LOWEST, _HIGHEST = 0.13, 0.45
# How far a line may reach beyond the letters that it strikes; what reaches further is a table's.
_BEYOND = 0.8
_LEAST_COVERED = 0.6
_MOST_RULES = 5000
_MOST_NOTES = 5000
_MOST_QUADS = 200
_UNSEEN_FLAGS = 2 | 32  # hidden; not for the screen


def struck_boxes(page: Any, place: Coordinates) -> list[Box]:
    """Return what the notes of a page strike out."""
    boxes: list[Box] = []
    for at in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_NOTES)):
        note = pdfium.FPDFPage_GetAnnot(page, at)
        if not note:
            continue
        is_strike = pdfium.FPDFAnnot_GetSubtype(note) == pdfium.FPDF_ANNOT_STRIKEOUT
        if is_strike and not pdfium.FPDFAnnot_GetFlags(note) & _UNSEEN_FLAGS:
            boxes += _boxes_of(note, place)
        pdfium.FPDFPage_CloseAnnot(note)
    return boxes


def without_struck(glyphs: list[Glyph], rules: list[Rule], boxes: list[Box]) -> list[Glyph]:
    """Blank out the glyphs that lines from left to right run through, or that notes strike out.

    Args:
        glyphs: of a page.
        rules: its lines from left to right.
        boxes: from :func:`struck_boxes`.
    """
    struck = {at for at, glyph in enumerate(glyphs) if any(_holds(box, glyph) for box in boxes)}
    rows: dict[int, list[int]] = {}
    for at, glyph in enumerate(glyphs):
        if glyph.direction == 0 and glyph.field is None:
            rows.setdefault(int(glyph.base), []).append(at)
    largest = max((glyph.size for glyph in glyphs), default=0.0)
    for y, start, end in rules[:_MOST_RULES]:
        last = int(min(y + _HIGHEST * largest, y + 200))
        near = [at for base in range(int(y), last + 1) for at in rows.get(base, ())]
        struck.update(_under(glyphs, near, y, start, end))
    if not struck:
        return glyphs
    # A blank takes the place of each: what stands on either side is no other cell.
    return [replace(glyph, text=" ") if at in struck else glyph for at, glyph in enumerate(glyphs)]


def _under(glyphs: list[Glyph], near: list[int], y: float, start: float, end: float) -> list[int]:
    """Return which glyphs a line runs through; none where it is no line through letters."""
    found = []
    for at in near:
        glyph = glyphs[at]
        if not _LOWEST * glyph.size <= glyph.base - y <= _HIGHEST * glyph.size:
            continue
        shared = min(glyph.right, end) - max(glyph.left, start)
        if shared >= 0.5 * (glyph.right - glyph.left):
            found.append(at)
    shown = [glyphs[at] for at in found if not glyphs[at].text.isspace()]
    if not shown:
        return []
    left, right = min(glyph.left for glyph in shown), max(glyph.right for glyph in shown)
    beyond = _BEYOND * shown[0].size
    covered = sum(glyph.right - glyph.left for glyph in shown)
    is_strike = (
        left - start <= beyond
        and end - right <= beyond
        and covered >= _LEAST_COVERED * (end - start)
        # A dash or an arrow is drawn beside its words.
        and any(glyph.text.isalnum() for glyph in shown)
    )
    return found if is_strike else []


def _boxes_of(note: Any, place: Coordinates) -> Iterator[Box]:
    count = min(pdfium.FPDFAnnot_CountAttachmentPoints(note), _MOST_QUADS)
    quad = pdfium.FS_QUADPOINTSF()
    for at in range(count):
        if pdfium.FPDFAnnot_GetAttachmentPoints(note, at, quad):
            corners = (
                (quad.x1, quad.y1), (quad.x2, quad.y2), (quad.x3, quad.y3), (quad.x4, quad.y4)
            )  # fmt: skip
            yield _box([place.point(x, y) for x, y in corners])
    box = pdfium.FS_RECTF()
    if not count and pdfium.FPDFAnnot_GetRect(note, ctypes.byref(box)):
        yield _box([place.point(box.left, box.bottom), place.point(box.right, box.top)])


def _box(points: list[tuple[float, float]]) -> Box:
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


def _holds(box: Box, glyph: Glyph) -> bool:
    left, top, right, bottom = glyph.box(0.5, 0.0)
    x, y = (left + right) / 2, (top + bottom) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]
