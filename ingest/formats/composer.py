"""A document put together from paragraphs, headings, pages and whole other documents."""

from __future__ import annotations

from collections.abc import Iterable

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted, Heading
from docqa.ingest.formats.ligatures import without_ligatures

_PARAGRAPH = "\n\n"


class Composer:
    """Collects text with where its headings and pages are.

    Args:
        gaps: what is known already not to be in the text, a sentence each.

    Attributes:
        gaps: the same, and what was found since; whoever finds one adds it.
        pictures: how many pages are missing whose text could be recognised; counted likewise.
    """

    def __init__(self, gaps: Iterable[str] = ()) -> None:
        self.gaps = list(gaps)
        self.pictures = 0
        self._parts: list[str] = []
        self._length = 0
        self._page_starts: list[int] = []
        self._outline: list[Heading] = []
        self._at_page_start = True

    def paragraph(self, text: str) -> None:
        """Add a paragraph, set off by an empty line."""
        self._add(without_ligatures(text), _PARAGRAPH)

    def line(self, text: str) -> None:
        """Add a line of its own."""
        self._add(without_ligatures(text), "\n")

    def heading(self, text: str, level: int) -> None:
        """Add a heading, as a paragraph."""
        words = " ".join(without_ligatures(text).split())
        if self._add(words, _PARAGRAPH):
            self._outline.append(Heading(words, level, self._length - len(words)))

    def page(self) -> None:
        """Begin a page."""
        if self._length:
            self._write(_PARAGRAPH)
        self._page_starts.append(self._length)
        self._at_page_start = True

    def include(self, other: Extracted, below: int = 0) -> None:
        """Add a document with its outline.

        Args:
            other: the document; where its pages start is not kept.
            below: the level of the heading that it stands under.
        """
        blank = len(other.text) - len(other.text.lstrip())
        if self._add(other.text, _PARAGRAPH):
            shift = self._length - len(other.text.strip()) - blank
            for heading in other.outline:
                start = min(max(heading.start + shift, 0), self._length)
                self._outline.append(Heading(heading.text, heading.level + below, start))
        self.gaps.extend(other.gaps)
        self.pictures += other.pictures

    def extracted(self, title: str | None = None) -> Extracted:
        """Return the document.

        Raises:
            IngestError: nothing was added.
        """
        text = "".join(self._parts)
        if not text.strip():
            raise IngestError("holds no text")
        title = " ".join((title or "").split()) or None
        return Extracted(
            text,
            tuple(self._page_starts),
            title,
            tuple(self._outline),
            tuple(self.gaps),
            pictures=self.pictures,
        )

    def _add(self, text: str, separator: str) -> bool:
        text = text.strip()
        if not text:
            return False
        if not self._at_page_start:
            self._write(separator)
        self._at_page_start = False
        self._write(text)
        return True

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
