"""From confidence to probability."""

from __future__ import annotations

import random
from math import exp, inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.ranking.probability import Platt

CURVE = Platt(0.2, 0.3, 0.1)


@given(st.floats(0, 1), st.floats(-1e6, 1e6))
def test_it_is_a_probability(confidence: float, margin: float) -> None:
    assert 0 <= CURVE.probability(confidence, margin) <= 1


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-50, 50))
def test_it_rises_with_confidence_and_margin(one: float, other: float, margin: float) -> None:
    low, high = sorted((one, other))
    assert CURVE.probability(low, margin) <= CURVE.probability(high, margin)
    assert CURVE.probability(low, margin) <= CURVE.probability(low, margin + 1)


def test_the_formula() -> None:
    assert CURVE.probability(0.5, 3.0) == pytest.approx(
        1 / (1 + exp(-(0.2 + 0.3 * log(0.5) + 0.1 * 3.0)))
    )


def test_a_curve_is_found_again() -> None:
    chance = random.Random(0)
    answers = [(chance.random() ** 3, chance.uniform(-5, 15)) for _ in range(20_000)]
    right = [chance.random() < CURVE.probability(*answer) for answer in answers]
    found = Platt.fit(answers, right)
    assert found is not None
    for answer in answers[:200]:
        assert found.probability(*answer) == pytest.approx(CURVE.probability(*answer), abs=0.05)


def test_nothing_to_tell_apart() -> None:
    assert Platt.fit([(0.5, 1.0), (0.1, 2.0)], [True, True]) is None


def test_answers_without_a_null_score_draw_no_curve() -> None:
    """They have infinite margins, and the fit raised at the end of a training run."""
    assert Platt.fit([(0.5, inf), (0.1, inf)], [True, False]) is None
    known = [(0.5, 1.0), (0.1, -2.0), (0.2, 0.5)]
    right = [True, False, False]
    assert Platt.fit([*known, (0.9, inf)], [*right, False]) == Platt.fit(known, right)


@pytest.mark.parametrize(
    "values",
    [
        None,
        [1, 2, 3],
        {"bias": 1},
        {"bias": 1, "confidence": 1, "margin": 1, "more": 1},
        {"bias": nan, "confidence": 1, "margin": 1},
        {"bias": inf, "confidence": 1, "margin": 1},
        {"bias": "1", "confidence": 1, "margin": 1},
        {"bias": True, "confidence": 1, "margin": 1},
    ],
)
def test_what_is_no_curve(values: object) -> None:
    with pytest.raises(ValueError, match="platt"):
        Platt.of(values)
