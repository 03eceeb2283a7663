"""Who is to blame for a wrong answer: retrieval, the choice of the window, or the cut of the span.

The expected answers are given as texts, or as texts with their places. A place is looked for
where it is; a text in every window that was read, whatever its capitals and white space, but only
where it cuts no word in two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from docqa.explain.scores import ReadingScores, ScoredSpan
from docqa.ranking.null_rule import null_margin
from docqa.ranking.rank import rank, ranked_by
from docqa.ranking.reading import Reading
from docqa.ranking.span_search import Place
from docqa.ranking.whole_words import whole_words
from docqa.settings import AnswerSettings

# What went wrong, if anything did:
# right      the first answer is the expected one, or none was given where there is none
# retrieval  no window that was read holds the expected answer
# window     one does, but a span of another window came first
# span       the right window came first, but with another span
# null       no answer was given where there is one, or one was given where there is none
Verdict = Literal["right", "retrieval", "window", "span", "null"]


# Longer words are left cut in two (:mod:`docqa.ranking.whole_words`).
_WORD_CHARS = 400


@dataclass(frozen=True, slots=True)
class Gold:
    """An expected answer.

    Attributes:
        text: its words.
        place: where it stands, with the document's id as in the reading; None for anywhere.
    """

    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class WiderSearch:
    """A search for more windows than were read.

    Attributes:
        windows: how many it found.
        rank: of the first one that holds an expected answer, from 1; None where none does.
    """

    windows: int
    rank: int | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What became of the expected answers.

    Attributes:
        golds: the expected texts.
        verdict: see :data:`Verdict`.
        best: the span that came first, also where the null threshold held it back.
        expected: the expected answer as the reader scored it, where it stands best of all the
            windows read; None where it is in none of them.
        before: what comes before the expected answer in its own window, where another window won
            and something does.
        null_margin: how far the lowest null score is above the best span's score; None where the
            model has no null score.
        wider: where retrieval missed it and was asked again.
    """

    golds: tuple[str, ...]
    verdict: Verdict
    best: ScoredSpan | None
    expected: ScoredSpan | None
    before: ScoredSpan | None
    null_margin: float | None
    wider: WiderSearch | None = None


def same_text(text: str, other: str) -> bool:
    """Return whether two texts are the same but for capitals and white space."""
    return " ".join(text.split()).casefold() == " ".join(other.split()).casefold()


def diagnose(
    reading: Reading,
    settings: AnswerSettings,
    golds: Sequence[Gold],
    same: Callable[[str, str], bool] = same_text,
) -> Diagnosis:
    """Say what became of the expected answers.

    Args:
        golds: any of them is right; none where the right thing is to give no answer.
        same: whether an answer's text is that of an expected answer.

    Raises:
        ValueError: an expected answer without a letter, digit or sign.
    """
    with reading.sources() as source_of:
        return diagnose_scores(ReadingScores(reading, settings, source_of), golds, same)


def diagnose_scores(
    scores: ReadingScores, golds: Sequence[Gold], same: Callable[[str, str], bool] = same_text
) -> Diagnosis:
    """Diagnose a reading whose scores are at hand (:func:`diagnose`)."""
    if any(not gold.text.strip() for gold in golds):
        raise ValueError("the expected answer is empty")
    answers = rank(scores.reading, scores.settings, 1)
    best = _best(scores)
    found = expected_spans(scores, golds)
    expected = max(found, key=lambda span: span.ranking, default=None)
    margin: float | None = None
    if best is not None:
        margin = null_margin(scores.reading.logits, best.score)
        margin = margin if margin > float("-inf") else None
    verdict: Verdict
    if answers and any(same(answers[0].text, gold.text) for gold in golds):
        verdict = "right"
    elif not golds:
        verdict = "null" if answers else "right"
    elif expected is None:
        verdict = "retrieval"
    elif not answers or best is None:
        verdict = "null"
    else:
        there = [span for span in found if span.window == best.window]
        verdict = "span" if there else "window"
        expected = max(there or found, key=lambda span: span.ranking)
    before: ScoredSpan | None = None
    if verdict == "window" and expected is not None:
        [before] = scores.spans_of(expected.window, 1)
        if (before.first, before.last) == (expected.first, expected.last):
            before = None
    return Diagnosis(tuple(gold.text for gold in golds), verdict, best, expected, before, margin)


def _best(scores: ReadingScores) -> ScoredSpan | None:
    """The span that comes first, whatever the null threshold says."""
    if not scores.reading.hits:
        return None
    first = next(ranked_by(scores.reading, scores.settings), None)
    return scores.span(first[0].window, first[0].first, first[0].last) if first else None


def expected_spans(scores: ReadingScores, golds: Sequence[Gold]) -> list[ScoredSpan]:
    """Return the expected answers in all windows that hold them whole."""
    return [
        span
        for w in range(len(scores.reading.hits))
        for start, end in expected_places(scores, w, golds)
        if (span := scores.span_at(w, start, end)) is not None
    ]


def expected_places(
    scores: ReadingScores, w: int, golds: Sequence[Gold]
) -> Iterator[tuple[int, int]]:
    """``[start, end)`` in the document of each expected answer that a window holds whole."""
    hit = scores.hit(w)
    low, high = hit.start, hit.end
    for gold in golds:
        if gold.place is None:
            # A little around the window tells whether its first and last word are whole.
            first = max(0, low - _WORD_CHARS)
            around = scores.source(w).slice(first, high + _WORD_CHARS)
            for start, end in occurrences(around, gold.text, low - first, high - first):
                yield first + start, first + end
        elif (
            gold.place.document == hit.document_id
            and low <= gold.place.start
            and gold.place.end <= high
        ):
            yield gold.place.start, gold.place.end


def occurrences(
    text: str, wanted: str, low: int = 0, high: int | None = None
) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of a wanted text in ``text[low:high]``.

    Capitals and white space do not count, but no word may be cut in two.
    """
    pattern = re.compile(r"\s+".join(map(re.escape, wanted.split())), re.IGNORECASE)
    for found in pattern.finditer(text, low, len(text) if high is None else high):
        if whole_words(text, *found.span()) == found.span():
            yield found.span()
