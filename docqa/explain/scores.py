"""What the reader made of each token and span of a reading, in numbers that can be shown.

Logits become probabilities over everything that was read, and each span gets the parts of the
score that it was ranked by. Nothing here chooses: see ``docqa.ranking.rank``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from torch import Tensor

from docqa.index.hit import Hit
from docqa.ingest.document import Source
from docqa.ingest.windows import IntArray
from docqa.ranking.barriers import barriers_in
from docqa.ranking.rank import answer_place, biases, penalties_of
from docqa.ranking.reading import Reading
from docqa.ranking.span_search import (
    NO_SPAN,
    Logits,
    Place,
    Span,
    best_spans,
    length_penalty,
    log_normalizers,
    ranked_spans,
)
from docqa.settings import AnswerSettings

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A span, with all that counted for and against it.

    Attributes:
        window: which of the windows that were read, from 0.
        first, last: its tokens in that window, both included.
        document: path of the source file.
        start, end: ``[start, end)`` in the document's text, widened to whole words as answers are.
        page, line: of ``start``, counted from 1; None where the format has none.
        text: the document's own words.
        start_logit, end_logit: ``S·T_i`` of the first token and ``E·T_j`` of the last.
        score: their sum.
        prior: what the prominence of its window adds when spans are ranked.
        null: what the null score of its window adds; below 0 where it counts against the span.
        length_penalty: what each word after its first takes off, together; 0 or more.
        ranking: ``score + prior + null - length_penalty``, which decides what comes first.
        confidence: ``P_start · P_end`` over everything read for the question.
        answer: which of the answers it is, from 1; None where it is none of them.
        overlaps: the first of the answers that it overlaps without being one; None likewise.
    """

    window: int
    first: int
    last: int
    document: str
    start: int
    end: int
    page: int | None
    line: int | None
    text: str
    start_logit: float
    end_logit: float
    score: float
    prior: float
    null: float
    length_penalty: float
    ranking: float
    confidence: float
    answer: int | None = None
    overlaps: int | None = None


class ReadingScores:
    """A reading's logits as probabilities, and its spans with what counted for them.

    Attributes:
        reading, settings, source_of: as given; ``source_of`` gives a document by its id.
        start, end: ``(windows, tokens)`` logits, ``-inf`` where no answer may start or end.
        start_probabilities, end_probabilities: ``(windows, tokens)``; together with those of each
            window's CLS, all of one kind add up to 1.
        null_start_probabilities, null_end_probabilities: ``(windows,)`` those of CLS.
        nulls: each window's null score, ``-inf`` where the model has none.
    """

    def __init__(
        self, reading: Reading, settings: AnswerSettings, source_of: Callable[[int], Source]
    ) -> None:
        logits = reading.logits
        self.reading = reading
        self.settings = settings
        self.source_of = cache(source_of)
        self.start = _array(logits.start.masked_fill(~logits.allowed, float("-inf")))
        self.end = _array(logits.end.masked_fill(~logits.allowed, float("-inf")))
        null_start, null_end = _array(logits.null_start), _array(logits.null_end)
        self.nulls = null_start + null_end
        log_start, log_end = log_normalizers(logits) if reading.hits else (0.0, 0.0)
        self.start_probabilities = np.exp(self.start - log_start)
        self.end_probabilities = np.exp(self.end - log_end)
        self.null_start_probabilities = np.exp(null_start - log_start)
        self.null_end_probabilities = np.exp(null_end - log_end)
        read = reading.hits, reading.logits
        self._priors = biases(*read, replace(settings, null_weight=0.0))
        self._null_parts = biases(*read, replace(settings, prior_weight=0.0))
        self._penalties = penalties_of(*read, settings)

    def hit(self, w: int) -> Hit:
        """One of the windows that were read."""
        return self.reading.hits[w]

    def source(self, w: int) -> Source:
        """The document that a window is of."""
        return self.source_of(self.hit(w).document_id)

    def offsets(self, w: int) -> IntArray:
        """``(tokens, 2)`` start and end in the document of each of a window's tokens."""
        window = self.hit(w).window
        return window.token_offsets + window.start

    def span(self, w: int, first: int, last: int) -> ScoredSpan:
        """The span of tokens ``first`` to ``last`` of a window."""
        source, offsets = self.source(w), self.offsets(w)
        place = answer_place(
            source,
            Place(self.hit(w).document_id, int(offsets[first, 0]), int(offsets[last, 1])),
        )
        page = source.page_at(place.start)
        score = float(self.start[w, first] + self.end[w, last])
        penalty = length_penalty(self._penalties, Span(w, first, last, score))
        return ScoredSpan(
            window=w,
            first=first,
            last=last,
            document=source.path,
            start=place.start,
            end=place.end,
            page=page[0] if page else None,
            line=source.line_at(place.start),
            text=source.slice(place.start, place.end),
            start_logit=float(self.start[w, first]),
            end_logit=float(self.end[w, last]),
            score=score,
            prior=self._priors[w],
            null=self._null_parts[w],
            length_penalty=penalty,
            ranking=score + (self._priors[w] + self._null_parts[w]) - penalty,
            confidence=float(self.start_probabilities[w, first] * self.end_probabilities[w, last]),
        )

    def span_at(self, w: int, start: int, end: int) -> ScoredSpan | None:
        """Return the span of the tokens that cover ``[start, end)`` of the document, if any do."""
        offsets = self.offsets(w)
        tokens = np.flatnonzero(
            (offsets[:, 0] < end) & (offsets[:, 1] > start) & (offsets[:, 1] > offsets[:, 0])
        )
        return self.span(w, int(tokens[0]), int(tokens[-1])) if len(tokens) else None

    def windows_by_best_span(self) -> list[int]:
        """Return the windows that hold a span, those with the best ranked span first."""
        logits = self.reading.logits
        columns = best_spans(
            logits.start,
            logits.end,
            logits.allowed,
            self.settings.max_answer_tokens,
            self._penalties,
        )
        ranking = np.array(
            [
                self.span(w, first, last).ranking if value > NO_SPAN else NO_SPAN
                for w, (value, first, last) in enumerate(
                    zip(*(column.tolist() for column in columns), strict=True)
                )
            ]
        )
        order = np.argsort(-ranking, kind="stable")
        return [w for w in order.tolist() if np.isfinite(ranking[w])]

    def spans_of(self, w: int, most: int) -> list[ScoredSpan]:
        """Return the best spans of one window that do not overlap, best first."""
        one = slice(w, w + 1)
        logits = self.reading.logits
        ranked = ranked_spans(
            Logits(
                logits.start[one],
                logits.end[one],
                logits.allowed[one],
                logits.null_start[one],
                logits.null_end[one],
            ),
            [0],
            [self.offsets(w)],
            [0.0],
            self.settings.max_answer_tokens,
            None if self._penalties is None else self._penalties[one],
            barriers_in(self.reading.hits[one]),
        )
        spans: list[ScoredSpan] = []
        places: list[Place] = []
        for found, _ in ranked:
            span = self.span(w, found.first, found.last)
            place = Place(0, span.start, span.end)
            if any(place.overlaps(better) for better in places):
                continue  # another part of a word that is in a better one
            spans.append(span)
            places.append(place)
            if len(spans) == most:
                break
        return spans


def _array(values: Tensor) -> FloatArray:
    return np.asarray(values.detach().float().cpu().numpy(), np.float32)
