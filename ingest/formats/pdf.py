"""PDF: the text of each page as pypdf finds it, and where each page starts.

Hyphens at line ends stay: whether one belongs to the word can't be known from the page. There is
no OCR.
"""

from __future__ import annotations

import io
import logging

import pypdf
from pypdf.errors import DependencyError, LimitReachedError

from ingest.errors import IngestError
from ingest.formats import Extracted

# pypdf warns about every oddity that it could read nonetheless.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

# Two letters printed as one; nobody would find "ﬁnal" by asking for "final".
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)


def extract_pdf(data: bytes) -> Extracted:
    """Take the text out of a PDF, page by page, joined with line ends.

    Raises:
        IngestError: encrypted, damaged, without text, or with a page that can't be read.
    """
    reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
    _unlock(reader)
    pages = _page_texts(reader)
    if not any(page and not page.isspace() for page in pages):
        raise IngestError("no text in it: a scan? run OCR first")
    starts = []
    start = 0
    for page in pages:
        starts.append(start)
        start += len(page) + 1
    return Extracted("\n".join(pages), tuple(starts))


def _unlock(reader: pypdf.PdfReader) -> None:
    """Many encrypted files open with an empty password: they only forbid to print or to copy."""
    if not reader.is_encrypted:
        return
    try:
        unlocked = reader.decrypt("")
    except DependencyError as error:
        raise IngestError('encrypted with AES; to read it, pip install "pypdf[crypto]"') from error
    if not unlocked:
        raise IngestError("encrypted; remove the password first")


def _page_texts(reader: pypdf.PdfReader) -> list[str]:
    count = len(reader.pages)
    if count == 0:
        raise IngestError("no pages in it: damaged or cut short")
    texts = []
    for number in range(1, count + 1):
        try:
            texts.append(reader.pages[number - 1].extract_text().translate(_LIGATURES))
        except MemoryError:
            raise
        except LimitReachedError as error:
            raise IngestError(f"page {number} of {count} is larger than is safe to read") from error
        except Exception as error:
            # A page that is left out would be an answer that is never found, and nobody would
            # know why.
            raise IngestError(
                f"page {number} of {count} can't be read ({type(error).__name__}: {error}); "
                "the file may be damaged"
            ) from error
    return texts
