"""The picture of a PDF's page, as people see it, and the PNG of a picture."""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2.raw as pdfium

# Rows of pixels, each blue, green, red and a byte of nothing.
Pixels = npt.NDArray[np.uint8]

_PNG = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR = 0, 2
_UP = 2  # a PNG's filter: each byte less the one above
_PACKING = 4  # of zlib: half the time of its usual 6 for a tenth more bytes


def draw_page(page: Any, form: Any, width: int, most_pixels: int) -> Pixels:
    """Draw a page with the notes and the form fields on it.

    Args:
        page: pdfium's.
        form: pdfium's form environment of the document.
        width: in pixels; less where the picture would have too many.
        most_pixels: what the picture may have.
    """
    ratio = pdfium.FPDF_GetPageHeightF(page) / max(1e-3, pdfium.FPDF_GetPageWidthF(page))
    width = max(1, min(width, math.isqrt(int(most_pixels / max(ratio, 1 / most_pixels)))))
    height = max(1, min(round(width * ratio), most_pixels))
    pixels = np.full((height, width, 4), 0xFF, np.uint8)
    bitmap = pdfium.FPDFBitmap_CreateEx(
        width, height, pdfium.FPDFBitmap_BGRx, pixels.ctypes.data, 4 * width
    )
    try:
        pdfium.FORM_OnAfterLoadPage(page, form)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, pdfium.FPDF_ANNOT)
        pdfium.FPDF_FFLDraw(form, bitmap, page, 0, 0, width, height, 0, pdfium.FPDF_ANNOT)
        pdfium.FORM_OnBeforeClosePage(page, form)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return pixels


def png(pixels: Pixels) -> bytes:
    """Return a picture as a PNG; grey where it has no colour."""
    height, width, _ = pixels.shape
    blue, green, red = (pixels[:, :, channel] for channel in range(3))
    is_grey = bool((blue == green).all() and (green == red).all())
    samples = red if is_grey else np.ascontiguousarray(pixels[:, :, 2::-1])
    rows = samples.reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    kind = _GREY if is_grey else _COLOUR
    return b"".join(
        (
            _PNG,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(filtered.data, _PACKING)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
