"""Text recognition (OCR): what is written in a picture, and where, by RapidOCR.

RapidOCR brings its models along and fetches nothing. It takes more memory and time than any format,
so it runs only in a worker that was started for it.
"""

from __future__ import annotations

import math
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# What a sentence about pictures ends with.
HOW = "pip install 'docqa-verbatim[ocr]' to read it, or run OCR first, for example with OCRmyPDF"
MOST_PIXELS = 4_000_000  # of a picture that is read: A4 at 200 pixels an inch
MEMORY_MB = 1536  # address space beside that of other formats: models and a page's tensors
_LINE_HEIGHT = 0.8  # the size of the type, in the height of a line's box
_DESCENT = 0.22  # how far the base line is above a box's bottom, in its height

_allowed = False


@cache
def is_installed() -> bool:
    """Return whether the libraries are there."""
    return all(find_spec(name) is not None for name in ("rapidocr", "onnxruntime", "PIL"))


def allow() -> None:
    """Have loaders of this process read pictures."""
    global _allowed
    _allowed = True


def is_allowed() -> bool:
    """Return whether loaders of this process read pictures."""
    return _allowed


class Written(NamedTuple):
    """A line of writing in a picture.

    Attributes:
        text: its words.
        left, right, base: where it is, from the left and the top, in points.
        size: of its type, in points.
    """

    text: str
    left: float
    right: float
    base: float
    size: float


def written_in(pixels: npt.NDArray[np.uint8], points: float) -> list[Written]:
    """Return the lines of writing in a picture, in no order.

    Args:
        pixels: rows of pixels, each blue, green and red.
        points: how many of them a pixel is.
    """
    from statistics import median  # loads much, and every command loads this module

    found = _engine()(pixels)
    if found.boxes is None or found.txts is None:
        return []
    read = [
        (points * box, text)
        for box, text in zip(found.boxes, found.txts, strict=True)
        if any(map(str.isalnum, text))  # else it is a drawing
    ]
    heights = [float(box[:, 1].max() - box[:, 1].min()) for box, _ in read]
    usual = median(heights) if heights else 0.0
    lines = []
    for (box, text), height in zip(read, heights, strict=True):
        # Boxes of lines without tall letters are lower; their type is as large.
        size = _LINE_HEIGHT * (usual if 0.7 * usual < height < 1.4 * usual else height)
        base = float(box[:, 1].max()) - _DESCENT * height
        lines.append(Written(text, float(box[:, 0].min()), float(box[:, 0].max()), base, size))
    return lines


def fitting_width(width: float, height: float) -> int:
    """Return the width in pixels at which a page is drawn to be read.

    Args:
        width, height: of the page, in points.
    """
    at_200_an_inch = width * 200 / 72
    most = math.sqrt(MOST_PIXELS * width / max(height, 1.0))
    return max(1, round(min(at_200_an_inch, most)))


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            # Threads take address space.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
