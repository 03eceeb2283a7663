"""Words and numbers that the terminal and the page share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docqa.explain.diagnosis_sentence import parts
from docqa.explain.explanation import Explanation, TokenScore, WindowExplanation
from docqa.explain.scores import ScoredSpan

# The likeliest tokens that are named for each window.
_LISTED = 3


def percent(share: float) -> str:
    """Return a share as people read it, with two digits that count."""
    if share >= 0.1:
        return f"{share:.0%}"
    if share >= 0.01:
        return f"{share:.1%}"
    if share >= 0.001:
        return f"{share:.2%}"
    return f"{share:.3%}" if share >= 0.0001 else "<0.01%"


def read_line(explanation: Explanation) -> str:
    """Return how much was read, and what the reader says of there being no answer."""
    settings = explanation.settings
    what = "the best that retrieval found" if explanation.searched else "the whole file"
    count = explanation.windows_read
    line = f"{count} window{'s' if count != 1 else ''} read, {what}"
    if explanation.searched:
        line += f"; prior weight {settings.prior_weight:g}"
    line += f"; null weight {settings.null_weight:g}; length weight {settings.length_weight:g}"
    if explanation.null_score is not None:
        line += f"; lowest null score {explanation.null_score:.2f}"
        if settings.null_threshold != float("inf"):
            line += f", null threshold {settings.null_threshold:g}"
    return line


def no_answer_line(explanation: Explanation) -> str:
    """Return why there is no answer."""
    if not explanation.windows:
        return "No window was read that could hold an answer."
    return (
        "No answer: the lowest null score is above the best score by more than the null threshold."
    )


def window_place(window: WindowExplanation) -> str:
    """Return where a window starts and ends."""
    place = Path(window.document).name or "text"
    if window.page is not None:
        place += f", from page {window.page}"
    elif window.line is not None:
        place += f", from line {window.line}"
    return f"{place}, characters {window.start}-{window.end}"


def retrieval_line(window: WindowExplanation) -> str | None:
    """What the retriever thought of a window."""
    if window.search_rank is None:
        return None
    return (
        f"retrieval: rank {window.search_rank}, score {window.search_score:.2f}, "
        f"prominence {window.prominence:+.2f}"
    )


def ranking_line(window: WindowExplanation) -> str:
    """Return how the rank of a window comes about."""
    return f"best span: {parts(window.best)} = {window.best.ranking:.2f}"


def null_line(window: WindowExplanation) -> str | None:
    """Return what the reader thought of there being no answer in a window."""
    if window.null_score is None:
        return None
    return (
        f"null score {window.null_score:.2f}: “no answer here” takes "
        f"{percent(window.null_start_probability)} of start, "
        f"{percent(window.null_end_probability)} of end"
    )


def span_role(span: ScoredSpan, rank: int) -> str:
    """Return what a span is in its window and among the answers."""
    role = "best" if rank == 1 else f"runner-up {rank - 1}"
    if span.answer is not None:
        return f"{role}, answer {span.answer}"
    return role if span.overlaps is None else f"{role}, overlaps answer {span.overlaps}"


def likeliest(window: WindowExplanation, probability: Callable[[TokenScore], float]) -> list[str]:
    """Return the tokens of a window with the greatest probabilities, each with its own."""
    best = sorted(window.tokens, key=probability, reverse=True)[:_LISTED]
    return [f"{token.text} {percent(probability(token))}" for token in best]
