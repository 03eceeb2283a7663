"""A PDF as pypdf reads it: what locks a file, and the text of pages that pdfium can't open."""

from __future__ import annotations

import io
import logging

import pypdf
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from docqa.ingest.errors import IngestError
from docqa.ingest.formats.ligatures import without_ligatures
from docqa.ingest.formats.pdf.fonts import Letters, letters_by_font
from docqa.ingest.formats.pdf.glyphs import UnreadablePageError

# pypdf warns about every oddity that it could read nonetheless.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


class PypdfDocument:
    """An open PDF.

    Raises:
        IngestError: it is locked, damaged or has no pages.

    Attributes:
        pages: how many pages it has.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self._reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
            unlock(self._reader)
            self.pages = len(self._reader.pages)
        except PyPdfError as error:
            raise IngestError(f"not a whole PDF, damaged or cut short ({error})") from error
        if self.pages == 0:
            raise IngestError("no pages in it: damaged or cut short")

    def text(self, number: int) -> str:
        """Return the text of a page, counted from 0.

        Raises:
            UnreadablePageError: the page can't be read; says why.
        """
        try:
            return without_ligatures(self._reader.pages[number].extract_text())
        except MemoryError:
            raise
        except LimitReachedError as error:
            raise UnreadablePageError("it is larger than is safe to read") from error
        except Exception as error:  # a library's own; damaged pages raise anything
            raise UnreadablePageError("it is damaged") from error

    def is_damaged(self, number: int) -> bool:
        """Tell whether a page that shows nothing has contents that can't be read."""
        try:
            page = self._reader.pages[number]
            contents = page.get("/Contents")
            content = page.get_contents()
            if contents is None or content is None:
                return not isinstance(page.get("/Type"), str)
            packed = contents.get_object()
            parts = packed if isinstance(packed, list) else [packed]
            size = sum(len(part.get_object()._data) for part in parts)
            return size > 0 and not content.get_data()
        except MemoryError:
            raise
        except Exception:  # a library's own; damaged pages raise anything
            return True

    def letters(self, number: int) -> Letters:
        """Return the letters of a page's fonts that don't say them, as far as the fonts tell."""
        try:
            return letters_by_font(self._reader.pages[number])
        except MemoryError:
            raise
        except Exception:  # a damaged page has no letters to give; it is reported as unreadable
            return {}


def unlock(reader: pypdf.PdfReader) -> None:
    """Open files with an empty password, which only forbids to print or to copy."""
    if not reader.is_encrypted:
        return
    try:
        unlocked = reader.decrypt("")
    except DependencyError as error:
        raise IngestError('encrypted with AES; to read it, pip install "pypdf[crypto]"') from error
    if not unlocked:
        raise IngestError("encrypted; remove the password first")
