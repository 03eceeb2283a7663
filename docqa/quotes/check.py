"""Whether a quote stands in the documents word for word: where, or what comes nearest to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from docqa.errors import QuestionError
from docqa.index.hit import Hit
from docqa.ingest.outline import heading_path
from docqa.question import check_question
from docqa.quotes.comparable import Comparable, exact_pattern
from docqa.quotes.nearest import Nearest, find_nearest

if TYPE_CHECKING:
    from docqa.index.documents import StoredDocument
    from docqa.index.protocols import Documents

MOST_CHARACTERS = 5_000
# Indexes with more text are looked through only where search finds something like the quote.
_MOST_TEXT = 50_000_000
_STRETCH = 65_536
# What is less like the quote than this has nothing to do with it.
_LEAST_SIMILARITY = 0.3
_QUOTATION_MARKS = re.compile(r'"(.*)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class QuotePlace:
    """A stretch of a document that is a quote, or comes nearest to it.

    Attributes:
        text: the document's own words.
        similarity: the share of words and signs that quote and document have in the same order; 1
            for an exact quote.
        difference: the quote with what differs marked: ``[-only in the quote-]`` and ``{+only in
            the document+}``; None for an exact quote.
        document_id: the document's, in the index.
        document, title, heading_path, start, end, page, line: as in :class:`docqa.Answer`.
    """

    text: str
    similarity: float
    difference: str | None
    document_id: int
    document: str
    title: str | None
    heading_path: tuple[str, ...]
    start: int
    end: int
    page: int | None
    line: int | None


@dataclass(frozen=True, slots=True)
class QuoteCheck:
    """What came of looking for a quote.

    Attributes:
        quote: as given.
        exact: whether it stands in the documents word for word. White space, the forms of quotation
            marks and dashes, and hyphens at the ends of lines do not count; all else does.
        complete: whether all text of the index was looked through. If not, a quote that is not
            exact may stand where search found nothing like it.
        places: where it stands; or the one place that comes nearest, if any does.
    """

    quote: str
    exact: bool
    complete: bool
    places: list[QuotePlace]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dictionary of what JSON knows."""
        return asdict(self)


def clean_quote(quote: str) -> Comparable:
    """Return a quote in the form for comparing, without the quotation marks around it.

    Raises:
        QuestionError: it is empty or too long, holds no letter or digit, or is not valid Unicode.
    """
    check_question(quote)
    if len(quote) > MOST_CHARACTERS:
        raise QuestionError(
            f"the quote has {len(quote):,} characters, at most {MOST_CHARACTERS:,} can be checked "
            "at once: check it in parts"
        )
    text = Comparable.of(quote).text.strip()
    inside = _QUOTATION_MARKS.fullmatch(text)
    if inside and '"' not in inside[1]:
        text = inside[1].strip()
    if not re.search(r"\w", text):
        raise QuestionError("the quote has no words")
    return Comparable.of(text)


def check_quote(store: Documents, quote: str, hits: Sequence[Hit], most_places: int) -> QuoteCheck:
    """Look for a quote around hits, and if it is not there, in all documents.

    Args:
        store: inside a snapshot.
        hits: of a search for the quote.
        most_places: the most places to return.

    Raises:
        ValueError: ``most_places`` below 1.
        QuestionError: the quote can't be looked for.
    """
    if most_places < 1:
        raise ValueError(f"at least one place is needed, not {most_places}")
    wanted = clean_quote(quote)
    pattern = exact_pattern(wanted.text)
    around = len(quote) + 200
    stretches = [
        _Stretch.of(store.document(hit.document_id), hit.start - around, hit.end + around)
        for hit in hits
    ]
    found: dict[tuple[int, int], QuotePlace] = {}
    for stretch in stretches:
        _collect(stretch, pattern, found)
    complete = bool(found) or store.counts()["characters"] <= _MOST_TEXT
    if not found and complete:
        for stretch in _all_text(store, 2 * len(quote) + 200):
            _collect(stretch, pattern, found)
            if len(found) >= most_places:
                break
    if found:
        return QuoteCheck(quote, True, True, list(found.values())[:most_places])
    return QuoteCheck(quote, False, complete, _nearest(wanted, stretches))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of a document, in the form for comparing."""

    source: StoredDocument
    start: int
    text: Comparable

    @classmethod
    def of(cls, source: StoredDocument, start: int, end: int) -> _Stretch:
        start = max(0, start)
        return cls(source, start, Comparable.of(source.slice(start, end)))

    def place(self, start: int, end: int, nearest: Nearest | None = None) -> QuotePlace:
        """Return a place of the stretch, as offsets into it, with all that says where it is."""
        start, end = self.start + start, self.start + end
        page = self.source.page_at(start)
        return QuotePlace(
            text=self.source.slice(start, end),
            similarity=round(nearest.similarity, 4) if nearest else 1.0,
            difference=nearest.difference if nearest else None,
            document_id=self.source.id,
            document=self.source.path,
            title=self.source.title,
            heading_path=heading_path(self.source.outline, start),
            start=start,
            end=end,
            page=page[0] if page else None,
            line=self.source.line_at(start),
        )


def _collect(
    stretch: _Stretch, pattern: re.Pattern[str], found: dict[tuple[int, int], QuotePlace]
) -> None:
    """Add the exact places of a stretch, each once, by document and start."""
    for match in pattern.finditer(stretch.text.text):
        place = stretch.place(*stretch.text.in_source(*match.span()))
        found.setdefault((place.document_id, place.start), place)


def _all_text(store: Documents, overlap: int) -> Iterator[_Stretch]:
    """Yield all text of all documents in stretches that overlap."""
    for document_id in store.document_ids():
        document = store.document(document_id)
        for start in range(0, document.length, _STRETCH):
            yield _Stretch.of(document, start, start + _STRETCH + overlap)


def _nearest(quote: Comparable, stretches: Sequence[_Stretch]) -> list[QuotePlace]:
    """Return the place that comes nearest to a quote; none where nothing does."""
    best: tuple[_Stretch, Nearest] | None = None
    for stretch in stretches:
        near = find_nearest(quote, stretch.text)
        if near and near.similarity > (best[1].similarity if best else _LEAST_SIMILARITY):
            best = stretch, near
    return [best[0].place(best[1].start, best[1].end, best[1])] if best else []
