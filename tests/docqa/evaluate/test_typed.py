"""Questions spoilt by a program: each kind does what it says, and the same again from a seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.evaluate.typed import (
    KINDS,
    as_typed,
    doubled,
    dropped,
    keywords,
    lower_case,
    neighbouring_key,
    no_question_mark,
    stray_quote,
    swapped,
    upper_case,
)

QUESTION = "What is the default port of the PostgreSQL server?"


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(20))
def test_a_typo_changes_a_letter_or_two_and_no_first_letter(seed: int) -> None:
    plain = QUESTION.split()
    for kind, more in ((swapped, 0), (dropped, -1), (doubled, 1), (neighbouring_key, 0)):
        typed = kind(QUESTION, random(seed)).split()
        changed = [(a, b) for a, b in zip(plain, typed, strict=True) if a != b]
        assert len(changed) <= 2, "two of seven words with three letters or more"
        for before, after in changed:
            assert len(after) - len(before) == more
            assert after[0] == before[0]
            if kind is swapped:
                assert Counter(after) == Counter(before)
            if kind is doubled:
                assert not Counter(before) - Counter(after)
    assert neighbouring_key(QUESTION, random(seed)) != QUESTION


def test_keywords_are_what_is_looked_for() -> None:
    assert keywords(QUESTION, random()) == "default port PostgreSQL server"
    assert keywords("Who is it?", random()) == "Who is it?", "a question is never empty"


def test_case_quotes_and_question_marks() -> None:
    assert lower_case(QUESTION, random()) == QUESTION.lower()
    assert upper_case(QUESTION, random()) == QUESTION.upper()
    assert no_question_mark("Who? ", random()) == "Who"
    assert no_question_mark("?", random()) == "?"
    found = {stray_quote("Who?", random(seed)) for seed in range(40)}
    assert found == {'"Who?', "'Who?", 'Who?"', "Who?'"}


def test_questions_are_spoilt_in_one_way_or_in_two() -> None:
    found = [as_typed(QUESTION, random(seed)) for seed in range(200)]
    assert len(set(found)) > 60
    assert QUESTION.lower() in found
    assert "default port postgresql server" in found


@given(st.text(), st.sampled_from([*KINDS.values(), as_typed]), st.integers(0, 5))
def test_any_question_stays_one(question: str, kind: object, seed: int) -> None:
    assert callable(kind)
    typed = kind(question, random(seed))
    assert typed == kind(question, random(seed))
    if question.strip():
        assert typed.strip()
