"""A diagnosis in one sentence."""

from __future__ import annotations

from docqa.explain.diagnosis import Diagnosis
from docqa.explain.scores import ScoredSpan
from docqa.ingest.reading_text import reading_text
from docqa.settings import AnswerSettings


def in_one_sentence(
    diagnosis: Diagnosis, settings: AnswerSettings, windows_read: int, searched: bool
) -> str:
    """Say what became of the expected answer, and by which numbers.

    Args:
        settings: those by which answers were chosen.
        windows_read: how many windows went through the reader.
        searched: whether a search chose them; else they are all that there is.
    """
    best, expected = diagnosis.best, diagnosis.expected
    wanted = " or ".join(f"“{flowing(gold)}”" for gold in diagnosis.golds)
    if diagnosis.verdict == "right":
        return f"Right: {wanted} is the first answer." if wanted else "Right: there is no answer."
    if diagnosis.verdict == "retrieval":
        return _missed(diagnosis, wanted, windows_read, searched)
    if diagnosis.verdict == "null":
        return _null(diagnosis, wanted, settings)
    assert best is not None
    assert expected is not None
    if diagnosis.verdict == "window":
        return _other_window(best, expected, diagnosis.before, wanted)
    return _other_span(best, expected, wanted, settings)


def flowing(text: str) -> str:
    """Return a text as one line, its words whole."""
    return " ".join(reading_text(text).split())


def parts(span: ScoredSpan) -> str:
    """Return a span's ranking as a sum."""
    terms = f"score {span.score:.2f}"
    added = {"prior": span.prior, "null": span.null, "length penalty": -span.length_penalty}
    for name, value in added.items():
        if value:
            terms += f" {'-' if value < 0 else '+'} {name} {abs(value):.2f}"
    return terms


def _missed(diagnosis: Diagnosis, wanted: str, windows_read: int, searched: bool) -> str:
    missed = f"{wanted} is {_in_none(windows_read)} read"
    if not searched:
        return f"{missed}, and that is the whole file: does it say it in other words?"
    missed = f"Retrieval missed it: {missed}"
    wider = diagnosis.wider
    if wider is None:
        return f"{missed}."
    if wider.rank is None:
        return (
            f"{missed}, and {_in_none(wider.windows)} of a wider search: do the documents say it "
            "in other words?"
        )
    return (
        f"{missed}, but in number {wider.rank} of a wider search "
        f"(--candidates {wider.rank} lets the reader see it)."
    )


def _in_none(windows: int) -> str:
    return "not in the one window" if windows == 1 else f"in none of the {windows} windows"


def _null(diagnosis: Diagnosis, wanted: str, settings: AnswerSettings) -> str:
    best, margin = diagnosis.best, diagnosis.null_margin
    if not wanted:
        return f"An answer was given where there is none: {_margin(margin)}{_limit(settings)}."
    if best is None:
        return "No answer was given: no window holds a span."
    return (
        f"No answer was given, {_margin(margin)}{_limit(settings)}; without it, "
        f"“{flowing(best.text)}” would have come first."
    )


def _margin(margin: float | None) -> str:
    if margin is None:
        return "the reader has no null score"
    side = "above" if margin > 0 else "below"
    return f"the lowest null score is {abs(margin):.2f} {side} the best score"


def _limit(settings: AnswerSettings) -> str:
    if settings.null_threshold == float("inf"):
        return " and there is no null threshold"
    return f" and the null threshold is {settings.null_threshold:g}"


def _other_window(
    best: ScoredSpan, expected: ScoredSpan, before: ScoredSpan | None, wanted: str
) -> str:
    ranked_by_more = best.ranking != best.score or expected.ranking != expected.score
    alone = ""
    if ranked_by_more:
        alone = (
            "; by its score alone it would have come before that"
            if expected.score > best.score
            else "; its score alone is lower, too"
        )
    if before is not None:
        alone += f"; in its own window “{flowing(before.text)}” comes first ({before.score:.2f})"
    won = "Another window won"
    if _overlap(best, expected):
        won += ", which holds only a part of it"
    return (
        f"{won}: {wanted} was read{_page(expected)} and ranks at "
        f"{expected.ranking:.2f} ({parts(expected)}), but “{flowing(best.text)}”{_page(best)} "
        f"ranks at {best.ranking:.2f} ({parts(best)}){alone}."
    )


def _other_span(
    best: ScoredSpan, expected: ScoredSpan, wanted: str, settings: AnswerSettings
) -> str:
    how = "but the span was cut otherwise"
    if not _overlap(best, expected):
        how = "but another place in it"
    tokens = expected.last - expected.first + 1
    long = (
        f"; it has {tokens} tokens, and an answer at most {settings.max_answer_tokens} "
        "(--max-answer-tokens)"
        if tokens > settings.max_answer_tokens
        else ""
    )
    return (
        f"The right window won, {how}: “{flowing(best.text)}” scores {_sum(best)}, "
        f"{wanted} {_sum(expected)}{long}."
    )


def _overlap(span: ScoredSpan, other: ScoredSpan) -> bool:
    same = span.document == other.document
    return same and span.start < other.end and other.start < span.end


def _sum(span: ScoredSpan) -> str:
    penalty = f", less a length penalty of {span.length_penalty:.2f}" if span.length_penalty else ""
    return f"{span.score:.2f} (start {span.start_logit:.2f}, end {span.end_logit:.2f}){penalty}"


def _page(span: ScoredSpan) -> str:
    if span.page is not None:
        return f" on page {span.page}"
    return f" in line {span.line}" if span.line is not None else ""
