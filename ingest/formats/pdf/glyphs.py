"""Glyphs of a PDF page as pdfium places them, with what a person can't see left out.

Coordinates are those of the page as it is shown (rotation applied): points, from the left and from
the top. Nothing here knows of words or lines: see :mod:`docqa.ingest.formats.pdf.layout`.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pypdfium2.raw as pdfium

from docqa.ingest.formats.pdf.accents import composed
from docqa.ingest.formats.pdf.coordinates import Coordinates
from docqa.ingest.formats.pdf.fonts import Letters
from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.rules import Table, drawn_rules, tables_of
from docqa.ingest.formats.pdf.seen import only_seen, pictures_of
from docqa.ingest.formats.pdf.struck import Box, struck_boxes, without_struck
from docqa.ingest.formats.pdf.typed import typed_glyphs, typed_texts
from docqa.ingest.formats.pdf.typeface import HYPHENS, Typeface, sign, typeface_of

# A page of more glyphs than this is no page that anybody reads.
_MOST_GLYPHS = 300_000
_SMALLEST = 0.8
# In points: how far a letter is printed beside itself at most, and cells to look for such letters.
_FARTHEST = 4.0
_CELL = 8.0
_MAY_BE_GENERATED = (0x20, 0x0D, 0x0A, *HYPHENS)
# pdfium's function with a plain address for a result: it is called for every glyph.
_text_object = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(
    ctypes.cast(pdfium.FPDFText_GetTextObject, ctypes.c_void_p).value or 0
)


@dataclass(frozen=True, slots=True)
class PageGlyphs:
    """What is on a page.

    Attributes:
        glyphs: in the order of the file.
        width, height: of the page, in points.
        pictures: whether it shows pictures or drawings.
        covered: the share of the page that its largest picture takes.
        unknown: how many signs stand there whose letters nobody can tell.
        blank: whether there are no signs at all, hidden ones included.
        tables: those whose cells are ruled.
    """

    glyphs: list[Glyph]
    width: float
    height: float
    pictures: bool
    covered: float
    unknown: int
    blank: bool
    tables: list[Table]

    @property
    def is_blank(self) -> bool:
        """Whether pdfium finds nothing at all on the page, seen or hidden."""
        return self.blank and not self.glyphs and not self.pictures


class UnreadablePageError(Exception):
    """A page can't be read; says why."""


def page_glyphs(
    document: Any, form: Any, number: int, letters: Callable[[], Letters]
) -> PageGlyphs:
    """Read the glyphs of a page.

    Args:
        document: pdfium's.
        form: pdfium's form environment of the document.
        number: of the page, from 0.
        letters: finds out the letters of the page's fonts that don't say them.

    Raises:
        UnreadablePageError: pdfium can't open the page, or there is too much on it.
    """
    page = pdfium.FPDF_LoadPage(document, number)
    if not page:
        raise UnreadablePageError("it is damaged")
    try:
        struck = struck_boxes(page, Coordinates(page))
        typed, to_flatten = typed_texts(page, form)
        if to_flatten and pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) == 1:
            pdfium.FPDF_ClosePage(page)
            page = pdfium.FPDF_LoadPage(document, number)
        return _read(page, typed, struck, letters)
    finally:
        pdfium.FPDF_ClosePage(page)


def _read(
    page: Any,
    typed: list[tuple[str, Box]],
    struck: list[Box],
    letters: Callable[[], Letters],
) -> PageGlyphs:
    place = Coordinates(page)
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        raise UnreadablePageError("its text is damaged")
    try:
        runs: list[Any] = []
        glyphs = list(_glyphs(text_page, place, runs, letters))
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    pictures, drawn = pictures_of(page)
    blank = not glyphs
    unknown = sum(not glyph.known and not glyph.text.isspace() for glyph in glyphs)
    glyphs = [glyph for glyph in glyphs if place.holds(glyph) and glyph.size >= _SMALLEST]
    glyphs = only_seen(page, place, glyphs, runs, pictures)
    glyphs = composed(_once([glyph for glyph in glyphs if _is_text(glyph.text)]))
    across, down = drawn_rules(page, place) if glyphs else ([], [])
    glyphs = without_struck(glyphs, across, struck)
    count = len(runs)
    for text, box in typed:
        glyphs += typed_glyphs(text, place, box, glyphs, count)
        count += 1
    tables = tables_of(across, down)
    shows = bool(pictures) or drawn
    covered = max(pictures, default=0.0)
    return PageGlyphs(glyphs, place.width, place.height, shows, covered, unknown, blank, tables)


def _glyphs(
    text_page: Any, place: Coordinates, runs: list[Any], letters: Callable[[], Letters]
) -> Iterator[Glyph]:
    """Yield the glyphs of a page in the order of the file; ``runs`` gets their text objects."""
    count = pdfium.FPDFText_CountChars(text_page)
    if count > _MOST_GLYPHS:
        raise UnreadablePageError("there is more text on it than on any page")
    box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    to_box, to_x, to_y = ctypes.byref(box), ctypes.byref(x), ctypes.byref(y)
    ink = [ctypes.c_double() for _ in range(4)]  # left, right, bottom, top
    to_ink = [ctypes.byref(edge) for edge in ink]
    of_fonts: dict[tuple[int | None, float, float], Typeface] = {}
    known_letters: Letters | None = None
    address = None
    base = 0.0
    for at in range(count):
        code = pdfium.FPDFText_GetUnicode(text_page, at)
        if code in _MAY_BE_GENERATED and pdfium.FPDFText_IsGenerated(text_page, at):
            continue
        run_address = _text_object(text_page, at)
        if run_address is None:
            continue
        if run_address != address:
            address = run_address
            runs.append(pdfium.FPDFText_GetTextObject(text_page, at))
            face = typeface_of(text_page, at, runs[-1], place, of_fonts)
            (ax, ay, ahead), (bx, by, below) = place.along(face.direction)
            pdfium.FPDFText_GetCharOrigin(text_page, at, to_x, to_y)
            base = bx * x.value + by * y.value + below
        elif face.is_slanting:
            pdfium.FPDFText_GetCharOrigin(text_page, at, to_x, to_y)
            base = bx * x.value + by * y.value + below
        meaning = face.signs.get(code)
        if meaning is None:
            unknown = pdfium.FPDFText_HasUnicodeMapError(text_page, at)
            if unknown and known_letters is None:
                known_letters = letters()
            of_font = known_letters.get(face.font, {}) if unknown and known_letters else {}
            meaning = face.signs[code] = sign(code, not unknown, of_font, face, runs[-1])
        text, known, advance = meaning
        pdfium.FPDFText_GetLooseCharBox(text_page, at, to_box)
        left = ax * box.left + ay * box.bottom + ahead
        right = ax * box.right + ay * box.top + ahead
        if left > right:
            left, right = right, left
        # What hangs over is no part of the way to the next letter: "of new", "is false".
        if 0 < advance < right - left - 0.001 * face.size:
            is_one_letter = advance >= 0.7 * (right - left)  # and none of a ligature's
            pdfium.FPDFText_GetCharOrigin(text_page, at, to_x, to_y)
            left = ax * x.value + ay * y.value + ahead
            pdfium.FPDFText_GetCharBox(text_page, at, *to_ink)
            ink_right = ahead + max(
                ax * ink[0].value + ay * ink[2].value, ax * ink[1].value + ay * ink[3].value
            )
            hangs_over = ink_right > right - 0.001 * face.size  # else the box ends with the way
            right = left + advance if hangs_over and is_one_letter else max(left, right)
        if math.isfinite(left + right + base + face.size):
            yield Glyph(text, left, right, base, face.size, face.direction, len(runs) - 1, known)


@lru_cache(maxsize=10_000)
def _is_text(text: str) -> bool:
    """Tell whether a glyph stands for a character that text is made of."""
    category = unicodedata.category(text[0]) if text else "Cc"
    # Private signs are those of symbol and music fonts; a reader sees a picture.
    return category not in ("Cc", "Co", "Cn", "Cs") and text != "\ufffd"


def _once(glyphs: list[Glyph]) -> list[Glyph]:
    """Leave out what is printed a second time beside itself to look bold."""
    kept: list[Glyph] = []
    seen: dict[tuple[str, int, float, float], list[Glyph]] = {}
    for glyph in glyphs:
        text, direction, left, base = glyph.text, glyph.direction, glyph.left, glyph.base
        if text.isspace():
            kept.append(glyph)
            continue
        limit = min(0.12 * glyph.size, _FARTHEST)
        column, row = (left - limit) // _CELL, (base - limit) // _CELL
        near = seen.get((text, direction, column, row), ())
        columns, rows = (left + limit) // _CELL - column, (base + limit) // _CELL - row
        if columns or rows:
            near = [
                other
                for right in ((0, 1) if columns else (0,))
                for below in ((0, 1) if rows else (0,))
                for other in seen.get((text, direction, column + right, row + below), ())
            ]
        # Letters of a ligature stand at one place, too, but in one run.
        if not near or not any(
            other.run != glyph.run
            and abs(other.left - left) < limit
            and abs(other.base - base) < limit
            and abs(other.size - glyph.size) < limit
            for other in near
        ):
            kept.append(glyph)
            seen.setdefault((text, direction, left // _CELL, base // _CELL), []).append(glyph)
    return kept
