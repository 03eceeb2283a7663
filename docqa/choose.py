"""From logits to answers: the best spans of everything read for a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import exp, isfinite

from docqa.answer import Answer
from docqa.settings import AnswerSettings
from docqa.spans import Logits, Place, Span, log_normalizers, null_score, ranked_spans
from docqa.words import whole_words
from ingest.document import Document
from ingest.windows import Window


@dataclass(frozen=True, slots=True)
class Passage:
    """A window that was read: of which document, and how well the retriever thought of it."""

    document_id: int
    window: Window
    retrieval_score: float


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
    if best is None or null_score(logits) - best[0].score > settings.null_threshold:
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
            )
        )
        if len(answers) == top_k:
            break
    return answers


def ranked_by(reading: Reading, settings: AnswerSettings) -> Iterator[tuple[Span, Place]]:
    """The spans of all windows that do not overlap, best first."""
    return ranked_spans(
        reading.logits,
        [passage.document_id for passage in reading.passages],
        [passage.window.token_offsets + passage.window.start for passage in reading.passages],
        biases(reading, settings),
        settings.max_answer_tokens,
    )


def biases(reading: Reading, settings: AnswerSettings) -> list[float]:
    """What counts beside the scores of each window's spans when they are ranked."""
    logits = reading.logits
    nulls = (logits.null_start + logits.null_end).tolist()
    return [
        settings.prior_weight * passage.retrieval_score
        - (settings.null_weight * null if isfinite(null) else 0.0)
        for passage, null in zip(reading.passages, nulls, strict=True)
    ]
