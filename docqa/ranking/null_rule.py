"""When no answer is given: the one rule for asking, explaining, tuning and the pipeline.

The reader's score of "no answer here" is ``S·T_CLS + E·T_CLS`` (Devlin et al. 2019, section 4.3).
Of the windows read for a question, the one with the lowest speaks for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docqa.ranking.span_search import NO_SPAN, Logits

if TYPE_CHECKING:
    from docqa.settings import AnswerSettings


def null_scores(logits: Logits) -> list[float]:
    """Return the null score of each window, ``-inf`` where the model has no CLS."""
    scores: list[float] = (logits.null_start + logits.null_end).tolist()
    return scores


def null_score(logits: Logits) -> float:
    """Return the lowest null score of all windows, ``-inf`` where there is none."""
    return min(null_scores(logits), default=NO_SPAN)


def null_margin(logits: Logits, score: float) -> float:
    """Return how far the null score is above a span's score: the greater, the surer of none."""
    return null_score(logits) - score


def holds_no_answer(logits: Logits, best_score: float, settings: AnswerSettings) -> bool:
    """Return whether no answer is to be given, by the score of the span that ranks first."""
    return null_margin(logits, best_score) > settings.null_threshold
