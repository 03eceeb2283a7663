"""Answers end at the border of a table's cell and at a blank line."""

from __future__ import annotations

import numpy as np
import pytest

from docqa.index.hit import Hit
from docqa.ingest.windows import Window
from docqa.ranking.barriers import barriers_in


def hit_of(text: str) -> Hit:
    """A hit whose tokens are the text's words."""
    offsets, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        offsets.append((at, at + len(word)))
        at += len(word)
    window = Window(0, len(text), np.arange(len(offsets)), np.array(offsets, np.int32))
    return Hit(1, 1, "a.txt", None, window, text, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("--candidates N\t10 How many", 2),
        ("ends in 2027.\n\n4. Rent", 3),
        ("ends in\n2027 or later", None),
        ("a\tb\tc d", 1),
    ],
)
def test_the_first_barrier_in_a_span_is_found(text: str, found: int | None) -> None:
    last = len(text.split()) - 1
    assert barriers_in([hit_of(text)])(0, 0, last) == found


def test_a_span_of_one_cell_has_none() -> None:
    assert barriers_in([hit_of("--candidates N\t10 How many")])(0, 2, 4) is None
