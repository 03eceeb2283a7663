"""PDFs made on the spot: drawn with ReportLab, or written by hand."""

from __future__ import annotations

import io
from collections.abc import Callable

import pypdf
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)
from reportlab.pdfgen.canvas import Canvas


def drawn(*pages: Callable[[Canvas], None], **settings: object) -> bytes:
    """A PDF, each page drawn by a function."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842), invariant=True, **settings)
    for page in pages:
        page(canvas)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def written(*lines: str, x: float = 60, y: float = 780, size: float = 11) -> Callable[..., None]:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", size)
        for number, line in enumerate(lines):
            canvas.drawString(x, y - 1.3 * size * number, line)

    return draw


def by_hand(content: bytes, resources: bytes = b"", more: bytes = b"", page: bytes = b"") -> bytes:
    """A PDF of one page; ``more`` are objects from number 6 on, whole."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R %b "
        b"/Resources << /Font << /F1 5 0 R >> %b >> >>" % (page, resources),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    bodies = b"".join(b"%d 0 obj\n%b\nendobj\n" % item for item in enumerate(objects, start=1))
    return b"%PDF-1.5\n" + bodies + more + b"trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"


def with_note(data: bytes, subtype: str, contents: str, drawing: bytes = b"") -> bytes:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(data)))
    note = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject(subtype),
            NameObject("/Contents"): TextStringObject(contents),
            NameObject("/F"): NumberObject(4),
            NameObject("/Rect"): ArrayObject(map(FloatObject, (60, 640, 300, 660))),
        }
    )
    if drawing:
        stream = DecodedStreamObject()
        stream.set_data(drawing)
        font = writer.pages[0]["/Resources"]["/Font"]  # type: ignore[index]
        stream.update(
            {
                NameObject("/Type"): NameObject("/XObject"),
                NameObject("/Subtype"): NameObject("/Form"),
                NameObject("/BBox"): ArrayObject(map(FloatObject, (0, 0, 240, 20))),
                NameObject("/Resources"): DictionaryObject({NameObject("/Font"): font}),
            }
        )
        note[NameObject("/AP")] = DictionaryObject({NameObject("/N"): writer._add_object(stream)})
    writer.add_annotation(0, note)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()
