"""PDF: the text of each page as a reader sees it, and where each page starts.

pdfium places the glyphs; pypdf reads the pages that pdfium can't, and knows what locks a file.
A page that can't be read costs that page. Pages that are pictures are recognised where this process
may do so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from docqa.ingest.errors import IngestError, PictureError
from docqa.ingest.formats import Extracted, recognition
from docqa.ingest.formats.hyphens import soften
from docqa.ingest.formats.pdf.bombs import unpacks_too_far
from docqa.ingest.formats.pdf.by_pdfium import PdfiumDocument, opened
from docqa.ingest.formats.pdf.by_pypdf import PypdfDocument
from docqa.ingest.formats.pdf.glyphs import PageGlyphs, UnreadablePageError
from docqa.ingest.formats.pdf.layout import page_lines
from docqa.ingest.formats.pdf.line import Line
from docqa.ingest.formats.pdf.recognised import recognised_lines
from docqa.ingest.formats.pdf.running import without_running
from docqa.ingest.formats.pdf.structure import (
    Bookmark,
    outline_of_bookmarks,
    outline_of_sizes,
    title_of,
)
from docqa.ingest.formats.recognition import HOW

_A4_HEIGHT = 842.0
# What makes a page a picture: most of it is one, and its few words stand at the edge.
_MOST_OF_IT = 0.6
_EDGE = 0.12
_MOST_STAMPED = 160


@dataclass(slots=True)
class _Read:
    """What was found out about a file's pages.

    Attributes:
        lines: of each page.
        heights: of the pages, in points.
        unreadable: why a page can't be read, by its number from 1.
        pictures: numbers of the pages that are pictures without text.
        stamped: numbers of the pages that are pictures with a few words at their edge.
        undecoded: numbers of the pages whose fonts don't say their letters.
        title: that the file says.
        bookmarks: the file's own outline.
    """

    lines: list[list[Line]] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)
    pictures: list[int] = field(default_factory=list)
    stamped: list[int] = field(default_factory=list)
    undecoded: list[int] = field(default_factory=list)
    title: str = ""
    bookmarks: list[Bookmark] = field(default_factory=list)


def extract_pdf(data: bytes) -> Extracted:
    """Take the text out of a PDF, page by page, joined with line ends.

    Raises:
        IngestError: encrypted, damaged, or without text on any page.
    """
    if unpacks_too_far(data):
        read = _read_by_pypdf(PypdfDocument(data))
    else:
        with opened(data) as document:
            if document is None or document.pages < 1:
                read = _read_by_pypdf(PypdfDocument(data))
            else:
                read = _read_by_pdfium(document, data)
    if not any(line.text.strip() for lines in read.lines for line in lines):
        raise _no_text(read)
    pages = without_running(read.lines, read.heights)
    text, page_starts, line_starts = _joined(pages)
    text = soften(text)
    outline = outline_of_bookmarks(read.bookmarks, text, page_starts)
    first = next((lines for lines in read.lines if lines), [])
    return Extracted(
        text,
        tuple(page_starts),
        title_of(read.title, first),
        outline or outline_of_sizes(pages, line_starts),
        tuple(_gaps(read)),
        pictures=len(read.pictures) + len(read.stamped) + len(read.undecoded),
    )


def _read_by_pdfium(document: PdfiumDocument, data: bytes) -> _Read:
    read = _Read(title=document.title(), bookmarks=document.bookmarks())
    other = cache(lambda: PypdfDocument(data))
    for number in range(document.pages):
        try:
            page = document.glyphs(number, lambda number: other().letters(number))
        except UnreadablePageError as error:
            _read_page_by_pypdf(other(), number, read, str(error))
            continue
        if page.is_blank:
            # Perhaps its font or its content is damaged: pypdf goes on where pdfium gives up.
            _read_page_by_pypdf(other(), number, read, None)
            continue
        lines = page_lines(page.glyphs, page.tables)
        known = sum(not glyph.text.isspace() for glyph in page.glyphs if glyph.known)
        is_undecoded = (page.unknown > 20 and page.unknown > known) or (page.unknown and not known)
        is_stamped = not is_undecoded and _is_stamped(lines, page)
        if is_undecoded or is_stamped or (not lines and page.pictures):
            recognised = _recognised(document, number, page) if recognition.is_allowed() else []
            if not recognised:
                kind = read.stamped if is_stamped else read.pictures
                (read.undecoded if is_undecoded else kind).append(number + 1)
            lines = recognised or (lines if is_stamped else [])
        for line in lines:
            line.glyphs = []  # those of all pages would take too much memory
        read.lines.append(lines)
        read.heights.append(page.height)
    return read


def _is_stamped(lines: list[Line], page: PageGlyphs) -> bool:
    """Tell whether a page is a picture with no more text than a number or a mark at its edge."""
    edge = _EDGE * page.height
    return (
        page.covered >= _MOST_OF_IT
        and bool(lines)
        and all(not edge < line.base < page.height - edge for line in lines)
        and sum(len(line.text) for line in lines) <= _MOST_STAMPED
    )


def _recognised(document: PdfiumDocument, number: int, page: PageGlyphs) -> list[Line]:
    """Return the lines that text recognition finds on a page."""
    width = recognition.fitting_width(page.width, page.height)
    pixels = document.draw(number, width, recognition.MOST_PIXELS)
    return recognised_lines(pixels, page.width / pixels.shape[1])


def _read_by_pypdf(document: PypdfDocument) -> _Read:
    read = _Read()
    for number in range(document.pages):
        _read_page_by_pypdf(document, number, read, None)
    return read


def _read_page_by_pypdf(
    document: PypdfDocument, number: int, read: _Read, reason: str | None
) -> None:
    """Read a page without the places of its lines: they stand where the page's middle is."""
    middle = _A4_HEIGHT / 2
    lines: list[Line] = []
    try:
        if number >= document.pages:
            raise UnreadablePageError(reason or "it is missing")
        texts = document.text(number).splitlines()
        lines = [
            Line(unicodedata.normalize("NFC", text), 0.0, 1.0, middle, 10.0)
            for text in texts
            if text.strip()
        ]
        if not lines and (reason is not None or document.is_damaged(number)):
            raise UnreadablePageError(reason or "it is damaged")
    except UnreadablePageError as error:
        read.unreadable[number + 1] = str(error)
    read.lines.append(lines)
    read.heights.append(_A4_HEIGHT)


def _joined(pages: Sequence[Sequence[Line]]) -> tuple[str, list[int], list[list[int]]]:
    """Return the text, where its pages start, and where the lines of each page start.

    A page without lines takes no part: an empty page amid a sentence is no end of it.
    """
    parts: list[str] = []
    page_starts: list[int] = []
    line_starts: list[list[int]] = []
    start = 0
    for lines in pages:
        page_starts.append(start)
        starts = []
        for line in lines:
            starts.append(start)
            parts += [line.text, "\n"]
            start += len(line.text) + 1
        line_starts.append(starts)
    text = "".join(parts)[:-1]
    return text, [min(page, len(text)) for page in page_starts], line_starts


def _no_text(read: _Read) -> IngestError:
    pages = len(read.pictures) + len(read.undecoded)
    if read.unreadable:
        number, reason = next(iter(read.unreadable.items()))
        why = f"no text in it: page {number} of {len(read.lines)} can't be read: {reason}"
    elif recognition.is_allowed():
        why = "no text in it, and none was recognised in its pictures"
    elif read.undecoded:
        why = f"its letters can't be told: its fonts don't say which they are; {HOW}"
    else:
        why = f"no text in it: a scan? {HOW}"
    return PictureError(why, pages) if pages else IngestError(why)


def _gaps(read: _Read) -> list[str]:
    """Say which pages are not in the text, and why."""
    gaps = []
    reasons: dict[str, list[int]] = {}
    for number, reason in read.unreadable.items():
        reasons.setdefault(reason, []).append(number)
    for reason, numbers in reasons.items():
        gaps.append(f"{_pages(numbers)} can't be read: {reason}".replace(": it is", _are(numbers)))
    if read.pictures:
        are = "is a picture" if len(read.pictures) == 1 else "are pictures"
        gaps.append(f"{_pages(read.pictures)} {are} without text{_how()}")
    if read.stamped:
        are = "is a picture" if len(read.stamped) == 1 else "are pictures"
        gaps.append(f"{_pages(read.stamped)} {are} without text but that at the edge{_how()}")
    if read.undecoded:
        gaps.append(
            f"the letters of {_pages(read.undecoded)} can't be told: "
            f"the fonts don't say which they are{_how()}"
        )
    return gaps


def _how() -> str:
    return ", none was recognised either" if recognition.is_allowed() else f"; {HOW}"


def _are(numbers: list[int]) -> str:
    return ": it is" if len(numbers) == 1 else ": they are"


def _pages(numbers: list[int]) -> str:
    """Return ``page 3``, ``pages 3 and 7``, ``pages 1 to 4, 9 and 12``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = []
    for run in runs:
        if len(run) > 2:
            parts.append(f"{run[0]} to {run[-1]}")
        else:
            parts += map(str, run)
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"page {listed}" if len(numbers) == 1 else f"pages {listed}"
