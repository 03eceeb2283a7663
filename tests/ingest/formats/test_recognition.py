"""Text recognition: words in pictures, where it is installed; what is said where it is not."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from docqa.ingest import formats
from docqa.ingest.document import Document, Failure
from docqa.ingest.errors import IngestError, PictureError
from docqa.ingest.formats import extract, recognition
from docqa.ingest.workers.pool import LoaderPool

needs_recognition = pytest.mark.skipif(
    not recognition.is_installed(), reason="text recognition (docqa[ocr]) is not installed"
)
pytest.importorskip("PIL")

from PIL import Image, ImageDraw, ImageFont  # noqa: E402

LEFT = (
    "The lease ends on the last day",
    "of May, and the rent of 950",
    "euros is due each month. The",
    "tenant pays for water and for",
    "heating. The landlord mends",
    "the roof and the windows if",
    "they leak. Repairs begin in a",
    "week after they were called",
    "for in writing by the tenant.",
)
RIGHT = (
    "Dogs may live in the house if",
    "they are quiet at night. Cats",
    "are not allowed, and neither",
    "are birds. Bicycles stand in",
    "the yard and not in the hall,",
    "where people need to pass. No",
    "one may paint the walls black",
    "or red. Nails are allowed in",
    "rooms that have no tiles yet.",
)


def picture(width: int = 1000) -> Image.Image:
    """A page of two columns."""
    image = Image.new("RGB", (width, 560), "white")
    draw = ImageDraw.Draw(image)
    for column, lines in enumerate((LEFT, RIGHT)):
        for row, line in enumerate(lines):
            place = (30 + 520 * column, 40 + 56 * row)
            draw.text(place, line, fill="black", font=ImageFont.load_default(30))
    return image


def as_bytes(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def read(path: Path, data: bytes) -> Document | Failure:
    path.write_bytes(data)
    with LoaderPool(workers=1) as pool:
        (result,) = pool.load_many([str(path)])
    return result


@needs_recognition
def test_words_in_pictures_are_read_column_by_column(tmp_path: Path) -> None:
    result = read(tmp_path / "a.png", as_bytes(picture(), "PNG"))
    assert isinstance(result, Document)
    assert result.text.splitlines() == [*LEFT, *RIGHT]
    assert (result.page_starts, result.pictures) == ((0,), 0)


@needs_recognition
def test_scanned_pages_among_others_are_read(tmp_path: Path) -> None:
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.drawString(72, 700, "Minutes of the meeting.")
    canvas.showPage()
    canvas.drawImage(ImageReader(picture()), 50, 400, 500, 280)
    canvas.showPage()
    canvas.rect(100, 100, 200, 200, fill=1)
    canvas.save()
    result = read(tmp_path / "a.pdf", file.getvalue())
    assert isinstance(result, Document)
    assert result.page_at(result.text.index("the rent of 950")) == (2, result.page_starts[1])
    assert result.gaps == ("page 3 is a picture without text, none was recognised either",)


def test_pictures_are_left_for_a_process_that_may_recognise() -> None:
    with pytest.raises(PictureError, match=r"docqa-verbatim\[ocr\]") as caught:
        extract("image", as_bytes(picture(), "PNG"))
    assert caught.value.pages == 1


@pytest.mark.parametrize("data", [b"", b"no picture", as_bytes(Image.new("RGB", (9, 9)), "GIF")])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(IngestError):
        extract("image", data)


def test_pictures_of_too_many_pixels_are_refused() -> None:
    huge = as_bytes(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(IngestError, match="more pixels than is safe"):
        extract("image", huge)


@pytest.mark.parametrize("installed", [True, False])
def test_pictures_count_as_readable_where_they_are(
    monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    monkeypatch.setattr(recognition, "is_installed", lambda: installed)
    assert formats.is_supported("a.PNG") is installed
    assert formats.is_supported("a.txt")
