"""A copy of a PDF with stretches marked, as a reader marks them with a pen.

The marks are highlight annotations of the standard (ISO 32000-1, 12.5.6.10) with an appearance of
their own, so that each viewer shows them and none has to make one up.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pypdf
from pypdf.annotations import Highlight
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from docqa.ingest.box import Box
from docqa.ingest.errors import IngestError
from docqa.ingest.formats.pdf.bombs import unpacks_too_far
from docqa.ingest.formats.pdf.by_pypdf import unlock

_log = logging.getLogger(__name__)
_COLOUR = (1.0, 0.85, 0.2)
_Point = tuple[float, float]


def highlighted(data: bytes, boxes: Sequence[Box], note: str) -> bytes:
    """Return a PDF with boxes marked; what it held stays as it was, byte for byte.

    Only an encrypted one is written anew, without its encryption, and a damaged one, mended.

    Args:
        data: the file's bytes.
        boxes: on its pages, as they are shown.
        note: what the marks say when they are pointed at.

    Raises:
        IngestError: it has no such page, or can't be written.
    """
    if unpacks_too_far(data):
        raise IngestError("it can't be marked: it unpacks to more than is safe")
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        unlock(reader)
        if not reader.is_encrypted:
            try:
                return _marked(pypdf.PdfWriter(io.BytesIO(data), incremental=True), boxes, note)
            except (MemoryError, IngestError):
                raise
            except Exception as error:  # pypdf's own; damaged files raise anything
                _log.debug("marks can't be added, so the file is written anew: %s", error)
        if "/Size" not in reader.trailer:  # pypdf copies no file without
            numbers = [number for entries in reader.xref.values() for number in entries]
            reader.trailer[NameObject("/Size")] = NumberObject(max(numbers, default=0) + 1)
        return _marked(pypdf.PdfWriter(clone_from=reader), boxes, note)
    except PyPdfError as error:
        raise IngestError(f"it can't be marked: damaged ({error})") from error


def _marked(writer: pypdf.PdfWriter, boxes: Sequence[Box], note: str) -> bytes:
    pages = sorted(boxes, key=lambda box: box.page)
    for page, on_page in groupby(pages, key=lambda box: box.page):
        if page > len(writer.pages):
            raise IngestError(f"it has no page {page}")
        _mark(writer, page - 1, list(on_page), note)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _mark(writer: pypdf.PdfWriter, number: int, boxes: list[Box], note: str) -> None:
    page = writer.pages[number]
    quads = [[_in_page(page, *corner) for corner in _corners(box)] for box in boxes]
    xs = [x for quad in quads for x, _ in quad]
    ys = [y for quad in quads for _, y in quad]
    rect = (min(xs), min(ys), max(xs), max(ys))
    numbers = ArrayObject(FloatObject(n) for quad in quads for point in quad for n in point)
    mark = Highlight(
        rect=rect,
        quad_points=numbers,
        highlight_color="".join(f"{round(255 * part):02x}" for part in _COLOUR),
        printing=True,
    )
    mark[NameObject("/Contents")] = TextStringObject(note)
    mark[NameObject("/T")] = TextStringObject("docqa")
    appearance = writer._add_object(_appearance(quads, rect))
    mark[NameObject("/AP")] = DictionaryObject({NameObject("/N"): appearance})
    writer.add_annotation(number, mark)


def _corners(box: Box) -> list[_Point]:
    """Return a box's corners in the order in which viewers expect them."""
    return [
        (box.left, box.top),
        (box.right, box.top),
        (box.left, box.bottom),
        (box.right, box.bottom),
    ]


def _in_page(page: Any, x: float, y: float) -> _Point:
    """Return a point of the page as shown (from its top left, down) in the page's own space."""
    media, crop = page.mediabox, page.cropbox
    left, right = max(media.left, crop.left), min(media.right, crop.right)
    bottom, top = max(media.bottom, crop.bottom), min(media.top, crop.top)
    match page.rotation % 360:
        case 90:
            return float(left) + y, float(bottom) + x
        case 180:
            return float(right) - x, float(bottom) + y
        case 270:
            return float(right) - y, float(top) - x
        case _:
            return float(left) + x, float(top) - y


def _appearance(quads: list[list[_Point]], rect: tuple[float, ...]) -> DecodedStreamObject:
    """Return the drawing of marks; multiplied with what is below, so that words stay black."""
    drawing = ["/G gs", "{} {} {} rg".format(*_COLOUR)]
    for top_left, top_right, bottom_left, bottom_right in quads:
        corners = [top_left, top_right, bottom_right, bottom_left]
        path = " l ".join(f"{x:.3f} {y:.3f}" for x, y in corners).replace(" l ", " m ", 1)
        drawing.append(f"{path} l h f")
    stream = DecodedStreamObject()
    stream.set_data("\n".join(drawing).encode())
    blending = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/ExtGState"),
            NameObject("/BM"): NameObject("/Multiply"),
        }
    )
    states = DictionaryObject({NameObject("/G"): blending})
    group = {"/Type": NameObject("/Group"), "/S": NameObject("/Transparency")}
    stream.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject(map(FloatObject, rect)),
            NameObject("/Group"): DictionaryObject(
                {NameObject(name): value for name, value in group.items()}
            ),
            NameObject("/Resources"): DictionaryObject({NameObject("/ExtGState"): states}),
        }
    )
    return stream
