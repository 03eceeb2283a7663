"""A window that a search found, with all that is needed to read it and to say where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from docqa.ingest.windows import Window


@dataclass(frozen=True, slots=True)
class Copy:
    """A window with the text of another one.

    Attributes:
        document_id: its document's.
        shift: from an offset in the other window's document to the same words in its own.
    """

    document_id: int
    shift: int


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """A window of a document, as a search ranks it.

    Attributes:
        id: the window's, in its index or collection.
        document_id: its document's, in the same.
        document: path of the source file.
        page: the page (from 1) that the window starts on; None where the format has no pages.
        window: its place in the document's text, and its tokens.
        text: the document's text at that place.
        score: the sum of the z-scores of its cosine and its BM25 among all windows that were
            found: greater is better, within one question.
        prominence: the z-score of ``score`` among the hits of the question, so how far the window
            stands out among those that are read.
        copies: windows with the same text that stand for this one, as of copies of one file.
        heading_line: the document's title and the headings above the window
            (:func:`docqa.ingest.outline.heading_lines`).
    """

    id: int
    document_id: int
    document: str
    page: int | None
    window: Window
    text: str
    score: float
    prominence: float
    copies: tuple[Copy, ...] = ()
    heading_line: str = ""

    @property
    def start(self) -> int:
        """Where the window starts in the document's text, in code points."""
        return self.window.start

    @property
    def end(self) -> int:
        """Where the window ends in the document's text."""
        return self.window.end

    def to_dict(self) -> dict[str, Any]:
        """Return the hit as a dictionary of what JSON knows, without the window's tokens."""
        return {
            "document": self.document,
            "start": self.start,
            "end": self.end,
            "page": self.page,
            "score": self.score,
            "prominence": self.prominence,
            "copies": len(self.copies),
            "text": self.text,
        }
