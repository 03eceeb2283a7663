"""Spans that are no answer by their looks, and those that only look like it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from docqa.index.hit import Hit
from docqa.ingest.windows import Window
from docqa.ranking.fragments import MARGIN, fragments_in
from docqa.ranking.rank import rank
from docqa.ranking.reading import Reading, in_memory
from docqa.ranking.span_search import Logits
from docqa.reader import text_document
from docqa.settings import AnswerSettings

LEASE = """\
4.2 The tenant pays the rent on the first day (of each month.
Page 3 of 12
12. Notice is given in writing, at 4.2 per cent, by § 7 or (b) by mail. !"""


def hit_of(text: str) -> Hit:
    """A hit whose tokens are the text's words and signs."""
    import re

    offsets = np.array([found.span() for found in re.finditer(r"\w+|[^\w\s]", text)], np.int32)
    window = Window(0, len(text), np.arange(len(offsets)), offsets)
    return Hit(1, 1, "a.txt", None, window, text, 0.0, 0.0)


def is_fragment(question: str, words: str, text: str = LEASE) -> bool:
    hit = hit_of(text)
    start = text.index(words)
    offsets = hit.window.token_offsets
    first = int(np.searchsorted(offsets[:, 0], start))
    last = int(np.searchsorted(offsets[:, 1], start + len(words)))
    return fragments_in(question, [hit])(0, first, last)


@pytest.mark.parametrize(
    ("question", "words", "expected"),
    [
        ("Who is the tenant?", "The tenant", True),
        ("Who is the tenant?", "of", True),
        ("Who is the tenant?", "each month", False),
        ("Does the tenant or the landlord pay?", "The tenant", False),
        ("Who pays?", "4.2", True),
        ("Who pays?", "12.", True),
        ("Which clause is about notice?", "12.", False),
        ("When?", "Page 3 of 12", True),
        ("On which page does it end?", "Page 3 of 12", False),
        ("When?", "day (of each", True),
        ("When?", "(b) by mail", False),
        ("What is at the end?", "!", True),
        ("Which character is at the end?", "!", False),
    ],
)
def test_fragments_are_told_by_their_looks(question: str, words: str, expected: bool) -> None:
    assert is_fragment(question, words) == expected


def test_a_number_in_a_sentence_is_an_answer() -> None:
    assert not is_fragment("At what rate?", "4.2", LEASE.split("\n")[-1])


@pytest.mark.parametrize(("lead", "answer"), [(MARGIN - 1, "Ann"), (MARGIN + 1, "The landlord")])
def test_the_next_best_is_taken_where_it_scores_nearly_as_well(lead: float, answer: str) -> None:
    document = text_document("The landlord is Ann")
    hit = hit_of(document.text)
    start, end = torch.full((1, 4), -20.0), torch.full((1, 4), -20.0)
    start[0, 0], end[0, 1] = lead - 10, 10.0
    start[0, 3], end[0, 3] = 10.0, -10.0  # both ends together, from "The" to "Ann", score low
    null = torch.zeros(1)
    logits = Logits(start, end, torch.ones(1, 4, dtype=torch.bool), null, null)
    reading = Reading("Who is the landlord?", [hit], logits, in_memory(lambda _: document))
    best, second = rank(reading, AnswerSettings(), 2)
    assert best.text == answer
    scores = {best.text: best.score, second.text: second.score}
    assert scores == {"The landlord": pytest.approx(lead), "Ann": pytest.approx(0.0)}


def test_a_fragment_alone_is_the_answer() -> None:
    document = text_document("landlord")
    null = torch.zeros(1)
    one = torch.ones(1, 1)
    reading = Reading(
        "Who is the landlord?",
        [hit_of("landlord")],
        Logits(one, one, one.bool(), null, null),
        in_memory(lambda _: document),
    )
    [answer] = rank(reading, AnswerSettings(), 3)
    assert answer.text == "landlord"
