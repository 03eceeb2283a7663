"""From logits to answers: the best spans of everything read for a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import exp, isfinite

from docqa.answer import Answer
from docqa.settings import AnswerSettings
from docqa.spans import Logits, Place, log_normalizers, null_score, ranked_spans
from docqa.words import whole_words
from ingest.document import Document
from ingest.windows import Window


@dataclass(frozen=True, slots=True)
class Passage:
    """A window that was read: of which document, and how well the retriever thought of it."""

    document_id: int
    window: Window
    retrieval_score: float


def choose(
    logits: Logits,
    passages: Sequence[Passage],
    settings: AnswerSettings,
    top_k: int,
    document: Callable[[int], Document],
) -> list[Answer]:
    """The ``top_k`` answers, best first; none where the reader holds that there is none.

    Args:
        logits: of the passages, in their order.
        document: a document by its id; asked only for documents that hold an answer.

    Raises:
        ValueError: ``top_k`` below 1.
    """
    if top_k < 1:
        raise ValueError(f"top_k must be at least 1, not {top_k}")
    if not passages:
        return []
    ranked = ranked_spans(
        logits,
        [passage.document_id for passage in passages],
        [passage.window.token_offsets + passage.window.start for passage in passages],
        _biases(logits, passages, settings),
        settings.max_answer_tokens,
    )
    best = next(ranked, None)
    if best is None or null_score(logits) - best[0].score > settings.null_threshold:
        return []
    log_start, log_end = log_normalizers(logits)
    answers: list[Answer] = []
    taken: list[Place] = []
    for span, tokens in chain([best], ranked):
        source = document(tokens.document)
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


def _biases(logits: Logits, passages: Sequence[Passage], settings: AnswerSettings) -> list[float]:
    """What counts beside the scores of each window's spans when they are ranked."""
    nulls = (logits.null_start + logits.null_end).tolist()
    return [
        settings.prior_weight * passage.retrieval_score
        - (settings.null_weight * null if isfinite(null) else 0.0)
        for passage, null in zip(passages, nulls, strict=True)
    ]
