"""An explanation as plain data: the answers, and the windows with every token's share in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from docqa.answer import Answer
from docqa.explain.diagnosis import (
    Diagnosis,
    Gold,
    WiderSearch,
    diagnose_scores,
    expected_places,
    occurrences,
)
from docqa.explain.diagnosis_sentence import in_one_sentence
from docqa.explain.scores import ReadingScores, ScoredSpan
from docqa.index.hit import Hit
from docqa.ranking.null_rule import null_score
from docqa.ranking.rank import rank
from docqa.ranking.reading import Reading
from docqa.ranking.span_search import Place
from docqa.settings import AnswerSettings


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
class WindowExplanation:
    """A window that was read.

    Attributes:
        rank: by its best span among all windows that were read, from 1.
        document: path of the source file.
        start, end: ``[start, end)`` in the document's text.
        page, line: of ``start``, counted from 1; None where the format has none.
        text: the window's.
        search_rank: among the hits of the question, from 1; None where a text was read whole.
        search_score: as ``docqa search`` shows it; None likewise.
        prominence: how far it stands out among the hits (:class:`docqa.Hit`); None likewise.
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
    search_rank: int | None
    search_score: float | None
    prominence: float | None
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
        searched: whether a search chose the windows; else they are all that there is.
    """

    question: str
    settings: AnswerSettings
    answers: tuple[Answer, ...]
    windows_read: int
    null_score: float | None
    windows: tuple[WindowExplanation, ...]
    diagnosis: Diagnosis | None
    searched: bool

    @property
    def sentence(self) -> str | None:
        """Return the diagnosis in one sentence."""
        if self.diagnosis is None:
            return None
        return in_one_sentence(self.diagnosis, self.settings, self.windows_read, self.searched)

    @property
    def missed(self) -> bool:
        """Whether the search found no window with the expected answer."""
        return (
            self.searched and self.diagnosis is not None and self.diagnosis.verdict == "retrieval"
        )

    def searched_wider(self, hits: Sequence[Hit]) -> Explanation:
        """Return the explanation with what a search for more windows found."""
        if self.diagnosis is None:
            return self
        [expected] = self.diagnosis.golds
        ranks = (n for n, hit in enumerate(hits, 1) if any(occurrences(hit.text, expected)))
        wider = WiderSearch(len(hits), next(ranks, None))
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
    *,
    top_k: int = 3,
    windows: int = 3,
    expected: str | None = None,
) -> Explanation:
    """Explain why the answers chosen from a reading are what they are.

    Args:
        reading: what was read.
        settings: by which answers are chosen.
        top_k: the most answers, and the most spans of each window.
        windows: how many windows are looked at.
        expected: the answer that is held to be right.

    Raises:
        ValueError: ``top_k`` or ``windows`` below 1, or ``expected`` empty.
    """
    if windows < 1:
        raise ValueError(f"at least one window must be looked at, not {windows}")
    with reading.sources() as source_of:
        scores = ReadingScores(reading, settings, source_of)
        answers = rank(reading, settings, top_k)
        golds = [] if expected is None else [Gold(expected)]
        diagnosis = diagnose_scores(scores, golds) if golds else None
        order = scores.windows_by_best_span()
        looked_at = order[:windows]
        if diagnosis and diagnosis.expected and diagnosis.expected.window not in looked_at:
            looked_at.append(diagnosis.expected.window)
        lowest = null_score(reading.logits)
        return Explanation(
            question=reading.question,
            settings=settings,
            answers=tuple(answers),
            windows_read=len(reading.hits),
            null_score=lowest if isfinite(lowest) else None,
            windows=tuple(
                _window(scores, w, order.index(w) + 1, answers, golds, top_k) for w in looked_at
            ),
            diagnosis=diagnosis,
            searched=reading.searched,
        )


def _window(
    scores: ReadingScores,
    w: int,
    rank: int,
    answers: Sequence[Answer],
    golds: Sequence[Gold],
    top_k: int,
) -> WindowExplanation:
    hit, searched = scores.hit(w), scores.reading.searched
    null_score = float(scores.nulls[w])
    return WindowExplanation(
        rank=rank,
        document=hit.document,
        start=hit.start,
        end=hit.end,
        page=hit.page,
        line=scores.source(w).line_at(hit.start),
        text=hit.text,
        search_rank=_search_rank(scores.reading, w) if searched else None,
        search_score=hit.score if searched else None,
        prominence=hit.prominence if searched else None,
        null_score=null_score if isfinite(null_score) else None,
        null_start_probability=float(scores.null_start_probabilities[w]),
        null_end_probability=float(scores.null_end_probabilities[w]),
        spans=tuple(_beside(span, hit, answers) for span in scores.spans_of(w, top_k)),
        expected=tuple(sorted(set(expected_places(scores, w, golds)))),
        tokens=tuple(_tokens(scores, w)),
    )


def _search_rank(reading: Reading, w: int) -> int:
    """Return a window's rank among the hits; parts of one hit share theirs."""
    ids = list(dict.fromkeys(hit.id for hit in reading.hits))
    return ids.index(reading.hits[w].id) + 1


def _beside(span: ScoredSpan, hit: Hit, answers: Sequence[Answer]) -> ScoredSpan:
    """A span with the answer that it is or overlaps."""
    place = Place(0, span.start, span.end)
    for n, answer in enumerate(answers, 1):
        if answer.document != span.document:
            continue
        of_window = answer.window == (hit.start, hit.end)
        if of_window and (answer.start, answer.end) == (span.start, span.end):
            return replace(span, answer=n)
        if place.overlaps(Place(0, answer.start, answer.end)):
            return replace(span, overlaps=n)
    return span


def _tokens(scores: ReadingScores, w: int) -> Iterator[TokenScore]:
    hit = scores.hit(w)
    for i, (start, end) in enumerate(hit.window.token_offsets.tolist()):
        logits = float(scores.start[w, i]), float(scores.end[w, i])
        yield TokenScore(
            hit.text[start:end],
            hit.start + start,
            hit.start + end,
            logits[0] if isfinite(logits[0]) else None,
            logits[1] if isfinite(logits[1]) else None,
            float(scores.start_probabilities[w, i]),
            float(scores.end_probabilities[w, i]),
        )
