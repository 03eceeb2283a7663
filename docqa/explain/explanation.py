"""An explanation as plain data: the answers, and the windows with every token's share in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from docqa.answer import Answer
from docqa.explain.diagnosis import (
    Diagnosis,
    Gold,
    WiderSearch,
    diagnose_scores,
    expected_places,
)
from docqa.explain.diagnosis_sentence import in_one_sentence
from docqa.explain.scores import ReadingScores, ScoredSpan
from docqa.ingest.windows import Window
from docqa.ranking.rank import Reading, choose
from docqa.ranking.span_search import Place
from docqa.settings import AnswerSettings

if TYPE_CHECKING:
    from docqa.qa import Hit


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A token of a window.

    Attributes:
        text: the document's characters that it stands for.
        start, end: ``[start, end)`` in the document's text.
        start_logit, end_logit: ``S·T_i`` and ``E·T_i``; None where no answer may start or end.
        start_probability, end_probability: over all tokens and CLS of all windows read.
    """

    text: str
    start: int
    end: int
    start_logit: float | None
    end_logit: float | None
    start_probability: float
    end_probability: float


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What the retriever thought of a window.

    Attributes:
        rank: among the windows it offered, from 1.
        score: as ``docqa search`` shows it.
        standing: its z-score among the windows that were read, which the prior weight multiplies.
    """

    rank: int
    score: float
    standing: float


@dataclass(frozen=True, slots=True)
class WindowExplanation:
    """A window that was read.

    Attributes:
        rank: by its best span among all windows that were read, from 1.
        document: path of the source file.
        start, end: ``[start, end)`` in the document's text.
        page, line: of ``start``, counted from 1; None where the format has none.
        text: the window's.
        retrieved: what the retriever thought of it; None where every window was read.
        null_score: ``S·T_CLS + E·T_CLS``; None where the model has none.
        null_start_probability, null_end_probability: what CLS takes of the probabilities.
        spans: its best spans that do not overlap, best first.
        expected: ``[start, end)`` of the expected answers in it, in the document's text.
        tokens: all of them, in order.
    """

    rank: int
    document: str
    start: int
    end: int
    page: int | None
    line: int | None
    text: str
    retrieved: Retrieved | None
    null_score: float | None
    null_start_probability: float
    null_end_probability: float
    spans: tuple[ScoredSpan, ...]
    expected: tuple[tuple[int, int], ...]
    tokens: tuple[TokenScore, ...]

    @property
    def best(self) -> ScoredSpan:
        """Return the best span."""
        return self.spans[0]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the answers to a question came out as they did.

    Attributes:
        question: as asked.
        settings: by which the answers were chosen.
        answers: best first; empty where none was given.
        windows_read: how many windows went through the reader.
        null_score: the lowest of theirs; None where the model has none, or nothing was read.
        windows: those whose best spans rank first, and the one with the expected answer.
        diagnosis: what became of the expected answer, where one was named.
        retrieved: whether a retriever chose the windows; else they are all that there is.
    """

    question: str
    settings: AnswerSettings
    answers: tuple[Answer, ...]
    windows_read: int
    null_score: float | None
    windows: tuple[WindowExplanation, ...]
    diagnosis: Diagnosis | None
    retrieved: bool

    @property
    def sentence(self) -> str | None:
        """Return the diagnosis in one sentence."""
        if self.diagnosis is None:
            return None
        return in_one_sentence(self.diagnosis, self.settings, self.windows_read, self.retrieved)

    def searched_wider(self, wider: WiderSearch) -> Explanation:
        """The same, with what a wider search found."""
        if self.diagnosis is None:
            return self
        return replace(self, diagnosis=replace(self.diagnosis, wider=wider))

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary of what JSON knows: infinite numbers become None."""
        values: dict[str, Any] = asdict(self)
        values["sentence"] = self.sentence
        threshold = self.settings.null_threshold
        values["settings"]["null_threshold"] = threshold if isfinite(threshold) else None
        del values["settings"]["stop_margin"]  # everything was read
        return values


def explain(
    reading: Reading,
    settings: AnswerSettings,
    hits: Sequence[Hit] | None = None,
    *,
    top_k: int = 3,
    windows: int = 3,
    expected: str | None = None,
) -> Explanation:
    """Explain why the answers chosen from a reading are what they are.

    Args:
        reading: what was read, its documents at hand.
        settings: by which answers are chosen.
        hits: what the retriever offered; None where every window was read.
        top_k: the most answers, and the most spans of each window.
        windows: how many windows are looked at.
        expected: the answer that is held to be right.

    Raises:
        ValueError: ``top_k`` or ``windows`` below 1, or ``expected`` empty.
    """
    if windows < 1:
        raise ValueError(f"at least one window must be looked at, not {windows}")
    scores = ReadingScores(reading, settings)
    answers = choose(reading, settings, top_k)
    golds = [] if expected is None else [Gold(expected)]
    diagnosis = diagnose_scores(scores, golds) if golds else None
    order = scores.windows_by_best_span()
    looked_at = order[:windows]
    if diagnosis and diagnosis.expected and diagnosis.expected.window not in looked_at:
        looked_at.append(diagnosis.expected.window)
    retrieved = _retrieved(scores, hits)
    null_score = float(scores.nulls.min()) if len(scores.nulls) else float("-inf")
    return Explanation(
        question=reading.question,
        settings=settings,
        answers=tuple(answers),
        windows_read=len(reading.passages),
        null_score=null_score if isfinite(null_score) else None,
        windows=tuple(
            _window(scores, w, order.index(w) + 1, retrieved[w], answers, golds, top_k)
            for w in looked_at
        ),
        diagnosis=diagnosis,
        retrieved=hits is not None,
    )


def _window(
    scores: ReadingScores,
    w: int,
    rank: int,
    retrieved: Retrieved | None,
    answers: Sequence[Answer],
    golds: Sequence[Gold],
    top_k: int,
) -> WindowExplanation:
    window, document = scores.window(w), scores.document(w)
    page = document.page_at(window.start)
    null_score = float(scores.nulls[w])
    return WindowExplanation(
        rank=rank,
        document=document.path,
        start=window.start,
        end=window.end,
        page=page[0] if page else None,
        line=document.line_at(window.start),
        text=document.text[window.start : window.end],
        retrieved=retrieved,
        null_score=null_score if isfinite(null_score) else None,
        null_start_probability=float(scores.null_start_probabilities[w]),
        null_end_probability=float(scores.null_end_probabilities[w]),
        spans=tuple(_beside(span, window, answers) for span in scores.spans_of(w, top_k)),
        expected=tuple(sorted(set(expected_places(scores, w, golds)))),
        tokens=tuple(_tokens(scores, w)),
    )


def _beside(span: ScoredSpan, window: Window, answers: Sequence[Answer]) -> ScoredSpan:
    """A span with the answer that it is or overlaps."""
    place = Place(0, span.start, span.end)
    for n, answer in enumerate(answers, 1):
        if answer.document != span.document:
            continue
        of_window = answer.window == (window.start, window.end)
        if of_window and (answer.start, answer.end) == (span.start, span.end):
            return replace(span, answer=n)
        if place.overlaps(Place(0, answer.start, answer.end)):
            return replace(span, overlaps=n)
    return span


def _tokens(scores: ReadingScores, w: int) -> Iterator[TokenScore]:
    text = scores.document(w).text
    for i, (start, end) in enumerate(scores.offsets(w).tolist()):
        logits = float(scores.start[w, i]), float(scores.end[w, i])
        yield TokenScore(
            text[start:end],
            start,
            end,
            logits[0] if isfinite(logits[0]) else None,
            logits[1] if isfinite(logits[1]) else None,
            float(scores.start_probabilities[w, i]),
            float(scores.end_probabilities[w, i]),
        )


def _retrieved(scores: ReadingScores, hits: Sequence[Hit] | None) -> list[Retrieved | None]:
    """What the retriever thought of each window that was read.

    Windows come in the order of the hits. A hit whose window is too long for the reader was read in
    parts, one after the other in its text.
    """
    passages = scores.reading.passages
    if hits is None:
        return [None] * len(passages)
    found: list[Retrieved | None] = []
    n = 0
    for w, passage in enumerate(passages):
        path = scores.document(w).path
        start, end = passage.window.start, passage.window.end
        if w and start <= passages[w - 1].window.start:
            n += 1
        while n < len(hits) and not (
            hits[n].document == path and hits[n].start <= start and end <= hits[n].end
        ):
            n += 1
        hit = hits[n] if n < len(hits) else None
        standing = passage.retrieval_score
        found.append(Retrieved(n + 1, hit.score, standing) if hit else None)
    return found
