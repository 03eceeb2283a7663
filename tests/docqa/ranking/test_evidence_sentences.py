"""Sentences by what all spans that begin in them are worth together."""

from __future__ import annotations

from dataclasses import replace
from math import inf, log

import numpy as np
import pytest
import torch

from docqa.ranking.evidence_sentences import evidence_sentences, starting_weights
from tests.docqa.explain.readings import PLAIN, made

TEXT = "Keys are lost. Tell the desk at once, or the guard at night. The desk is in Paris."


def test_a_start_is_worth_all_its_spans() -> None:
    random = torch.Generator().manual_seed(0)
    start, end = (torch.randn(2, 7, generator=random) for _ in range(2))
    allowed = torch.ones(2, 7, dtype=torch.bool)
    allowed[1, 5:] = False
    found = starting_weights(start, end, allowed, 3).numpy()
    for w, tokens in ((0, 7), (1, 5)):
        for i in range(tokens):
            spans = [float(start[w, i] + end[w, j]) for j in range(i, min(i + 3, tokens))]
            assert found[w, i] == pytest.approx(np.logaddexp.reduce(spans), abs=1e-5)
    assert (found[1, 5:] == -inf).all()


def test_many_fair_spans_outweigh_one_good_one() -> None:
    reading = made([TEXT], [{"Tell": 3.0, "desk": 2.0, "guard": 3.0, "Paris": 3.4}])
    [first, second, third] = evidence_sentences(reading, PLAIN, 3)
    assert first.text == "Tell the desk at once, or the guard at night."
    assert second.text == "The desk is in Paris."
    assert third.text == "Keys are lost."
    assert TEXT[first.start : first.end] == first.text
    assert first.share + second.share + third.share == pytest.approx(1)


def test_copies_of_a_sentence_count_once() -> None:
    reading = made([TEXT, TEXT], [{"Tell": 3.0}, {"Tell": 3.0}])
    texts = [sentence.text for sentence in evidence_sentences(reading, PLAIN, 6)]
    assert len(texts) == len(set(texts)) == 3


def test_where_there_is_no_answer_there_is_no_evidence() -> None:
    reading = made([TEXT], [{"Tell": 3.0}], nulls=[8.0])
    assert evidence_sentences(reading, replace(PLAIN, null_threshold=1.0), 3) == []
    assert len(evidence_sentences(reading, PLAIN, 3)) == 3


def test_what_counts_beside_the_score_of_a_window_counts_for_its_sentences() -> None:
    reading = made(
        ["Ada wrote it.", "Grace wrote it."], [{"Ada": 1.0}, {"Grace": 1.0}], prominences=[0.0, 2.0]
    )
    settings = replace(PLAIN, prior_weight=1.0)
    [grace, ada] = evidence_sentences(reading, settings, 2)
    assert (grace.text, ada.text) == ("Grace wrote it.", "Ada wrote it.")
    assert log(grace.share / ada.share) == pytest.approx(2, abs=0.01)


def test_at_least_one_sentence_is_asked_for() -> None:
    with pytest.raises(ValueError, match="at least one sentence"):
        evidence_sentences(made([TEXT], [{}]), PLAIN, 0)
