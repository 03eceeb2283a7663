"""Passages: windows that a search found, with all that says where they stand; citations."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from docqa.index.hit import Hit
from docqa.ingest.outline import heading_path

if TYPE_CHECKING:
    from docqa.index.protocols import Documents


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document that a search found.

    Attributes:
        id: the window's, in its index.
        text: the document's own words.
        score: greater is better, within one question (:class:`docqa.Hit`).
        document_id: the document's, in the index.
        document, title, heading_path, start, end, page, line: as in :class:`docqa.Answer`.
        page_breaks: where further pages begin, as offsets into ``text``.
    """

    id: int
    text: str
    score: float
    document_id: int
    document: str
    title: str | None
    heading_path: tuple[str, ...]
    start: int
    end: int
    page: int | None
    line: int | None
    page_breaks: tuple[int, ...]

    @property
    def place(self) -> dict[str, Any]:
        """Return where the passage stands, as a dictionary of what JSON knows."""
        values = asdict(self)
        for name in ("id", "text", "score"):
            del values[name]
        return values | {
            "heading_path": list(self.heading_path),
            "page_breaks": list(self.page_breaks),
        }


def passages(store: Documents, hits: Sequence[Hit]) -> list[Passage]:
    """Return hits as passages, in the same order.

    Args:
        store: in the snapshot in which the hits were found.
    """
    sources = {number: store.document(number) for number in {hit.document_id for hit in hits}}
    found = []
    for hit in hits:
        source = sources[hit.document_id]
        starts = source.page_starts
        breaks = starts[bisect_right(starts, hit.start) : bisect_left(starts, hit.end)]
        found.append(
            Passage(
                id=hit.id,
                text=hit.text,
                score=hit.score,
                document_id=hit.document_id,
                document=hit.document,
                title=source.title,
                heading_path=heading_path(source.outline, hit.start),
                start=hit.start,
                end=hit.end,
                page=hit.page,
                line=source.line_at(hit.start),
                page_breaks=tuple(at - hit.start for at in breaks),
            )
        )
    return found


def citation(text: str, document: str, page: int | None, line: int | None) -> str:
    """Return a document's words with their place, ready to be pasted.

    Args:
        document: the path to name.
        page, line: of the words; the page goes before the line.
    """
    place = f", p. {page}" if page else f", line {line}" if line else ""
    return f"\u201c{' '.join(text.split())}\u201d ({document}{place})"
