"""A marked copy of a PDF: the mark lies over the words, in whatever way the page is turned."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pypdf
import pypdfium2
import pytest

from docqa.ingest.document import LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.load import load
from docqa.ingest.places import boxes, highlighted
from tests.pdfs import by_hand, drawn, written

WORDS = "is due in May."


def drawn_page(data: bytes, page: int = 0) -> np.ndarray:
    """A page's pixels at 2 a point, as viewers show it."""
    document = pypdfium2.PdfDocument(data)
    return np.asarray(document[page].render(scale=2).to_numpy()[..., :3], int)


def turned(rotation: int, crop: tuple[int, int, int, int] | None = None) -> bytes:
    writer = pypdf.PdfWriter(
        clone_from=io.BytesIO(drawn(written("The rent", "The rent is due in May.")))
    )
    page = writer.pages[0]
    if crop is not None:
        page.cropbox = pypdf.generic.RectangleObject(crop)
    page.rotate(rotation)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (30, 500, 500, 830)])
def test_the_mark_lies_over_the_words_and_nowhere_else(
    tmp_path: Path, rotation: int, crop: tuple[int, int, int, int] | None
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(turned(rotation, crop))
    document = load(str(path), LoadLimits())
    start = document.text.index(WORDS)
    found = boxes(str(path), start, start + len(WORDS))
    assert found
    copy = highlighted(str(path), found, "When is it due?")
    before, after = drawn_page(path.read_bytes()), drawn_page(copy)
    changed = np.abs(before - after).max(axis=2) > 30
    inside = np.zeros_like(changed)
    for box in found:
        rows = slice(round(2 * box.top) - 1, round(2 * box.bottom) + 2)
        inside[rows, round(2 * box.left) - 1 : round(2 * box.right) + 2] = True
    assert not (changed & ~inside).any(), "nothing beside the words is marked"
    assert changed[inside].mean() > 0.6, "the ground of the words is"
    black = before.max(axis=2) < 60
    assert (after[black & inside].max(axis=1) < 90).all(), "the words stay black"


def test_the_copy_begins_with_the_document_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(drawn(written("one"), written("The rent is due in May.")))
    text = load(str(path), LoadLimits()).text
    start = text.index(WORDS)
    copy = highlighted(str(path), boxes(str(path), start, start + 10), "Wann? Ünï")
    assert copy.startswith(path.read_bytes())
    pages = pypdf.PdfReader(io.BytesIO(copy)).pages
    assert "/Annots" not in pages[0]
    [mark] = pages[1]["/Annots"]  # type: ignore[misc]
    mark = mark.get_object()
    assert (mark["/Subtype"], mark["/Contents"]) == ("/Highlight", "Wann? Ünï")
    assert len(mark["/QuadPoints"]) == 8


def test_an_encrypted_document_is_marked_too(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(drawn(written("The rent is due in May."))))
    writer.encrypt("", "owner", algorithm="AES-256")
    path = tmp_path / "a.pdf"
    writer.write(str(path))
    copy = highlighted(str(path), boxes(str(path), 0, 8), "?")
    assert pypdf.PdfReader(io.BytesIO(copy)).pages[0]["/Annots"]
    assert (drawn_page(copy) != drawn_page(path.read_bytes())).any()


def test_what_can_t_be_marked_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(IngestError, match="no pages"):
        highlighted(str(tmp_path / "a.txt"), [], "?")
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.4 nothing")
    with pytest.raises(IngestError):
        highlighted(str(path), [], "?")


def test_a_document_without_a_table_of_its_objects_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(by_hand(b"BT /F1 11 Tf 60 700 Td (The rent is due) Tj ET"))
    copy = highlighted(str(path), boxes(str(path), 0, 8), "?")
    assert (drawn_page(copy) != drawn_page(path.read_bytes())).any()
