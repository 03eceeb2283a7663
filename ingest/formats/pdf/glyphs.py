"""Glyphs of a PDF page as pdfium places them, with what a person can't see left out.

Coordinates are those of the page as it is shown (rotation applied): points, from the left and from
the top. Nothing here knows of words or lines: see :mod:`docqa.ingest.formats.pdf.layout`.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2.raw as pdfium

from docqa.ingest.formats.ligatures import without_ligatures

# A page of more glyphs than this is no page that anybody reads.
_MOST_GLYPHS = 300_000
_MOST_PIXELS = 2_000_000
# Pixels a point when it is looked whether text is seen: enough for a letter to leave a trace.
_SCALE = 0.6
_LEAST_SCALE = 0.2
# Runs that lie on other runs are looked at one by one, up to so many on a page.
_MOST_OVERLAPS = 40
_SMALLEST = 0.8
# How far most letters reach above and below their base line, in the size of the type.
_REACH = (0.75, 0.15)
# Lines and the like that take less than this share of a page are ornaments.
_LEAST_DRAWING = 0.01
_INVISIBLE_MODES = (3, 7)
# A sign that is set beside its letter, and the mark that composes with the letter.
_ACCENTS = {
    "`": "\u0300",
    "\u00b4": "\u0301",
    "\u02c6": "\u0302",
    "^": "\u0302",
    "\u02dc": "\u0303",
    "~": "\u0303",
    "\u00af": "\u0304",
    "\u02d8": "\u0306",
    "\u02d9": "\u0307",
    "\u00a8": "\u0308",
    "\u02da": "\u030a",
    "\u02dd": "\u030b",
    "\u02c7": "\u030c",
    "\u00b8": "\u0327",
    "\u02db": "\u0328",
} | {chr(mark): chr(mark) for mark in range(0x300, 0x330)}
_DOTLESS = {"\u0131": "i", "\u0237": "j"}

Pixels = npt.NDArray[np.uint32]
# The characters that codes stand for, by the name of a font that doesn't say them.
Letters = dict[str, dict[int, str]]


# pdfium's signs for a hyphen at a line's end.
_HYPHENS = (0x02, 0xFFFE)
_MAY_BE_GENERATED = (0x20, 0x0D, 0x0A, *_HYPHENS)
# pdfium's function with a plain address for a result: it is called for every glyph.
_text_object = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(
    ctypes.cast(pdfium.FPDFText_GetTextObject, ctypes.c_void_p).value or 0
)


@dataclass(slots=True)
class Glyph:
    """A sign on a page, in the direction of its writing.

    Attributes:
        text: one or more characters; a blank for a blank.
        left, right: where it begins and ends along its line.
        base: its base line, growing from line to line.
        size: of its type, in points.
        direction: quarter turns of the writing, 0 for upright.
        run: number of the text object that it belongs to.
        known: whether the font says which character it is.
        field: left, top, right and bottom of the form field or note that it was typed into, on the
            page as it is shown; None for a sign of the page itself.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    direction: int
    run: int
    known: bool = True
    field: tuple[float, float, float, float] | None = None

    def box(self, above: float, below: float) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom on the page as it is shown.

        Args:
            above, below: how far the box reaches from the base line, in the size of the type.
        """
        top, bottom = self.base - above * self.size, self.base + below * self.size
        match self.direction:
            case 0:
                return self.left, top, self.right, bottom
            case 1:
                return -bottom, self.left, -top, self.right
            case 2:
                return -self.right, -bottom, -self.left, -top
            case _:
                return top, -self.right, bottom, -self.left


@dataclass(frozen=True, slots=True)
class PageGlyphs:
    """What is on a page.

    Attributes:
        glyphs: in the order of the file.
        width, height: of the page, in points.
        pictures: whether it shows pictures or drawings.
        unknown: how many signs stand there whose letters nobody can tell.
        blank: whether there are no signs at all, hidden ones included.
    """

    glyphs: list[Glyph]
    width: float
    height: float
    pictures: bool
    unknown: int
    blank: bool

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
        typed, to_flatten = _typed(page, form)
        if to_flatten and pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) == 1:
            pdfium.FPDF_ClosePage(page)
            page = pdfium.FPDF_LoadPage(document, number)
        return _read(page, typed, letters)
    finally:
        pdfium.FPDF_ClosePage(page)


def _read(
    page: Any,
    typed: list[tuple[str, tuple[float, float, float, float]]],
    letters: Callable[[], Letters],
) -> PageGlyphs:
    place = _Place(page)
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        raise UnreadablePageError("its text is damaged")
    try:
        runs: list[Any] = []
        glyphs = list(_glyphs(text_page, place, runs, letters))
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    pictures, drawn = _pictures(page)
    blank = not glyphs
    unknown = sum(not glyph.known and not glyph.text.isspace() for glyph in glyphs)
    glyphs = [glyph for glyph in glyphs if place.holds(glyph) and glyph.size >= _SMALLEST]
    glyphs = _seen(page, place, glyphs, runs, pictures)
    glyphs = _composed(_once([glyph for glyph in glyphs if _is_text(glyph.text)]))
    count = len(runs)
    for text, box in typed:
        glyphs += _typed_glyphs(text, place, box, glyphs, count)
        count += 1
    return PageGlyphs(glyphs, place.width, place.height, bool(pictures) or drawn, unknown, blank)


class _Place:
    """Where things are on the page as it is shown."""

    def __init__(self, page: Any) -> None:
        self.width = pdfium.FPDF_GetPageWidthF(page)
        self.height = pdfium.FPDF_GetPageHeightF(page)
        self._turns = pdfium.FPDFPage_GetRotation(page) % 4
        left, bottom, right, top = (ctypes.c_float() for _ in range(4))
        if not pdfium.FPDFPage_GetCropBox(page, left, bottom, right, top) and not (
            pdfium.FPDFPage_GetMediaBox(page, left, bottom, right, top)
        ):
            right.value, top.value = self.width, self.height
        box = pdfium.FS_RECTF()
        if pdfium.FPDF_GetPageBoundingBox(page, box):  # cut to the medium, as it is shown
            left.value, bottom.value, right.value, top.value = (
                box.left,
                box.bottom,
                box.right,
                box.top,
            )
        self._left, self._right = sorted((left.value, right.value))
        self._bottom, self._top = sorted((bottom.value, top.value))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return a point's distance from the shown page's left and top."""
        match self._turns:
            case 0:
                return x - self._left, self._top - y
            case 1:
                return y - self._bottom, x - self._left
            case 2:
                return self._right - x, y - self._bottom
            case _:
                return self._top - y, self._right - x

    def direction(self, a: float, b: float) -> int:
        """Return the quarter turns, clockwise, of writing that runs along ``(a, b)``."""
        turns = -round(math.atan2(b, a) / (math.pi / 2)) + self._turns
        return int(turns % 4)

    def holds(self, glyph: Glyph) -> bool:
        """Tell whether a glyph's middle is on the page."""
        left, top, right, bottom = glyph.box(*_REACH)
        x, y = (left + right) / 2, (top + bottom) / 2
        return bool(-0.5 <= x <= self.width + 0.5 and -0.5 <= y <= self.height + 0.5)


def along(direction: int, x: float, y: float) -> tuple[float, float]:
    """Turn a point of the shown page so that writing of a direction runs to the right."""
    match direction:
        case 0:
            return x, y
        case 1:
            return y, -x
        case 2:
            return -x, -y
        case _:
            return -y, x


def _glyphs(
    text_page: Any, place: _Place, runs: list[Any], letters: Callable[[], Letters]
) -> Iterator[Glyph]:
    """Yield the glyphs of a page in the order of the file; ``runs`` gets their text objects."""
    count = pdfium.FPDFText_CountChars(text_page)
    if count > _MOST_GLYPHS:
        raise UnreadablePageError("there is more text on it than on any page")
    box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    to_box, to_x, to_y = ctypes.byref(box), ctypes.byref(x), ctypes.byref(y)
    of_fonts: dict[tuple[int | None, float, float], _Type] = {}
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
            type_ = _type_of(text_page, at, runs[-1], place, of_fonts)
            pdfium.FPDFText_GetCharOrigin(text_page, at, to_x, to_y)
            _, base = along(type_.direction, *place.point(x.value, y.value))
        elif type_.is_slanting:
            pdfium.FPDFText_GetCharOrigin(text_page, at, to_x, to_y)
            _, base = along(type_.direction, *place.point(x.value, y.value))
        sign = type_.signs.get(code)
        if sign is None:
            unknown = pdfium.FPDFText_HasUnicodeMapError(text_page, at)
            if unknown and known_letters is None:
                known_letters = letters()
            of_font = known_letters.get(type_.font, {}) if unknown and known_letters else {}
            sign = type_.signs[code] = _sign(code, not unknown, of_font, type_, runs[-1])
        text, known, advance = sign
        pdfium.FPDFText_GetLooseCharBox(text_page, at, to_box)
        left, _ = along(type_.direction, *place.point(box.left, box.bottom))
        right, _ = along(type_.direction, *place.point(box.right, box.top))
        if left > right:
            left, right = right, left
        # What hangs over is no part of the way to the next letter: "of new", "is false".
        if 0 < advance < right - left:
            is_one_letter = advance >= 0.7 * (right - left)  # and none of a ligature's
            pdfium.FPDFText_GetCharOrigin(text_page, at, to_x, to_y)
            left, _ = along(type_.direction, *place.point(x.value, y.value))
            right = left + advance if is_one_letter else max(left, right)
        if math.isfinite(left + right + base + type_.size):
            yield Glyph(text, left, right, base, type_.size, type_.direction, len(runs) - 1, known)


@dataclass(slots=True)
class _Type:
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


def _type_of(
    text_page: Any,
    at: int,
    run: Any,
    place: _Place,
    of_fonts: dict[tuple[int | None, float, float], _Type],
) -> _Type:
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(text_page, at, matrix)
    units = pdfium.FPDFText_GetFontSize(text_page, at)
    font = pdfium.FPDFTextObj_GetFont(run)
    key = (ctypes.cast(font, ctypes.c_void_p).value, units * matrix.a, units * matrix.b)
    if key not in of_fonts:
        stretch = math.hypot(matrix.a, matrix.b)
        of_fonts[key] = _Type(
            _font_name(run),
            units * math.hypot(matrix.c, matrix.d),
            stretch,
            units,
            place.direction(matrix.a, matrix.b),
            min(abs(matrix.a), abs(matrix.b)) > 0.01 * stretch,
            {},
        )
    return of_fonts[key]


def _sign(
    code: int, is_known: bool, letters: dict[int, str], type_: _Type, run: Any
) -> tuple[str, bool, float]:
    """Return the text of a code, whether it is known, and its width in points."""
    if not is_known and code in letters:
        text, is_known = letters[code], True
    elif is_known and code in _HYPHENS:
        text = "-"
    elif 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        text, is_known = "\ufffd", False
    else:
        text = chr(code)
        is_known = is_known and code not in (0, 0xFFFD)
    width = ctypes.c_float()
    pdfium.FPDFFont_GetGlyphWidth(pdfium.FPDFTextObj_GetFont(run), code, type_.units, width)
    return without_ligatures(text), is_known, width.value * type_.stretch


def _font_name(run: Any) -> str:
    name = ctypes.create_string_buffer(256)
    size = pdfium.FPDFFont_GetBaseFontName(pdfium.FPDFTextObj_GetFont(run), name, 256)
    return name.value.decode("latin-1") if 0 < size <= 256 else ""


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
        if glyph.text.isspace():
            kept.append(glyph)
            continue
        limit = 0.12 * glyph.size
        cell = max(glyph.size, 1.0)
        near = [
            other
            for column in {(glyph.left - limit) // cell, (glyph.left + limit) // cell}
            for row in {(glyph.base - limit) // cell, (glyph.base + limit) // cell}
            for other in seen.get((glyph.text, glyph.direction, column, row), ())
        ]
        # Letters of a ligature stand at one place, too, but in one run.
        if not any(
            other.run != glyph.run
            and abs(other.left - glyph.left) < limit
            and abs(other.base - glyph.base) < limit
            and abs(other.size - glyph.size) < limit
            for other in near
        ):
            kept.append(glyph)
            place = (glyph.text, glyph.direction, glyph.left // cell, glyph.base // cell)
            seen.setdefault(place, []).append(glyph)
    return kept


def _composed(glyphs: list[Glyph]) -> list[Glyph]:
    """Put accents that stand over a letter's place onto the letter."""
    accents = [at for at, glyph in enumerate(glyphs) if glyph.text in _ACCENTS]
    if not accents:
        return glyphs
    letters: dict[tuple[int, int, int], list[int]] = {}
    for at, glyph in enumerate(glyphs):
        if glyph.text[-1].isalpha():
            letters.setdefault(_cell(glyph), []).append(at)
    out: list[Glyph | None] = list(glyphs)
    for at in accents:
        accent = glyphs[at]
        direction, column, row = _cell(accent)
        near = [
            other
            for side in (column - 1, column, column + 1)
            for height in (row - 1, row, row + 1)
            for other in letters.get((direction, side, height), ())
        ]
        for other in sorted(near, key=lambda other: abs(other - at)):
            letter = out[other]
            joined = _with_accent(letter, accent) if letter is not None else None
            if joined is not None:
                out[other], out[at] = joined, None
                break
    return [glyph for glyph in out if glyph is not None]


def _cell(glyph: Glyph) -> tuple[int, int, int]:
    return glyph.direction, int(glyph.left // 16), int(glyph.base // 16)


def _with_accent(letter: Glyph, accent: Glyph) -> Glyph | None:
    width = accent.right - accent.left
    shared = min(letter.right, accent.right) - max(letter.left, accent.left)
    is_mark = unicodedata.combining(accent.text) != 0
    if (
        not letter.text[-1].isalpha()
        or letter.direction != accent.direction
        or abs(letter.base - accent.base) > 0.6 * letter.size
        or (shared < 0.5 * width and not (is_mark and shared > -0.2 * letter.size))
    ):
        return None
    plain = _DOTLESS.get(letter.text, letter.text)
    text = unicodedata.normalize("NFC", plain + _ACCENTS[accent.text])
    return replace(letter, text=text) if len(text) == len(letter.text) or is_mark else None


# What is seen ------------------------------------------------------------------------------------


def _seen(
    page: Any, place: _Place, glyphs: list[Glyph], runs: list[Any], pictures: list[float]
) -> list[Glyph]:
    """Leave out text that isn't seen: a page is drawn with and without it.

    Text that changes no pixel is white on white, of a layer that is off, drawn without ink,
    covered, or clipped away. It stays where it lies upon a picture that shows the words: the text
    layer of a scan.
    """
    shown = [glyph for glyph in glyphs if not glyph.text.isspace()]
    if not shown or place.width < 1 or place.height < 1:
        return glyphs
    modes = [pdfium.FPDFTextObj_GetTextRenderMode(run) for run in runs]
    if pictures and all(modes[glyph.run] in _INVISIBLE_MODES for glyph in shown):
        return glyphs  # a scan with its text layer, and nothing else
    scale = min(_SCALE, math.sqrt(_MOST_PIXELS / (place.width * place.height)))
    if scale < _LEAST_SCALE:
        return glyphs  # on a page the size of a wall no letter would leave a trace
    drawn = _draw(page, place, scale)
    boxes = _Boxes(shown, scale, drawn.shape)
    inked = boxes.share(_changed(drawn, _draw_without(page, place, scale, runs)))
    hidden = {run for run, share in inked.items() if share < 0.3}
    if hidden and pictures:
        detailed = boxes.share(_edges(drawn))
        taken = boxes.share(boxes.cover(set(inked) - hidden) > 0)
        hidden = {
            run
            for run in hidden
            if not (modes[run] in _INVISIBLE_MODES or max(pictures) > 0.5)
            or detailed[run] < 0.5
            or taken[run] > 0.3
        }
    overlaps = boxes.filled(boxes.cover(set(inked) - hidden) > 1)
    suspects = [run for run, share in overlaps.items() if share > 0.5 and run not in hidden]
    for run in suspects[:_MOST_OVERLAPS]:
        # The same glyphs drawn twice look the same without either; one of the two is seen.
        is_twin = any(other != run and boxes.same(run, other) for other in suspects)
        without = _changed(drawn, _draw_without(page, place, scale, [runs[run]]))
        if modes[run] in _INVISIBLE_MODES or (not is_twin and boxes.share(without)[run] < 0.3):
            hidden.add(run)
    return [glyph for glyph in glyphs if glyph.run not in hidden]


class _Boxes:
    """The boxes of glyphs on a drawn page, by the runs that they belong to."""

    def __init__(self, glyphs: list[Glyph], scale: float, shape: tuple[int, ...]) -> None:
        rows, columns = shape
        self._shape = shape
        self._runs = np.array([glyph.run for glyph in glyphs])
        edges = np.array([glyph.box(*_REACH) for glyph in glyphs]) * scale
        low, high = np.floor(edges[:, :2] + 0.3), np.ceil(edges[:, 2:] - 0.3)
        high = np.maximum(high, low + 1)
        self._left, self._right = (
            np.clip(side, 0, columns).astype(np.int64) for side in (low[:, 0], high[:, 0])
        )
        self._top, self._bottom = (
            np.clip(side, 0, rows).astype(np.int64) for side in (low[:, 1], high[:, 1])
        )

    def share(self, bits: npt.NDArray[np.bool_]) -> dict[int, float]:
        """Return for each run the share of its boxes in which a pixel is set."""
        return self._mean_by_run(self._counts(bits) > 0)

    def filled(self, bits: npt.NDArray[np.bool_]) -> dict[int, float]:
        """Return for each run the share of its boxes of which most pixels are set."""
        area = (self._right - self._left) * (self._bottom - self._top)
        return self._mean_by_run(self._counts(bits) > 0.6 * area)

    def cover(self, runs: set[int]) -> npt.NDArray[np.int32]:
        """Return for each pixel how many boxes of some runs it is in."""
        of = np.isin(self._runs, list(runs))
        steps = np.zeros((self._shape[0] + 1, self._shape[1] + 1), np.int32)
        for rows, columns, step in (
            (self._top, self._left, 1),
            (self._top, self._right, -1),
            (self._bottom, self._left, -1),
            (self._bottom, self._right, 1),
        ):
            np.add.at(steps, (rows[of], columns[of]), step)
        return _summed(steps)[:-1, :-1]

    def same(self, run: int, other: int) -> bool:
        """Tell whether the boxes of two runs are the same."""
        one, another = (
            np.stack([side[self._runs == which] for side in (self._left, self._top, self._right)])
            for which in (run, other)
        )
        return bool(np.array_equal(one, another))

    def _counts(self, bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        sums = np.zeros((bits.shape[0] + 1, bits.shape[1] + 1), np.int32)
        sums[1:, 1:] = _summed(bits)
        counts: npt.NDArray[np.int32] = (
            sums[self._bottom, self._right]
            - sums[self._top, self._right]
            - sums[self._bottom, self._left]
            + sums[self._top, self._left]
        )
        return counts

    def _mean_by_run(self, hits: npt.NDArray[np.bool_]) -> dict[int, float]:
        total = np.bincount(self._runs)
        found = np.bincount(self._runs, weights=hits)
        return {int(run): float(found[run] / total[run]) for run in np.flatnonzero(total)}


def _summed(values: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    summed: npt.NDArray[np.int32] = values.cumsum(0, np.int32).cumsum(1, np.int32)
    return summed


def _draw(page: Any, place: _Place, scale: float) -> Pixels:
    """Draw a page; a pixel is a number made of its blue, green and red."""
    width, height = max(1, round(place.width * scale)), max(1, round(place.height * scale))
    pixels = np.full((height, width), 0xFFFFFFFF, np.uint32)
    bitmap = pdfium.FPDFBitmap_CreateEx(
        width, height, pdfium.FPDFBitmap_BGRx, pixels.ctypes.data, 4 * width
    )
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, 0)
    pdfium.FPDFBitmap_Destroy(bitmap)
    return pixels


def _draw_without(page: Any, place: _Place, scale: float, runs: list[Any]) -> Pixels:
    """Draw a page without some of its text."""
    for run in runs:
        pdfium.FPDFPageObj_SetIsActive(run, False)
    try:
        return _draw(page, place, scale)
    finally:
        for run in runs:
            pdfium.FPDFPageObj_SetIsActive(run, True)


def _changed(one: Pixels, other: Pixels) -> npt.NDArray[np.bool_]:
    """Return which pixels differ by more than an eye would miss."""
    changed: npt.NDArray[np.bool_] = ((one ^ other) & 0x00F8F8F8) != 0
    return changed


def _edges(pixels: Pixels) -> npt.NDArray[np.bool_]:
    """Return which pixels differ clearly from the one before or above."""
    edges = np.zeros(pixels.shape, np.bool_)
    edges[:, 1:] = ((pixels[:, 1:] ^ pixels[:, :-1]) & 0x00E0E0E0) != 0
    edges[1:] |= ((pixels[1:] ^ pixels[:-1]) & 0x00E0E0E0) != 0
    return edges


def _pictures(page: Any) -> tuple[list[float], bool]:
    """Return the share of the page that each of its pictures takes, and whether it has drawings."""
    area = max(1.0, pdfium.FPDF_GetPageWidthF(page) * pdfium.FPDF_GetPageHeightF(page))
    shares: list[float] = []
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    waiting = [
        (pdfium.FPDFPage_GetObject(page, at), 0)
        for at in range(min(pdfium.FPDFPage_CountObjects(page), 20_000))
    ]
    drawings = 0.0
    while waiting and len(shares) < 1000:
        item, depth = waiting.pop()
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind in (
            pdfium.FPDF_PAGEOBJ_IMAGE,
            pdfium.FPDF_PAGEOBJ_PATH,
            pdfium.FPDF_PAGEOBJ_SHADING,
        ):
            if not pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top):
                continue
            share = (right.value - left.value) * (top.value - bottom.value) / area
            if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
                shares.append(share)
            else:
                drawings += share
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < 5:
            count = min(pdfium.FPDFFormObj_CountObjects(item), 2000)
            waiting += [(pdfium.FPDFFormObj_GetObject(item, at), depth + 1) for at in range(count)]
    return shares, drawings > _LEAST_DRAWING


# What was typed into the page --------------------------------------------------------------------

_UNSEEN_FLAGS = 2 | 32  # hidden; not for the screen
_PASSWORD = 1 << 13


def _typed(
    page: Any, form: Any
) -> tuple[list[tuple[str, tuple[float, float, float, float]]], bool]:
    """Take the values of form fields and typed notes off a page.

    Returns:
        Texts with their boxes (left, bottom, right, top in the page's own coordinates), and
        whether notes are left that draw their own text.
    """
    typed = []
    to_flatten = False
    for at in reversed(range(min(pdfium.FPDFPage_GetAnnotCount(page), 5000))):
        note = pdfium.FPDFPage_GetAnnot(page, at)
        if not note:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(note)
        box = pdfium.FS_RECTF()
        seen = not pdfium.FPDFAnnot_GetFlags(note) & _UNSEEN_FLAGS
        is_widget = kind == pdfium.FPDF_ANNOT_WIDGET
        if seen and is_widget:
            value = _field_value(form, note)
        elif (
            seen and kind == pdfium.FPDF_ANNOT_FREETEXT and not pdfium.FPDFAnnot_HasKey(note, b"AP")
        ):
            value = _string(pdfium.FPDFAnnot_GetStringValue, note, b"Contents")
        else:
            value = ""
        if value and pdfium.FPDFAnnot_GetRect(note, box):
            typed.append((value, (box.left, box.bottom, box.right, box.top)))
        to_flatten |= seen and kind in (pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP)
        pdfium.FPDFPage_CloseAnnot(note)
        if is_widget:  # or its value would be drawn into the page as well
            pdfium.FPDFPage_RemoveAnnot(page, at)
    return typed[::-1], to_flatten


def _field_value(form: Any, note: Any) -> str:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, note)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        state = _string(pdfium.FPDFAnnot_GetStringValue, note, b"AS")
        chosen = state not in ("", "Off")
        signs = "☐☒" if kind == pdfium.FPDF_FORMFIELD_CHECKBOX else "○◉"
        return signs[chosen]
    if kind == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        if pdfium.FPDFAnnot_GetFormFieldFlags(form, note) & _PASSWORD:
            return ""
        return _string(pdfium.FPDFAnnot_GetFormFieldValue, form, note)
    if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        chosen_labels = [
            _string(pdfium.FPDFAnnot_GetOptionLabel, form, note, option)
            for option in range(min(pdfium.FPDFAnnot_GetOptionCount(form, note), 1000))
            if pdfium.FPDFAnnot_IsOptionSelected(form, note, option)
        ]
        return ", ".join(chosen_labels) or _string(pdfium.FPDFAnnot_GetFormFieldValue, form, note)
    return ""


def _string(get: Any, *arguments: Any) -> str:
    """Call one of pdfium's functions that give UTF-16 text."""
    size = get(*arguments, None, 0)
    if not 2 < size <= 1 << 20:
        return ""
    buffer = (ctypes.c_ushort * ((size + 1) // 2))()
    get(*arguments, buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")


def _typed_glyphs(
    text: str,
    place: _Place,
    box: tuple[float, float, float, float],
    beside: list[Glyph],
    run: int,
) -> list[Glyph]:
    """Set a typed text into its box, on the base line of the words beside it if there are any."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return []
    x1, y1 = place.point(box[0], box[1])
    x2, y2 = place.point(box[2], box[3])
    left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    size = min(12.0, max(4.0, (bottom - top) / (1.25 * len(lines))))
    pitch = (bottom - top) / len(lines)
    bases = [
        glyph.base
        for glyph in beside
        if glyph.direction == 0 and top < glyph.base - 0.3 * glyph.size < bottom
    ]
    middle = (top + bottom) / 2 + 0.35 * size
    lift = 0.0
    if bases and len(lines) == 1:
        lift = min(bases, key=lambda base: abs(base - middle)) - middle
    glyphs = []
    for number, line in enumerate(lines):
        advance = min(0.5 * size, max(0.5, (right - left) / len(line)))
        base = top + (number + 0.5) * pitch + 0.35 * size + lift
        for at, char in enumerate(line):
            start = left + at * advance
            glyphs.append(
                Glyph(
                    char,
                    start,
                    start + advance,
                    base,
                    size,
                    0,
                    run,
                    field=(left, top, right, bottom),
                )
            )
    return glyphs
