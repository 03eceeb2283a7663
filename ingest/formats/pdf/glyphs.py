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
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2.raw as pdfium

# Two letters printed as one; nobody would find "ﬁnal" by asking for "final".
LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)

# A page of more glyphs than this is no page that anybody reads.
_MOST_GLYPHS = 300_000
_MOST_PIXELS = 2_000_000
# Text that changes no pixel by more than this is not seen.
_SEEN = 5
# Runs that lie on other runs are looked at one by one, up to so many on a page.
_MOST_OVERLAPS = 40
_SMALLEST = 0.8
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

Pixels = npt.NDArray[np.uint8]
# The characters that codes stand for, by the name of a font that doesn't say them.
Letters = dict[str, dict[int, str]]


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
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    direction: int
    run: int
    known: bool = True


@dataclass(frozen=True, slots=True)
class PageGlyphs:
    """What is on a page.

    Attributes:
        glyphs: in the order of the file.
        width, height: of the page, in points.
        pictures: whether it shows pictures or drawings.
        unknown: how many signs stand there whose letters nobody can tell.
    """

    glyphs: list[Glyph]
    width: float
    height: float
    pictures: bool
    unknown: int


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
    unknown = sum(not glyph.known and not glyph.text.isspace() for glyph in glyphs)
    glyphs = [glyph for glyph in glyphs if place.holds(glyph) and glyph.size >= _SMALLEST]
    glyphs = _seen(page, place, glyphs, runs, pictures)
    glyphs = _composed(_once([glyph for glyph in glyphs if _is_letter(glyph)]))
    count = len(runs)
    for text, box in typed:
        glyphs += _typed_glyphs(text, place, box, glyphs, count)
        count += 1
    return PageGlyphs(glyphs, place.width, place.height, bool(pictures) or drawn, unknown)


class _Place:
    """Where things are on the page as it is shown."""

    def __init__(self, page: Any) -> None:
        self.width = min(pdfium.FPDF_GetPageWidthF(page), 1e5)
        self.height = min(pdfium.FPDF_GetPageHeightF(page), 1e5)
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
        return turns % 4

    def box(self, glyph: Glyph) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of a glyph on the shown page."""
        top, bottom = glyph.base - 0.75 * glyph.size, glyph.base + 0.15 * glyph.size
        match glyph.direction:
            case 0:
                return glyph.left, top, glyph.right, bottom
            case 1:
                return -bottom, glyph.left, -top, glyph.right
            case 2:
                return -glyph.right, -bottom, -glyph.left, -top
            case _:
                return top, -glyph.right, bottom, -glyph.left

    def holds(self, glyph: Glyph) -> bool:
        """Tell whether a glyph's middle is on the page."""
        left, top, right, bottom = self.box(glyph)
        x, y = (left + right) / 2, (top + bottom) / 2
        return -0.5 <= x <= self.width + 0.5 and -0.5 <= y <= self.height + 0.5


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
    x, y = ctypes.c_double(), ctypes.c_double()
    box = pdfium.FS_RECTF()
    matrix = pdfium.FS_MATRIX()
    address = None
    size, direction = 0.0, 0
    known_letters: Letters | None = None
    font_letters: dict[int, str] | None = None
    for at in range(count):
        code = pdfium.FPDFText_GetUnicode(text_page, at)
        if code in (0x20, 0x0D, 0x0A, 0x02, 0xFFFE) and pdfium.FPDFText_IsGenerated(text_page, at):
            continue
        run = pdfium.FPDFText_GetTextObject(text_page, at)
        if not run:
            continue
        run_address = ctypes.cast(run, ctypes.c_void_p).value
        if run_address != address:
            address = run_address
            runs.append(run)
            pdfium.FPDFText_GetMatrix(text_page, at, matrix)
            size = pdfium.FPDFText_GetFontSize(text_page, at) * math.hypot(matrix.c, matrix.d)
            direction = place.direction(matrix.a, matrix.b)
            font_letters = None
        pdfium.FPDFText_GetCharOrigin(text_page, at, x, y)
        pdfium.FPDFText_GetLooseCharBox(text_page, at, box)
        known = not pdfium.FPDFText_HasUnicodeMapError(text_page, at)
        if not known and font_letters is None:
            if known_letters is None:
                known_letters = letters()
            font_letters = known_letters.get(_font_name(run), {})
        if not known and font_letters and code in font_letters:
            text, known = font_letters[code], True
        elif 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            text, known = "\ufffd", False
        else:
            text = chr(code)
            known = known and code not in (0, 0xFFFD)
        if code == 0x02 or code == 0xFFFE:  # pdfium's sign for a hyphen at a line's end
            text = "-" if known else text
        corners = [
            along(direction, *place.point(side, edge))
            for side, edge in ((box.left, box.bottom), (box.right, box.top))
        ]
        left, right = sorted((corners[0][0], corners[1][0]))
        _, base = along(direction, *place.point(x.value, y.value))
        numbers = (left, right, base, size)
        if all(map(math.isfinite, numbers)):
            yield Glyph(
                text.translate(LIGATURES), left, right, base, abs(size), direction, len(runs) - 1,
                known,
            )  # fmt: skip


def _font_name(run: Any) -> str:
    name = ctypes.create_string_buffer(256)
    size = pdfium.FPDFFont_GetBaseFontName(pdfium.FPDFTextObj_GetFont(run), name, 256)
    return name.value.decode("latin-1") if 0 < size <= 256 else ""


def _is_letter(glyph: Glyph) -> bool:
    """Tell whether a glyph stands for a character that text is made of."""
    category = unicodedata.category(glyph.text[0]) if glyph.text else "Cc"
    # Private signs are those of symbol and music fonts; a reader sees a picture.
    return category not in ("Cc", "Co", "Cn", "Cs") and glyph.text != "\ufffd"


def _once(glyphs: list[Glyph]) -> list[Glyph]:
    """Leave out what is printed a second time beside itself to look bold."""
    kept: list[Glyph] = []
    seen: dict[tuple[str, int, int, int], list[Glyph]] = {}
    for glyph in glyphs:
        cell = max(glyph.size, 1.0)
        column, row = round(glyph.left / cell), round(glyph.base / cell)
        near = (
            other
            for column_near in (column - 1, column, column + 1)
            for row_near in (row - 1, row, row + 1)
            for other in seen.get((glyph.text, glyph.direction, column_near, row_near), ())
        )
        limit = 0.12 * glyph.size
        if glyph.text.isspace() or not any(
            abs(other.left - glyph.left) < limit
            and abs(other.base - glyph.base) < limit
            and abs(other.size - glyph.size) < limit
            for other in near
        ):
            kept.append(glyph)
            seen.setdefault((glyph.text, glyph.direction, column, row), []).append(glyph)
    return kept


def _composed(glyphs: list[Glyph]) -> list[Glyph]:
    """Put accents that stand over a letter's place onto the letter."""
    out: list[Glyph] = []
    waiting: Glyph | None = None
    for glyph in glyphs:
        if waiting is not None:
            joined = _with_accent(glyph, waiting)
            if joined is None:
                out.append(waiting)
            else:
                glyph = joined
            waiting = None
        if glyph.text in _ACCENTS:
            joined = _with_accent(out[-1], glyph) if out else None
            if joined is not None:
                out[-1] = joined
            else:
                waiting = glyph
            continue
        out.append(glyph)
    if waiting is not None:
        out.append(waiting)
    return out


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
    if not glyphs or place.width < 1 or place.height < 1:
        return glyphs
    modes = [pdfium.FPDFTextObj_GetTextRenderMode(run) for run in runs]
    if all(modes[glyph.run] in _INVISIBLE_MODES for glyph in glyphs) and pictures:
        return glyphs  # a scan with its text layer, and nothing else
    scale = min(1.0, math.sqrt(_MOST_PIXELS / (place.width * place.height)))
    drawn = _draw(page, place, scale)
    for run in runs:
        pdfium.FPDFPageObj_SetIsActive(run, False)
    without = _draw(page, place, scale)
    for run in runs:
        pdfium.FPDFPageObj_SetIsActive(run, True)
    inked = _Sums(np.abs(drawn.astype(np.int16) - without).max(axis=2) > _SEEN)
    detailed = _Sums(_edges(drawn))
    of_run: dict[int, list[tuple[int, int, int, int]]] = {}
    for glyph in glyphs:
        if not glyph.text.isspace():
            of_run.setdefault(glyph.run, []).append(_pixels(place.box(glyph), scale))
    hidden = {
        run for run, boxes in of_run.items() if inked.share(boxes) < 0.3 and len(boxes) > 0
    }
    taken = _Sums(_covered(drawn.shape[:2], [of_run[run] for run in of_run if run not in hidden]))
    share = max(pictures, default=0.0)
    for run in list(hidden):
        of_scan = modes[run] in _INVISIBLE_MODES and pictures or share > 0.5
        if of_scan and detailed.share(of_run[run]) > 0.5 and taken.share(of_run[run]) < 0.3:
            hidden.discard(run)
    hidden |= _covered_up(page, place, scale, drawn, of_run, hidden, runs, modes)
    return [glyph for glyph in glyphs if glyph.run not in hidden]


def _covered_up(
    page: Any,
    place: _Place,
    scale: float,
    drawn: Pixels,
    of_run: dict[int, list[tuple[int, int, int, int]]],
    hidden: set[int],
    runs: list[Any],
    modes: list[int],
) -> set[int]:
    """Find, among runs that lie on one another, those without which the page looks the same."""
    counts = np.zeros(drawn.shape[:2], np.uint8)
    shown = [run for run in of_run if run not in hidden]
    for run in shown:
        counts += _covered(counts.shape, [of_run[run]]) if len(shown) < 400 else 0
    shared = _Sums(counts > 1)
    unseen = set()
    suspects = [run for run in shown if shared.full(of_run[run]) > 0.5]
    for run in suspects[:_MOST_OVERLAPS]:
        if modes[run] in _INVISIBLE_MODES:
            unseen.add(run)
            continue
        pdfium.FPDFPageObj_SetIsActive(runs[run], False)
        without = _draw(page, place, scale)
        pdfium.FPDFPageObj_SetIsActive(runs[run], True)
        if _Sums(np.abs(drawn.astype(np.int16) - without).max(axis=2) > _SEEN).share(
            of_run[run]
        ) < 0.3 and not _is_twin(run, of_run, suspects):
            unseen.add(run)
    return unseen


def _is_twin(
    run: int, of_run: dict[int, list[tuple[int, int, int, int]]], suspects: list[int]
) -> bool:
    """Tell whether the same glyphs were drawn once more at this place; one of the two is seen."""
    return any(other != run and of_run[other] == of_run[run] for other in suspects)


class _Sums:
    """Counts of set pixels in boxes, from sums over the rows and columns of a picture."""

    def __init__(self, bits: npt.NDArray[np.bool_]) -> None:
        self._sums = np.zeros((bits.shape[0] + 1, bits.shape[1] + 1), np.int32)
        np.cumsum(np.cumsum(bits, axis=0, dtype=np.int32), axis=1, out=self._sums[1:, 1:])

    def share(self, boxes: list[tuple[int, int, int, int]]) -> float:
        """Return the share of boxes in which a pixel is set."""
        return float((self._counts(boxes)[0] > 0).mean())

    def full(self, boxes: list[tuple[int, int, int, int]]) -> float:
        """Return the share of the boxes' pixels that are set."""
        counts, areas = self._counts(boxes)
        return float(counts.sum() / max(1, areas.sum()))

    def _counts(
        self, boxes: list[tuple[int, int, int, int]]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        rows, columns = self._sums.shape
        left, top, right, bottom = np.array(boxes).T
        left, right = np.clip(left, 0, columns - 1), np.clip(right, 0, columns - 1)
        top, bottom = np.clip(top, 0, rows - 1), np.clip(bottom, 0, rows - 1)
        sums = self._sums.astype(np.int64)
        counts = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return counts, (right - left) * (bottom - top)


def _draw(page: Any, place: _Place, scale: float) -> Pixels:
    """Draw a page, in blue, green, red and nothing."""
    width, height = max(1, round(place.width * scale)), max(1, round(place.height * scale))
    pixels = np.full((height, width, 4), 255, np.uint8)
    bitmap = pdfium.FPDFBitmap_CreateEx(
        width, height, pdfium.FPDFBitmap_BGRx, pixels.ctypes.data, 4 * width
    )
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, 0)
    pdfium.FPDFBitmap_Destroy(bitmap)
    return pixels[:, :, :3]


def _edges(pixels: Pixels) -> npt.NDArray[np.bool_]:
    edges = np.zeros(pixels.shape[:2], np.bool_)
    wide = pixels.astype(np.int16)
    edges[:, 1:] |= np.abs(np.diff(wide, axis=1)).max(axis=2) > 4 * _SEEN
    edges[1:] |= np.abs(np.diff(wide, axis=0)).max(axis=2) > 4 * _SEEN
    return edges


def _covered(
    shape: tuple[int, ...], runs: list[list[tuple[int, int, int, int]]]
) -> npt.NDArray[np.bool_]:
    bits = np.zeros(shape, np.bool_)
    for boxes in runs:
        for left, top, right, bottom in boxes:
            bits[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return bits


def _pixels(box: tuple[float, float, float, float], scale: float) -> tuple[int, int, int, int]:
    left, top, right, bottom = (edge * scale for edge in box)
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)


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
        if kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING):
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
        elif seen and kind == pdfium.FPDF_ANNOT_FREETEXT and not pdfium.FPDFAnnot_HasKey(note, b"AP"):
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
            glyphs.append(Glyph(char, start, start + advance, base, size, 0, run))
    return glyphs
