"""Pictures: the text that is recognised in them; each picture of a file is a page."""

from __future__ import annotations

import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, ImageSequence

from docqa.ingest.errors import IngestError, PictureError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.pdf.recognised import recognised_lines
from docqa.ingest.formats.recognition import HOW, MOST_PIXELS, is_allowed

_KINDS = ("PNG", "JPEG", "TIFF", "WEBP")
_MOST_PIXELS = 60_000_000  # before it is made smaller: A4 at 800 pixels an inch
_MOST_PAGES = 1000


def extract_image(data: bytes) -> Extracted:
    """Read the text in a picture, or in the pictures of a TIFF.

    Raises:
        PictureError: this process may not recognise text.
        IngestError: no picture, one with more pixels than is safe, or no text in it.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=_KINDS)
        pages = getattr(image, "n_frames", 1)
    except Image.DecompressionBombError as error:
        raise IngestError("has more pixels than is safe to read") from error
    if pages > _MOST_PAGES:
        raise IngestError(f"holds more than {_MOST_PAGES:,} pictures; split it")
    if not is_allowed():
        raise PictureError(f"a picture; {HOW}", pages)
    composer = Composer()
    for frame in ImageSequence.Iterator(image):
        composer.page()
        if frame.width * frame.height > _MOST_PIXELS:
            raise IngestError("has more pixels than is safe to read")
        for line in recognised_lines(_pixels(frame), points=1.0):
            composer.line(line.text)
    return composer.extracted()


def _pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return rows of pixels, each blue, green and red, of the picture as it is shown."""
    scale = math.sqrt(MOST_PIXELS / max(1, image.width * image.height))
    if scale < 1:
        size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
        image = image.convert("RGB" if image.mode == "CMYK" else "RGBA").resize(size)
    turned = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", turned.size, "white")
    shown = Image.alpha_composite(white, turned).convert("RGB")
    return np.asarray(shown)[:, :, ::-1]
