"""The lines of a page of which there is only a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.layout import page_lines
from docqa.ingest.formats.pdf.line import Line
from docqa.ingest.formats.recognition import written_in


def recognised_lines(pixels: npt.NDArray[np.uint8], points: float) -> list[Line]:
    """Return the lines that text recognition finds in a picture, in reading order.

    Their glyphs' places are estimated: all signs of a line are taken to be equally wide.

    Args:
        pixels: rows of pixels, each blue, green, red and perhaps another byte.
        points: how many of them a pixel is.
    """
    glyphs = []
    for run, line in enumerate(written_in(np.ascontiguousarray(pixels[:, :, :3]), points)):
        width = (line.right - line.left) / len(line.text)
        for at, sign in enumerate(line.text):
            left = line.left + at * width
            glyphs.append(Glyph(sign, left, left + width, line.base, line.size, 0, run))
    return page_lines(glyphs)
