"""PDF to text, page by page, with pypdf."""

from __future__ import annotations

import io
import logging

from ingest.errors import IngestError

PAGE_BREAK = "\n"


def pdf_text(raw: bytes) -> tuple[str, tuple[int, ...]]:
    """The text of all pages, joined by line ends, and where each page starts in it.

    Words that are broken at a line's end stay as they stand.

    Raises:
        IngestError: it is encrypted, damaged, or holds no text.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(raw), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise IngestError("encrypted; remove its password first")
        count = len(reader.pages)
    except DependencyError as error:
        raise IngestError("encrypted; remove its password first") from error
    except PyPdfError as error:
        raise IngestError(f"not a whole PDF: {error}") from error
    pages: list[str] = []
    for number in range(count):
        try:
            pages.append(reader.pages[number].extract_text())
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # pypdf's parsers raise almost anything on a broken page
            raise IngestError(
                f"page {number + 1} of {count} is damaged ({type(error).__name__}: {error})"
            ) from error
    if not any(page.strip() for page in pages):
        raise IngestError("no text in it: a scan? run OCR over it first")
    starts, at = [], 0
    for page in pages:
        starts.append(at)
        at += len(page) + len(PAGE_BREAK)
    return PAGE_BREAK.join(pages), tuple(starts)
