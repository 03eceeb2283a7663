"""The type that a text is set in, and what its codes stand for."""

from __future__ import annotations

import ctypes
import math
import re
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from docqa.ingest.formats.ligatures import without_ligatures
from docqa.ingest.formats.pdf.coordinates import Coordinates

# pdfium's signs for a hyphen at a line's end.
HYPHENS = (0x02, 0xFFFE)
# Fonts of pieces that lines and circles are made of; their codes are taken for ornaments.
_PIECES = re.compile(r"(?:.*\+)?(?:line|lcircle)w?10", re.IGNORECASE)


@dataclass(slots=True)
class Typeface:
    """The type that a text object is set in.

    Attributes:
        font: its name.
        size: in points.
        stretch: from units of its own to points, along the line.
        units: its size in units of its own.
        direction: quarter turns of the writing.
        is_slanting: whether the writing runs along no edge of the page.
        signs: for each code the text, whether it is known, and the way to the next letter.
    """

    font: str
    size: float
    stretch: float
    units: float
    direction: int
    is_slanting: bool
    signs: dict[int, tuple[str, bool, float]]


def typeface_of(
    text_page: Any,
    at: int,
    run: Any,
    place: Coordinates,
    of_fonts: dict[tuple[int | None, float, float], Typeface],
) -> Typeface:
    """Return the type of a text object.

    Args:
        text_page: pdfium's.
        at: a character of the text object, by its number on the page.
        run: the text object.
        place: the page.
        of_fonts: those types of the page that are known; gets the new one.
    """
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(text_page, at, matrix)
    units = pdfium.FPDFText_GetFontSize(text_page, at)
    font = pdfium.FPDFTextObj_GetFont(run)
    key = (ctypes.cast(font, ctypes.c_void_p).value, units * matrix.a, units * matrix.b)
    if key not in of_fonts:
        stretch = math.hypot(matrix.a, matrix.b)
        of_fonts[key] = Typeface(
            _font_name(run),
            units * math.hypot(matrix.c, matrix.d),
            stretch,
            units,
            place.direction(matrix.a, matrix.b),
            min(abs(matrix.a), abs(matrix.b)) > 0.01 * stretch,
            {},
        )
    return of_fonts[key]


def sign(
    code: int, is_known: bool, letters: dict[int, str], face: Typeface, run: Any
) -> tuple[str, bool, float]:
    """Return the text of a code, whether it is known, and its width in points.

    The text is empty for what is a drawing. The width is that of another glyph where a font has
    several for one character.
    """
    if not is_known and code in letters:
        text, is_known = letters[code], True
    elif _PIECES.fullmatch(face.font):
        text, is_known = "", True
    elif is_known and code in HYPHENS:
        text = "-"
    elif 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        text, is_known = "\ufffd", False
    else:
        text = chr(code)
        is_known = is_known and code not in (0, 0xFFFD)
    width = ctypes.c_float()
    pdfium.FPDFFont_GetGlyphWidth(pdfium.FPDFTextObj_GetFont(run), code, face.units, width)
    return without_ligatures(text), is_known, width.value * face.stretch


def _font_name(run: Any) -> str:
    name = ctypes.create_string_buffer(256)
    size = pdfium.FPDFFont_GetBaseFontName(pdfium.FPDFTextObj_GetFont(run), name, 256)
    return name.value.decode("latin-1") if 0 < size <= 256 else ""
