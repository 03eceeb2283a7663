"""Where the characters of a PDF's text stand on its pages, and what the pages look like.

A page is read anew as :mod:`docqa.ingest.formats.pdf` read it, and each character of its text is
followed back to its glyph. What can't be placed is a page that pdfium gives up and pypdf reads.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from docqa.ingest.box import Box
from docqa.ingest.errors import IngestError
from docqa.ingest.formats.pdf.bombs import unpacks_too_far
from docqa.ingest.formats.pdf.by_pdfium import PdfiumDocument, opened
from docqa.ingest.formats.pdf.by_pypdf import PypdfDocument
from docqa.ingest.formats.pdf.glyph import Glyph
from docqa.ingest.formats.pdf.glyphs import UnreadablePageError
from docqa.ingest.formats.pdf.layout import page_lines
from docqa.ingest.formats.pdf.line import Line
from docqa.ingest.formats.pdf.picture import png
from docqa.ingest.formats.pdf.running import lines_left

CHANGED = "changed since it was indexed; index it again"
# A page of A4 has them at 230 pixels an inch.
_MOST_PIXELS = 5_000_000
# How far a box reaches from its base line, in the size of the type.
_REACH = (0.78, 0.24)
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2212\u00ad", "-"))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a page's text.

    Attributes:
        page: its number, from 1.
        text: of the whole page, as the document has it.
        start, end: of the stretch in the page's text, in code points.
    """

    page: int
    text: str
    start: int
    end: int


def boxes_of(data: bytes, stretches: Sequence[Stretch]) -> list[Box]:
    """Return the boxes of stretches of a PDF's text, one for each line; none where pypdf read.

    Args:
        data: the file's bytes.
        stretches: of a page each.

    Raises:
        IngestError: a page has another text.
    """
    if unpacks_too_far(data):
        return []  # pypdf read all of it
    found: list[Box] = []
    with opened(data) as document:
        if document is None:
            return []
        letters = cache(lambda: PypdfDocument(data))
        for stretch in stretches:
            if stretch.page > document.pages:
                raise IngestError(CHANGED)
            number = stretch.page - 1
            try:
                page = document.glyphs(number, lambda number: letters().letters(number))
            except UnreadablePageError:
                continue
            lines = page_lines(page.glyphs, page.tables)
            if lines and not page.is_blank:  # else it was recognised, or read by pypdf
                found += _page_boxes(lines, page.height, stretch)
    return found


def page_size(data: bytes, page: int) -> tuple[float, float]:
    """Return a page's width and height as it is shown, in points.

    Args:
        data: the file's bytes.
        page: its number, from 1.

    Raises:
        IngestError: there is no such page, or it can't be opened.
    """
    with _shown(data, page) as document:
        return document.size(page - 1)


def picture(data: bytes, page: int, width: int) -> bytes:
    """Return a PNG of a page.

    Args:
        data: the file's bytes.
        page: its number, from 1.
        width: in pixels; less where the picture would be too large.

    Raises:
        IngestError: there is no such page, or it can't be opened.
    """
    with _shown(data, page) as document:
        return png(document.draw(page - 1, width, _MOST_PIXELS))


@contextmanager
def _shown(data: bytes, page: int) -> Iterator[PdfiumDocument]:
    """Open a PDF to show one of its pages."""
    if unpacks_too_far(data):
        raise IngestError("its pages can't be shown: they unpack to more than is safe")
    with opened(data) as document:
        if document is None:
            raise IngestError("its pages can't be shown: damaged or encrypted")
        if not 1 <= page <= document.pages:
            raise IngestError(f"it has no page {page}: its pages are 1 to {document.pages}")
        try:
            yield document
        except UnreadablePageError as error:
            raise IngestError(f"page {page} can't be shown: {error}") from error


def _page_boxes(lines: list[Line], height: float, stretch: Stretch) -> Iterator[Box]:
    """Yield the boxes of a stretch of a page that has these lines."""
    texts = stretch.text.removesuffix("\n").split("\n")
    left = lines_left(lines, height, [] if texts == [""] else texts)
    if left is None:
        raise IngestError(CHANGED)
    line_start = 0
    for line in left:
        start, end = stretch.start - line_start, stretch.end - line_start
        line_start += len(line.text) + 1
        if start < len(line.text) and end > 0:
            for glyphs in _by_base(line, max(0, start), end):
                yield _box_around(stretch.page, glyphs)


def _by_base(line: Line, start: int, end: int) -> Iterator[list[Glyph]]:
    """Yield the glyphs of a stretch of a line; the cells of a ruled table have own base lines."""
    group: list[Glyph] = []
    is_new_cell = False
    for char, glyph in zip(line.text[start:end], glyphs_of(line)[start:end], strict=True):
        is_new_cell |= char == "\t"
        if glyph is None:
            continue
        if group and is_new_cell and abs(glyph.base - group[-1].base) > 0.1 * glyph.size:
            yield group
            group = []
        group.append(glyph)
        is_new_cell = False
    if group:
        yield group


def _box_around(page: int, glyphs: Sequence[Glyph]) -> Box:
    boxes = [glyph.field or glyph.box(*_REACH) for glyph in glyphs]
    return Box(
        page,
        min(left for left, _, _, _ in boxes),
        min(top for _, top, _, _ in boxes),
        max(right for _, _, right, _ in boxes),
        max(bottom for _, _, _, bottom in boxes),
    )


def glyphs_of(line: Line) -> list[Glyph | None]:
    """Return the glyph of each character of a line; None for blanks.

    A sign that layout put in (``^`` before what is raised) belongs to the glyph before.
    """
    drawn = [(sign, glyph) for glyph in line.glyphs for sign in _folded(glyph.text)]
    written = [(sign, at) for at, char in enumerate(line.text) for sign in _folded(char)]
    glyphs: list[Glyph | None] = [None] * len(line.text)
    for in_drawn, in_written, size in _matches(
        "".join(sign for sign, _ in drawn), "".join(sign for sign, _ in written)
    ):
        for step in range(size):
            at = written[in_written + step][1]
            if glyphs[at] is None:
                glyphs[at] = drawn[in_drawn + step][1]
    before = next((glyph for glyph in glyphs if glyph is not None), None)
    for at, char in enumerate(line.text):
        if glyphs[at] is None and not char.isspace():
            glyphs[at] = before
        before = glyphs[at] or before
    return glyphs


def _matches(drawn: str, written: str) -> list[tuple[int, int, int]]:
    """Return where both have the same signs: starts in either, and how many."""
    if drawn == written:
        return [(0, 0, len(drawn))]
    matcher = SequenceMatcher(None, drawn, written, autojunk=False)
    return [(block.a, block.b, block.size) for block in matcher.get_matching_blocks()]


def _folded(text: str) -> str:
    """Return signs as they are compared: without blanks, and none raised or lowered."""
    folded = unicodedata.normalize("NFKD", text).translate(_HYPHENS)
    return "".join(folded.split())
