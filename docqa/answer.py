"""Answers: a span's place in its document, with all that a reader of it wants to know."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from docqa.ingest.document import Document

# The most characters of context on either side of an answer.
_CONTEXT = 300
_SENTENCE_END = re.compile(r"""[.!?]["')\]]*\s+(?=["'(\[]?[^\Wa-z])|\n\s*\n""")


@dataclass(frozen=True, slots=True)
class Answer:
    """A stretch of a document that answers a question; ``document.text[start:end] == text``.

    Attributes:
        text: the document's own words.
        score: ``S·T_i + E·T_j``, raw.
        confidence: ``P_start · P_end`` over everything read for the question, from 0 to 1.
        probability: that the answer is what an annotator would have marked, as measured on the
            reader's dev data; None where the reader's settings have no such measure.
        document: path of the source file.
        start, end: ``[start, end)`` in the document's text, in code points.
        page: counted from 1; None where the format has no pages.
        page_start, page_end: the answer's offsets from the start of that page; None likewise.
        line: counted from 1, in plain text, Markdown and reStructuredText; None elsewhere.
        context: the sentences around the answer.
        context_start, context_end: the answer's offsets in ``context``.
        window: ``(start, end)`` of the window it was read in.
    """

    text: str
    score: float
    confidence: float
    probability: float | None
    document: str
    start: int
    end: int
    page: int | None
    page_start: int | None
    page_end: int | None
    line: int | None
    context: str
    context_start: int
    context_end: int
    window: tuple[int, int]

    @classmethod
    def from_span(
        cls,
        document: Document,
        start: int,
        end: int,
        window: tuple[int, int],
        score: float,
        confidence: float,
        probability: float | None = None,
    ) -> Answer:
        """The answer at ``[start, end)`` of a document."""
        page = document.page_at(start)
        low, high = _sentences_around(document.text, start, end)
        return cls(
            text=document.text[start:end],
            score=score,
            confidence=confidence,
            probability=probability,
            document=document.path,
            start=start,
            end=end,
            page=page[0] if page else None,
            page_start=start - page[1] if page else None,
            page_end=end - page[1] if page else None,
            line=document.line_at(start),
            context=document.text[low:high],
            context_start=start - low,
            context_end=end - low,
            window=window,
        )

    def to_dict(self) -> dict[str, Any]:
        """As a dictionary of what JSON knows."""
        return asdict(self)


def _sentences_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Offsets of the sentences that hold ``[start, end)``, no longer than ``_CONTEXT`` each way."""
    low, high = max(0, start - _CONTEXT), min(len(text), end + _CONTEXT)
    breaks = _SENTENCE_END.finditer(text, low, start + 1)
    before = [found.end() for found in breaks if found.end() <= start]
    if before:
        low = before[-1]
    elif low > 0:
        low = _next_word(text, low, start)
    after = _SENTENCE_END.search(text, max(end - 1, start), high)
    if after:
        high = max(after.start() + 1, end)
    elif high < len(text):
        high = max(text.rfind(" ", end, high), end)
    while low < start and text[low].isspace():
        low += 1
    while high > end and text[high - 1].isspace():
        high -= 1
    return low, high


def _next_word(text: str, low: int, high: int) -> int:
    """The first start of a word after ``low``, at most ``high``."""
    space = re.compile(r"\s+").search(text, low, high)
    return space.end() if space else high
