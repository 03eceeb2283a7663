"""A teacher's logits are scaled until it is as sure as it is right."""

from __future__ import annotations

import numpy as np
import pytest

from docqa.training.examples import Example, TokenRange
from docqa.training.teacher import TeacherLogits

TOKENS = 30


@pytest.mark.parametrize("modesty", [0.5, 1.0, 2.0])
def test_logits_are_scaled_to_what_is_right(modesty: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (800, TOKENS + 1, 2))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    examples = []
    for number, of_tokens in enumerate(chances):
        start, end = (random.choice(TOKENS + 1, p=of_tokens[:, side]) for side in (0, 1))
        gold = TokenRange(0, start - 1, end) if start and end else None
        paragraph = TokenRange(0, 0, TOKENS)
        ids = np.empty(0, np.int32)
        examples.append(Example(number, "?", ids, paragraph, gold, (), number))
    answered = [example for example in examples if example.gold]
    said = TeacherLogits(
        np.arange(801) * (TOKENS + 1), (logits.reshape(-1, 2) / modesty).astype(np.float16)
    )
    found = said.calibrated(answered).logits / said.logits
    assert np.nanmedian(found) == pytest.approx(modesty, rel=0.2)


def test_what_the_teacher_has_no_token_for_does_not_count() -> None:
    logits = np.array([[0, 0], [-np.inf, -np.inf], [3, 3]], np.float16)
    example = Example(
        0, "?", np.empty(0, np.int32), TokenRange(0, 0, 2), TokenRange(0, 0, 1), (), 0
    )
    found = TeacherLogits(np.array([0, 3]), logits).calibrated([example])
    assert np.isneginf(found.logits[1]).all()
    assert np.isfinite(found.logits[[0, 2]]).all()
