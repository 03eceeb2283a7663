"""From logits to answers: the best spans of everything read for a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from math import exp, isfinite

from docqa.answer import Answer
from docqa.settings import AnswerSettings
from docqa.spans import Logits, log_normalizers, null_score, ranked_spans
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
    spans = list(islice(ranked, top_k))
    if not spans or null_score(logits) - spans[0][0].score > settings.null_threshold:
        return []
    log_start, log_end = log_normalizers(logits)
    answers = []
    for span, place in spans:
        window = passages[span.window].window
        answers.append(
            Answer.from_span(
                document(place.document),
                place.start,
                place.end,
                (window.start, window.end),
                span.score,
                exp(span.score - log_start - log_end),
            )
        )
    return answers


def _biases(logits: Logits, passages: Sequence[Passage], settings: AnswerSettings) -> list[float]:
    """What counts beside the scores of each window's spans when they are ranked."""
    nulls = (logits.null_start + logits.null_end).tolist()
    return [
        settings.prior_weight * passage.retrieval_score
        - (settings.null_weight * null if isfinite(null) else 0.0)
        for passage, null in zip(passages, nulls, strict=True)
    ]
