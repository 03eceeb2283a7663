"""Evidence: a sentence of a document that answers a question, and where it stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from docqa.answer import CopyPlace
from docqa.ingest.document import Source


@dataclass(frozen=True, slots=True)
class EvidenceSentence:
    """A sentence of a document, or an item, a row, a line; ``document.text[start:end] == text``.

    Attributes:
        text: the document's own words.
        share: of all that the reader gives to the sentences it read, from 0 to 1.
        document, title, heading_path, start, end, page, line: as of a :class:`docqa.Answer`.
    """

    text: str
    share: float
    document: str
    title: str | None
    heading_path: tuple[str, ...]
    start: int
    end: int
    page: int | None
    line: int | None

    @classmethod
    def of(cls, source: Source, start: int, end: int, share: float) -> EvidenceSentence:
        """Return ``[start, end)`` of a document as evidence."""
        place = CopyPlace.of(source, start, end)
        return cls(text=source.slice(start, end), share=share, title=source.title, **asdict(place))

    def to_dict(self) -> dict[str, Any]:
        """Return the sentence as a dictionary of what JSON knows."""
        return asdict(self) | {"heading_path": list(self.heading_path)}
