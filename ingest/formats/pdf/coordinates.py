"""Where things are on a page as it is shown: points, from the left and from the top."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import pypdfium2.raw as pdfium

from docqa.ingest.formats.pdf.glyph import REACH, Glyph

# Factors of a point's coordinates, and what is added.
_Part = tuple[int, int, float]


class Coordinates:
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

    def along(self, direction: int) -> tuple[_Part, _Part]:
        """Return where a point of the page is along writing of a direction, and across it.

        Either as factors of the point's two coordinates, and what is added.
        """
        x0, y0 = _turned(direction, *self.point(0, 0))
        x1, y1 = _turned(direction, *self.point(1, 0))
        x2, y2 = _turned(direction, *self.point(0, 1))
        return (round(x1 - x0), round(x2 - x0), x0), (round(y1 - y0), round(y2 - y0), y0)

    def direction(self, a: float, b: float) -> int:
        """Return the quarter turns, clockwise, of writing that runs along ``(a, b)``."""
        turns = -round(math.atan2(b, a) / (math.pi / 2)) + self._turns
        return int(turns % 4)

    def holds(self, glyph: Glyph) -> bool:
        """Tell whether a glyph's middle is on the page."""
        left, top, right, bottom = glyph.box(*REACH)
        x, y = (left + right) / 2, (top + bottom) / 2
        return bool(-0.5 <= x <= self.width + 0.5 and -0.5 <= y <= self.height + 0.5)


def _turned(direction: int, x: float, y: float) -> tuple[float, float]:
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
