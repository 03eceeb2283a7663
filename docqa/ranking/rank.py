"""From logits to answers: the best spans of everything read for a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from math import exp, isfinite, log

from torch import Tensor

from docqa.answer import Answer
from docqa.evaluate.metrics import normalize
from docqa.ingest.document import Document
from docqa.ingest.windows import Window
from docqa.ranking.span_search import (
    NO_SPAN,
    Logits,
    Place,
    Span,
    best_spans,
    length_tilt,
    log_normalizers,
    null_score,
    ranked_spans,
    taken_off,
    top_spans,
)
from docqa.ranking.whole_words import whole_words
from docqa.settings import AnswerSettings

# The best spans of each window that may support another, and how many of the first can be.
_VOICES = 3
_SUPPORTED = 20


@dataclass(frozen=True, slots=True)
class Passage:
    """A window that was read: of which document, how well the retriever thought of it, its text."""

    document_id: int
    window: Window
    retrieval_score: float
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read for a question, and what the reader made of it.

    Attributes:
        question: as it was asked.
        passages: the windows.
        logits: of the windows, in their order.
        document: a document by its id; while the index is held open, where there is one.
    """

    question: str
    passages: Sequence[Passage]
    logits: Logits
    document: Callable[[int], Document]

    def first(self, count: int) -> Reading:
        """The reading as it was when only the first windows had been read."""
        return replace(self, passages=self.passages[:count], logits=self.logits.first(count))


def choose(reading: Reading, settings: AnswerSettings, top_k: int) -> list[Answer]:
    """The ``top_k`` answers, best first; none where the reader holds that there is none.

    Raises:
        ValueError: ``top_k`` below 1.
    """
    if top_k < 1:
        raise ValueError(f"top_k must be at least 1, not {top_k}")
    passages, logits = reading.passages, reading.logits
    if not passages:
        return []
    ranked = ranked_by(reading, settings)
    best = next(ranked, None)
    null = null_score(logits)
    if best is None or null - best[0].score > settings.null_threshold:
        return []
    log_start, log_end = log_normalizers(logits)
    answers: list[Answer] = []
    taken: list[Place] = []
    for span, tokens in chain([best], ranked):
        source = reading.document(tokens.document)
        place = Place(tokens.document, *whole_words(source.text, tokens.start, tokens.end))
        if any(place.overlaps(better) for better in taken):
            continue  # another part of a word that is an answer already
        taken.append(place)
        window = passages[span.window].window
        confidence = exp(span.score - log_start - log_end)
        answers.append(
            Answer.from_span(
                source,
                place.start,
                place.end,
                (window.start, window.end),
                span.score,
                confidence,
                settings.platt.probability(confidence, span.score - null)
                if settings.platt and isfinite(null)
                else None,
            )
        )
        if len(answers) == top_k:
            break
    return answers


def ranked_by(reading: Reading, settings: AnswerSettings) -> Iterator[tuple[Span, Place]]:
    """The spans of all windows that do not overlap, best first."""
    worth = biases(reading.passages, reading.logits, settings)
    tilt = tilt_of(reading.passages, reading.logits, settings)
    spans = ranked_spans(
        reading.logits,
        [passage.document_id for passage in reading.passages],
        [passage.window.token_offsets + passage.window.start for passage in reading.passages],
        worth,
        settings.max_answer_tokens,
        tilt,
    )
    if not settings.support_weight:
        return spans
    first = list(islice(spans, _SUPPORTED))
    added = Support(reading, settings)

    def value(span: Span) -> float:
        return span.score + worth[span.window] - taken_off(tilt, span) + added.of(span)

    first.sort(key=lambda found: -value(found[0]))
    return chain(first, spans)


class Support:
    """What the same words, found in other windows, count for a span.

    The ranking values of all spans with the same words, among the best of each window, are added
    up as if they were log probabilities; the support is how far the sum is above the greatest.
    (Evidence from several passages for one answer: Wang et al. 2018, "Evidence aggregation for
    answer re-ranking", section 3.)
    """

    def __init__(self, reading: Reading, settings: AnswerSettings) -> None:
        self._passages = reading.passages
        logits = reading.logits
        columns = top_spans(
            logits.start,
            logits.end,
            logits.allowed,
            settings.max_answer_tokens,
            _VOICES,
            tilt_of(reading.passages, logits, settings),
        )
        values: dict[str, list[float]] = {}
        worth = biases(reading.passages, logits, settings)
        for w, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            for value, first, last in zip(*row, strict=True):
                if value > NO_SPAN:
                    words = self._words(w, first, last)
                    values.setdefault(words, []).append(value + worth[w])
        self._supports = {
            words: settings.support_weight
            * log(sum(exp(value - max(together)) for value in together))
            for words, together in values.items()
        }

    def of(self, span: Span) -> float:
        """The support of a span, 0 or more."""
        return self._supports.get(self._words(span.window, span.first, span.last), 0.0)

    def _words(self, w: int, first: int, last: int) -> str:
        passage = self._passages[w]
        offsets = passage.window.token_offsets
        return normalize(passage.text[int(offsets[first, 0]) : int(offsets[last, 1])])


def best_value(passages: Sequence[Passage], logits: Logits, settings: AnswerSettings) -> float:
    """The greatest ranking value of any span, without support; ``-inf`` where there is none."""
    values, _, _ = best_spans(
        logits.start,
        logits.end,
        logits.allowed,
        settings.max_answer_tokens,
        tilt_of(passages, logits, settings),
    )
    added = biases(passages, logits, settings)
    return max(
        (value + more for value, more in zip(values.tolist(), added, strict=True)), default=NO_SPAN
    )


def biases(passages: Sequence[Passage], logits: Logits, settings: AnswerSettings) -> list[float]:
    """What counts beside the scores of each window's spans when they are ranked."""
    nulls = (logits.null_start + logits.null_end).tolist()
    return [
        settings.prior_weight * passage.retrieval_score
        - (settings.null_weight * null if isfinite(null) else 0.0)
        for passage, null in zip(passages, nulls, strict=True)
    ]


def tilt_of(passages: Sequence[Passage], logits: Logits, settings: AnswerSettings) -> Tensor | None:
    """What length takes off the spans of passages (:func:`span_search.length_tilt`)."""
    offsets = [passage.window.token_offsets for passage in passages]
    return length_tilt(offsets, logits.start, settings.length_weight)
