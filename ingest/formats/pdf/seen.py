"""What a person sees of a page's text, found by drawing the page with and without it."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2.raw as pdfium

from docqa.ingest.formats.pdf.coordinates import Coordinates
from docqa.ingest.formats.pdf.glyph import REACH, Glyph

_MOST_PIXELS = 2_000_000
# Pixels a point when it is looked whether text is seen: enough for a letter to leave a trace.
_SCALE = 0.6
_LEAST_SCALE = 0.2
# Runs that lie on other runs are looked at one by one, up to so many on a page.
_MOST_OVERLAPS = 40
# Lines and the like that take less than this share of a page are ornaments.
_LEAST_DRAWING = 0.01
_INVISIBLE_MODES = (3, 7)

Pixels = npt.NDArray[np.uint32]


def only_seen(
    page: Any, place: Coordinates, glyphs: list[Glyph], runs: list[Any], pictures: list[float]
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
        edges = np.array([glyph.box(*REACH) for glyph in glyphs]) * scale
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
        width = self._shape[1] + 1
        size = (self._shape[0] + 1) * width
        steps = np.zeros(size, np.int32)
        for rows, columns, step in (
            (self._top, self._left, 1),
            (self._top, self._right, -1),
            (self._bottom, self._left, -1),
            (self._bottom, self._right, 1),
        ):
            steps += step * np.bincount(rows[of] * width + columns[of], minlength=size).astype(
                np.int32
            )
        return _summed(steps.reshape(-1, width))[:-1, :-1]

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


def _draw(page: Any, place: Coordinates, scale: float) -> Pixels:
    """Draw a page; a pixel is a number made of its blue, green and red."""
    width, height = max(1, round(place.width * scale)), max(1, round(place.height * scale))
    pixels = np.full((height, width), 0xFFFFFFFF, np.uint32)
    bitmap = pdfium.FPDFBitmap_CreateEx(
        width, height, pdfium.FPDFBitmap_BGRx, pixels.ctypes.data, 4 * width
    )
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, 0)
    pdfium.FPDFBitmap_Destroy(bitmap)
    return pixels


def _draw_without(page: Any, place: Coordinates, scale: float, runs: list[Any]) -> Pixels:
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


def pictures_of(page: Any) -> tuple[list[float], bool]:
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
