"""A PDF as pdfium reads it: opened and closed, its glyphs page by page, its bookmarks and title."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2.raw as pdfium

from docqa.ingest.formats.pdf.fonts import Letters
from docqa.ingest.formats.pdf.glyphs import PageGlyphs, UnreadablePageError, page_glyphs
from docqa.ingest.formats.pdf.mended import mended
from docqa.ingest.formats.pdf.picture import Pixels, draw_page
from docqa.ingest.formats.pdf.structure import Bookmark

_MOST_BOOKMARKS = 5000
_DEEPEST = 20
_ready = False


class PdfiumDocument:
    """An open PDF.

    Attributes:
        pages: how many pages it has.
    """

    def __init__(self, document: Any, form: Any) -> None:
        self._document = document
        self._form = form
        self.pages: int = pdfium.FPDF_GetPageCount(document)

    def glyphs(self, number: int, letters: Callable[[int], Letters]) -> PageGlyphs:
        """Read the glyphs of a page.

        Args:
            number: of the page, from 0.
            letters: finds out the letters of the fonts of a page that don't say them.

        Raises:
            UnreadablePageError: it can't be read.
        """
        return page_glyphs(self._document, self._form, number, lambda: letters(number))

    def size(self, number: int) -> tuple[float, float]:
        """Return width and height of a page as it is shown, in points.

        Args:
            number: of the page, from 0.

        Raises:
            UnreadablePageError: it can't be opened.
        """
        with self._page(number) as page:
            return pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)

    def draw(self, number: int, width: int, most_pixels: int) -> Pixels:
        """Draw a page with the notes and the form fields on it.

        Args:
            number: of the page, from 0.
            width: in pixels; less where the picture would have too many.
            most_pixels: what the picture may have.

        Raises:
            UnreadablePageError: the page can't be opened.
        """
        with self._page(number) as page:
            return draw_page(page, self._form, width, most_pixels)

    @contextmanager
    def _page(self, number: int) -> Iterator[Any]:
        page = pdfium.FPDF_LoadPage(self._document, number)
        if not page:
            raise UnreadablePageError("it is damaged")
        try:
            yield page
        finally:
            pdfium.FPDF_ClosePage(page)

    def title(self) -> str:
        """Return the title in the file's own data; empty where there is none."""
        size = pdfium.FPDF_GetMetaText(self._document, b"Title", None, 0)
        return _utf16(
            size, lambda buffer: pdfium.FPDF_GetMetaText(self._document, b"Title", buffer, size)
        )

    def bookmarks(self) -> list[Bookmark]:
        """Return the file's own outline, in its order; what loops is cut off."""
        found: list[Bookmark] = []
        seen: set[int | None] = set()
        waiting = [(pdfium.FPDFBookmark_GetFirstChild(self._document, None), 1)]
        while waiting and len(found) < _MOST_BOOKMARKS:
            mark, level = waiting.pop()
            address = ctypes.cast(mark, ctypes.c_void_p).value if mark else None
            if address is None or address in seen:
                continue
            seen.add(address)
            found.append(Bookmark(_bookmark_text(mark), level, self._page_of(mark)))
            waiting.append((pdfium.FPDFBookmark_GetNextSibling(self._document, mark), level))
            if level < _DEEPEST:
                waiting.append((pdfium.FPDFBookmark_GetFirstChild(self._document, mark), level + 1))
        return [mark for mark in found if mark.page >= 0]

    def _page_of(self, mark: Any) -> int:
        place = pdfium.FPDFBookmark_GetDest(self._document, mark)
        if not place:
            action = pdfium.FPDFBookmark_GetAction(mark)
            if action:
                place = pdfium.FPDFAction_GetDest(self._document, action)
        return int(pdfium.FPDFDest_GetDestPageIndex(self._document, place)) if place else -1


@contextmanager
def opened(data: bytes) -> Iterator[PdfiumDocument | None]:
    """Open a PDF; None where pdfium can't."""
    global _ready
    if not _ready:
        pdfium.FPDF_InitLibrary()
        _ready = True
    data = mended(data)
    document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if not document:
        yield None
        return
    settings = pdfium.FPDF_FORMFILLINFO(version=2)
    form = pdfium.FPDFDOC_InitFormFillEnvironment(document, settings)
    try:
        yield PdfiumDocument(document, form)
    finally:
        pdfium.FPDFDOC_ExitFormFillEnvironment(form)
        pdfium.FPDF_CloseDocument(document)


def _bookmark_text(mark: Any) -> str:
    size = pdfium.FPDFBookmark_GetTitle(mark, None, 0)
    return _utf16(size, lambda buffer: pdfium.FPDFBookmark_GetTitle(mark, buffer, size))


def _utf16(size: int, fill: Any) -> str:
    if not 2 < size <= 1 << 16:
        return ""
    buffer = ctypes.create_string_buffer(size)
    fill(buffer)
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")
