"""What a reading shows of an answer, whatever more is read: what its probability goes by."""

from __future__ import annotations

from math import exp, isfinite

import torch
from torch import Tensor

from docqa.ranking.null_rule import null_scores
from docqa.ranking.probability import Platt
from docqa.ranking.span_search import NO_SPAN, Logits, Span


class Evidence:
    """The evidence for the spans of a reading; each span's is of its own window alone.

    Args:
        logits: of all windows read for a question.
    """

    def __init__(self, logits: Logits) -> None:
        self._nulls = null_scores(logits)
        self._log_starts = _log_totals(logits.start, logits.allowed, logits.null_start)
        self._log_ends = _log_totals(logits.end, logits.allowed, logits.null_end)

    def of(self, span: Span) -> tuple[float, float]:
        """Return a span's confidence and margin, as :meth:`Platt.probability` takes them.

        The confidence is ``P_start · P_end`` over the tokens and CLS of the span's own window; the
        margin is the score less the null score of that window, ``inf`` where there is none.
        """
        log_total = float(self._log_starts[span.window] + self._log_ends[span.window])
        return exp(span.score - log_total), span.score - self._nulls[span.window]

    def probability(self, span: Span, platt: Platt) -> float | None:
        """Return the probability of a span; None where the model has no null score."""
        confidence, margin = self.of(span)
        return platt.probability(confidence, margin) if isfinite(margin) else None


def _log_totals(values: Tensor, allowed: Tensor, nulls: Tensor) -> Tensor:
    """Return ``(windows,)`` the logarithms of each window's softmax denominator."""
    counted = values.masked_fill(~allowed, NO_SPAN)
    return torch.cat([counted, nulls[:, None]], dim=1).logsumexp(1)
