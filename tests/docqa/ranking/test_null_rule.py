"""When no answer is given."""

from __future__ import annotations

from math import inf

import torch

from docqa.ranking.null_rule import holds_no_answer, null_margin, null_score
from docqa.ranking.span_search import Logits
from docqa.settings import AnswerSettings


def logits(*nulls: float) -> Logits:
    windows = len(nulls)
    rows = torch.zeros(windows, 1)
    half = torch.tensor(nulls) / 2
    return Logits(rows, rows, torch.ones(windows, 1, dtype=torch.bool), half, half)


def test_the_null_score_is_the_least_sure_window_s() -> None:
    assert null_score(logits(5.0, 2.5)) == 2.5
    assert null_margin(logits(5.0, 2.5), 1.5) == 1.0


def test_no_answer_is_given_above_the_threshold_alone() -> None:
    settings = AnswerSettings(null_threshold=1.0)
    assert not holds_no_answer(logits(2.5), 1.5, settings)
    assert holds_no_answer(logits(2.5), 1.25, settings)
    assert not holds_no_answer(logits(2.5), -99.0, AnswerSettings()), "without one, always"


def test_a_reader_without_cls_always_answers() -> None:
    assert null_score(logits(-inf)) == -inf
    assert not holds_no_answer(logits(-inf), 0.0, AnswerSettings(null_threshold=-5.0))
    assert null_score(logits()) == -inf, "nothing was read"
