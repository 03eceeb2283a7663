"""Answers: a span's place in its document, with all that a reader of it wants to know."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from docqa.ingest.document import Source
from docqa.ingest.outline import heading_path

# The most characters of context on either side of an answer.
_CONTEXT = 300
_SENTENCE_END = re.compile(r"""[.!?]["')\]]*\s+(?=["'(\[]?[^\Wa-z])|\n\s*\n""")


@dataclass(frozen=True, slots=True)
class CopyPlace:
    """A place where the words of an answer stand once more, in the same surroundings.

    Attributes:
        document: path of the source file, mostly a copy of the answer's.
        start, end, page, line, heading_path: as of an :class:`Answer`.
    """

    document: str
    start: int
    end: int
    page: int | None
    line: int | None
    heading_path: tuple[str, ...]

    @classmethod
    def of(cls, source: Source, start: int, end: int) -> CopyPlace:
        """Return ``[start, end)`` of a document as a place."""
        page = source.page_at(start)
        return cls(
            document=source.path,
            start=start,
            end=end,
            page=page[0] if page else None,
            line=source.line_at(start),
            heading_path=heading_path(source.outline, start),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A stretch of a document that answers a question; ``document.text[start:end] == text``.

    Attributes:
        text: the document's own words.
        score: ``S·T_i + E·T_j``, raw.
        confidence: ``P_start · P_end`` over everything read for the question, from 0 to 1.
        probability: that the answer is what an annotator would have marked, as measured on the
            reader's dev data; None where the reader's settings have no such measure. It does not
            depend on how many windows were read.
        doubtful: whether the probability is below the setting ``doubtful_below``
            (:class:`docqa.AnswerSettings`); False where there is no probability.
        document: path of the source file.
        title: what the document calls itself; None where it does not say.
        heading_path: the headings that the answer stands under, outermost first; empty where the
            document has none.
        start, end: ``[start, end)`` in the document's text, in code points.
        page: counted from 1; None where the format has no pages.
        page_start, page_end: the answer's offsets from the start of that page; None likewise.
        line: counted from 1, in plain text, Markdown and reStructuredText; None elsewhere.
        column: of the answer's start in that line, counted from 1, in plain text; None elsewhere.
        context: the sentences around the answer.
        context_start, context_end: the answer's offsets in ``context``.
        window: ``(start, end)`` of the window it was read in.
        also: where the same words stand in copies of the window it was read in.
    """

    text: str
    score: float
    confidence: float
    probability: float | None
    doubtful: bool
    document: str
    title: str | None
    heading_path: tuple[str, ...]
    start: int
    end: int
    page: int | None
    page_start: int | None
    page_end: int | None
    line: int | None
    column: int | None
    context: str
    context_start: int
    context_end: int
    window: tuple[int, int]
    also: tuple[CopyPlace, ...] = ()

    @classmethod
    def from_span(
        cls,
        source: Source,
        start: int,
        end: int,
        window: tuple[int, int],
        score: float,
        confidence: float,
        probability: float | None = None,
        doubtful: bool = False,
    ) -> Answer:
        """Make the answer at ``[start, end)`` of a document; only the text around it is looked at.

        Args:
            source: the document.
            window: as the attribute; likewise the other arguments.
        """
        page = source.page_at(start)
        low = max(0, start - _CONTEXT)
        around = source.slice(low, end + _CONTEXT)
        context_start, context_end = _sentences_around(
            around, start - low, end - low, low == 0, end + _CONTEXT >= source.length
        )
        return cls(
            text=around[start - low : end - low],
            score=score,
            confidence=confidence,
            probability=probability,
            doubtful=doubtful,
            document=source.path,
            title=source.title,
            heading_path=heading_path(source.outline, start),
            start=start,
            end=end,
            page=page[0] if page else None,
            page_start=start - page[1] if page else None,
            page_end=end - page[1] if page else None,
            line=source.line_at(start),
            column=source.column_at(start),
            context=around[context_start:context_end],
            context_start=start - low - context_start,
            context_end=end - low - context_start,
            window=window,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as a dictionary of what JSON knows."""
        return asdict(self)


def _sentences_around(
    around: str, start: int, end: int, from_first: bool, to_last: bool
) -> tuple[int, int]:
    """Find the sentences that hold ``[start, end)`` of a stretch of a document.

    Args:
        around: what may be of the context, on either side.
        from_first, to_last: whether the stretch starts or ends where the document does.
    """
    low, high = 0, len(around)
    breaks = _SENTENCE_END.finditer(around, 0, start + 1)
    before = [found.end() for found in breaks if found.end() <= start]
    if before:
        low = before[-1]
    elif not from_first:
        low = _next_word(around, low, start)
    after = _SENTENCE_END.search(around, max(end - 1, start), high)
    if after:
        high = max(after.start() + 1, end)
    elif not to_last:
        high = max(around.rfind(" ", end, high), end)
    while low < start and around[low].isspace():
        low += 1
    while high > end and around[high - 1].isspace():
        high -= 1
    return low, high


def _next_word(text: str, low: int, high: int) -> int:
    """Return the first start of a word after ``low``, at most ``high``."""
    space = re.compile(r"\s+").search(text, low, high)
    return space.end() if space else high
