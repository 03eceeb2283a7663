"""From logits to answers: the best spans of everything read for a question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from math import exp, isfinite
from typing import TYPE_CHECKING

from torch import Tensor

from docqa.answer import Answer, CopyPlace
from docqa.index.hit import Copy, Hit
from docqa.ingest.document import Source
from docqa.ranking.barriers import barriers_in
from docqa.ranking.evidence import Evidence
from docqa.ranking.fragments import MARGIN, fragments_in
from docqa.ranking.null_rule import holds_no_answer, null_scores
from docqa.ranking.reading import Reading
from docqa.ranking.span_search import (
    NO_SPAN,
    Demotion,
    Logits,
    Place,
    Span,
    best_spans,
    length_penalties,
    log_normalizers,
    ranked_spans,
)
from docqa.ranking.whole_words import whole_words

if TYPE_CHECKING:
    from docqa.settings import AnswerSettings

# Characters on either side of a span that tell where its words begin and end.
_WORDS_AROUND = 400


def rank(reading: Reading, settings: AnswerSettings, top_k: int) -> list[Answer]:
    """Return the ``top_k`` answers, best first; none where the reader holds that there is none.

    The same words in windows of the same text, as of copies of a file, are one answer with several
    places.

    Raises:
        ValueError: ``top_k`` below 1.
    """
    if top_k < 1:
        raise ValueError(f"top_k must be at least 1, not {top_k}")
    hits, logits = reading.hits, reading.logits
    if not hits:
        return []
    ranked = ranked_by(reading, settings)
    best = next(ranked, None)
    if best is None or holds_no_answer(logits, best[0].score, settings):
        return []
    log_start, log_end = log_normalizers(logits)
    evidence = Evidence(logits) if settings.platt else None
    answers: list[Answer] = []
    taken: list[Place] = []
    copies = _copies(hits)
    with reading.sources() as source_of:
        for span, tokens in chain([best], ranked):
            source = source_of(tokens.document)
            place = answer_place(source, tokens)
            if any(place.overlaps(better) for better in taken):
                continue  # another part of a word that is an answer already
            window = hits[span.window].window
            probability = (
                evidence.probability(span, settings.platt) if evidence and settings.platt else None
            )
            answer = Answer.from_span(
                source,
                place.start,
                place.end,
                (window.start, window.end),
                span.score,
                exp(span.score - log_start - log_end),
                probability,
                probability is not None and probability < settings.doubtful_below,
            )
            others = [
                Place(copy.document_id, place.start + copy.shift, place.end + copy.shift)
                for copy in copies[span.window]
            ]
            taken += [place, *others]
            also = [
                CopyPlace.of(source_of(at.document), at.start, at.end)
                for at in others
                if source_of(at.document).slice(at.start, at.end) == answer.text
            ]
            answers.append(replace(answer, also=tuple(also)))
            if len(answers) == top_k:
                break
    return answers


def _copies(hits: Sequence[Hit]) -> list[list[Copy]]:
    """Return for each window the windows of the same text: those of the hits, and their copies."""
    places: dict[str, dict[tuple[int, int], None]] = {}
    for hit in hits:
        found = places.setdefault(hit.text, {})
        found[hit.document_id, hit.start] = None
        found |= {(copy.document_id, hit.start + copy.shift): None for copy in hit.copies}
    return [
        [
            Copy(document_id, start - hit.start)
            for document_id, start in places[hit.text]
            if (document_id, start) != (hit.document_id, hit.start)
        ]
        for hit in hits
    ]


def answer_place(source: Source, tokens: Place) -> Place:
    """Return the place of an answer: that of a span's tokens, widened to whole words."""
    low = max(0, tokens.start - _WORDS_AROUND)
    around = source.slice(low, tokens.end + _WORDS_AROUND)
    start, end = whole_words(around, tokens.start - low, tokens.end - low)
    return Place(tokens.document, low + start, low + end)


def ranked_by(reading: Reading, settings: AnswerSettings) -> Iterator[tuple[Span, Place]]:
    """Yield the spans of all windows that do not overlap, best first."""
    return ranked_spans(
        reading.logits,
        [hit.document_id for hit in reading.hits],
        [hit.window.token_offsets + hit.window.start for hit in reading.hits],
        biases(reading.hits, reading.logits, settings),
        settings.max_answer_tokens,
        penalties_of(reading.hits, reading.logits, settings),
        barriers_in(reading.hits),
        Demotion(fragments_in(reading.question, reading.hits), MARGIN),
    )


def best_value(hits: Sequence[Hit], logits: Logits, settings: AnswerSettings) -> float:
    """Return the greatest ranking value of any span, ``-inf`` where there is none."""
    values, _, _ = best_spans(
        logits.start,
        logits.end,
        logits.allowed,
        settings.max_answer_tokens,
        penalties_of(hits, logits, settings),
    )
    added = biases(hits, logits, settings)
    return max(
        (value + bias for value, bias in zip(values.tolist(), added, strict=True)), default=NO_SPAN
    )


def biases(hits: Sequence[Hit], logits: Logits, settings: AnswerSettings) -> list[float]:
    """Return what counts beside the scores of each window's spans when they are ranked."""
    return [
        settings.prior_weight * hit.prominence
        - (settings.null_weight * null if isfinite(null) else 0.0)
        for hit, null in zip(hits, null_scores(logits), strict=True)
    ]


def penalties_of(hits: Sequence[Hit], logits: Logits, settings: AnswerSettings) -> Tensor | None:
    """Return the length penalties of the windows' spans (:func:`span_search.length_penalties`)."""
    offsets = [hit.window.token_offsets for hit in hits]
    return length_penalties(offsets, logits.start, settings.length_weight)
