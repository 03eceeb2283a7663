"""PDF: the text of each page as pypdf finds it, and where each page starts.

Hyphens at line ends stay: whether one belongs to the word can't be known from the page. There is
no OCR.
"""

from __future__ import annotations

import io
import logging
import re
from contextlib import suppress

import pypdf
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, NumberObject

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted

# pypdf warns about every oddity that it could read nonetheless.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

# Two letters printed as one; nobody would find "ﬁnal" by asking for "final".
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)

# In a font's map from codes to Unicode a line ends with what its codes stand for; this is one that
# ends with a blank.
_TO_BLANK = re.compile(rb">[ \t]*\[?[ \t]*<0020>[ \t]*\]?[ \t]*[\r\n]")
_NO_WIDTH = [NumberObject(0x20), ArrayObject([NumberObject(0)])]


def extract_pdf(data: bytes) -> Extracted:
    """Take the text out of a PDF, page by page, joined with line ends.

    Raises:
        IngestError: encrypted, damaged, without text, or with a page that can't be read.
    """
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        _unlock(reader)
        pages = _page_texts(reader)
    except PyPdfError as error:
        raise IngestError(f"not a whole PDF, damaged or cut short ({error})") from error
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
            page = reader.pages[number - 1]
            _unglue(page)
            texts.append(page.extract_text().translate(_LIGATURES))
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


def _unglue(page: pypdf.PageObject) -> None:
    """Keep pypdf from taking another glyph's width for the blank's, which glues words together.

    TeX sets blanks as gaps, so its fonts hold none. For such a font pypdf measures gaps against
    glyph 32, which in a font with two-byte codes is any glyph (py-pdf/pypdf issue 3978). If that
    one has no width, it takes its default: a gap of a tenth of the font's size is a blank.
    """
    # Fonts that are damaged are left to pypdf, which often reads the page nonetheless.
    with suppress(PyPdfError, AttributeError, LookupError, TypeError, ValueError):
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            _unglue_font(font.get_object())


def _unglue_font(font: DictionaryObject) -> None:
    if not str(font.get("/Encoding")).startswith("/Identity") or _has_blank(font):
        return
    for descendant in font["/DescendantFonts"]:  # type: ignore[attr-defined]
        widths = descendant.get_object()["/W"]
        if widths[-2:] != _NO_WIDTH:  # fonts are shared by pages
            widths.extend(_NO_WIDTH)  # of several entries for a glyph the last one counts


def _has_blank(font: DictionaryObject) -> bool:
    if "/ToUnicode" not in font:
        return False
    return _TO_BLANK.search(font["/ToUnicode"].get_data()) is not None  # type: ignore[attr-defined]
