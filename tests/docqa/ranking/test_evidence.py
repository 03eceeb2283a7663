"""What a probability goes by does not change with what else is read."""

from __future__ import annotations

from math import exp, inf

import pytest
import torch

from docqa.ranking.evidence import Evidence
from docqa.ranking.probability import Platt
from docqa.ranking.span_search import Logits, Span

WINDOWS, TOKENS = 9, 6


def reading(null: float = 0.0) -> Logits:
    torch.manual_seed(3)
    start, end = torch.randn(2, WINDOWS, TOKENS) * 3
    nulls = torch.randn(2, WINDOWS) + null
    return Logits(start, end, torch.ones(WINDOWS, TOKENS, dtype=torch.bool), *nulls)


def span(logits: Logits, window: int) -> Span:
    return Span(window, 1, 2, float(logits.start[window, 1] + logits.end[window, 2]))


@pytest.mark.parametrize("window", [0, 2, 4])
def test_more_windows_change_nothing(window: int) -> None:
    """Fault: the same answer's probability fell from 84% to 56% with more candidates."""
    logits = reading()
    found = {
        Evidence(logits.first(count)).of(span(logits, window))
        for count in range(window + 1, WINDOWS + 1)
    }
    assert len(found) == 1


def test_the_confidence_is_a_share_of_the_span_s_own_window() -> None:
    logits = reading()
    start = torch.cat([logits.start[5], logits.null_start[5:6]]).softmax(0)
    end = torch.cat([logits.end[5], logits.null_end[5:6]]).softmax(0)
    confidence, margin = Evidence(logits).of(span(logits, 5))
    assert confidence == pytest.approx(float(start[1] * end[2]), rel=1e-4)
    null = float(logits.null_start[5] + logits.null_end[5])
    assert margin == pytest.approx(span(logits, 5).score - null)


def test_a_model_without_cls_has_no_probability() -> None:
    logits = reading(-inf)
    confidence, margin = Evidence(logits).of(span(logits, 0))
    assert 0 < confidence < 1
    assert margin == inf
    assert Evidence(logits).probability(span(logits, 0), Platt(0.0, 1.0, 1.0)) is None


def test_the_probability_is_the_curve_s() -> None:
    logits = reading()
    evidence, one = Evidence(logits), span(logits, 1)
    _, margin = evidence.of(one)
    probability = evidence.probability(one, Platt(0.5, 0.0, 0.25))
    assert probability == pytest.approx(1 / (1 + exp(-(0.5 + 0.25 * margin))))
