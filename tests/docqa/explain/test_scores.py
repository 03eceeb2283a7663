"""The numbers of an explanation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from docqa.explain.explanation import Explanation, explain
from docqa.explain.pieces import pieces
from docqa.ranking.rank import rank
from tests.docqa.explain.readings import PLAIN, TEXTS, made


def test_probabilities_of_all_tokens_and_cls_add_up_to_one(tiny: Explanation) -> None:
    assert tiny.windows_read == len(tiny.windows) > 1
    for total in (
        sum(t.start_probability for w in tiny.windows for t in w.tokens)
        + sum(w.null_start_probability for w in tiny.windows),
        sum(t.end_probability for w in tiny.windows for t in w.tokens)
        + sum(w.null_end_probability for w in tiny.windows),
    ):
        assert total == pytest.approx(1, abs=1e-4)


def test_a_span_s_confidence_is_the_product_of_its_tokens(tiny: Explanation) -> None:
    for window in tiny.windows:
        for span in window.spans:
            first, last = window.tokens[span.first], window.tokens[span.last]
            product = first.start_probability * last.end_probability
            assert span.confidence == pytest.approx(product)
            assert span.score == pytest.approx(span.start_logit + span.end_logit, abs=1e-5)
            assert span.ranking == pytest.approx(span.score + span.prior + span.null)


def test_the_best_span_is_the_first_answer(tiny: Explanation) -> None:
    best, answer = tiny.windows[0].best, tiny.answers[0]
    assert (best.start, best.end, best.text) == (answer.start, answer.end, answer.text)
    assert best.score == pytest.approx(answer.score)
    assert best.confidence == pytest.approx(answer.confidence, rel=1e-4)
    assert best.answer == 1
    rankings = [window.best.ranking for window in tiny.windows]
    assert rankings == sorted(rankings, reverse=True)


def test_pieces_are_the_window_s_text(tiny: Explanation) -> None:
    for window in tiny.windows:
        parts = list(pieces(window))
        assert "".join(part.text for part in parts) == window.text
        marked = "".join(part.text for part in parts if part.span == 1)
        assert marked == window.best.text


def test_a_character_that_is_several_tokens_has_the_sum_of_their_probabilities() -> None:
    window = explain(made(["Ada wrote"], [{"Ada": 4.0}]), PLAIN, top_k=1).windows[0]
    ada, wrote = window.tokens
    shared = replace(window, tokens=(ada, replace(wrote, start=0, end=3), wrote))
    first, *rest = pieces(shared)
    assert (first.text, len(first.tokens)) == ("Ada", 2)
    assert first.start_probability == ada.start_probability + wrote.start_probability
    assert [(part.text, len(part.tokens)) for part in rest] == [(" ", 0), ("wrote", 1)]


def test_answers_are_those_of_asking_and_are_widened_to_words() -> None:
    reading = made(["Set BASH_XTRACEFD to a number."], [{"XTRACEFD": 4.0, "number": 3.0}])
    explanation = explain(reading, PLAIN, top_k=2)
    assert list(explanation.answers) == rank(reading, PLAIN, 2)
    best = explanation.windows[0].best
    assert best.text == "BASH_XTRACEFD"
    tokens = explanation.windows[0].tokens
    assert tokens[best.first].text == tokens[best.last].text == "XTRACEFD"
    marked = [part.text for part in pieces(explanation.windows[0]) if part.span == 1]
    assert marked == ["BASH", "_", "XTRACEFD"]
    assert [span.text for span in explanation.windows[0].spans] == ["BASH_XTRACEFD", "number"]


def test_a_span_that_lost_against_an_answer_it_overlaps_says_so() -> None:
    one = made(["Ada wrote it.", "Ada wrote it"], [{"Ada": 4.0}, {"Ada": 3.0}])
    reading = replace(one, hits=[replace(hit, document_id=0) for hit in one.hits])
    windows = explain(reading, PLAIN, top_k=1).windows
    assert [(w.best.answer, w.best.overlaps) for w in windows] == [(1, None), (None, 1)]


def test_wrong_numbers_are_refused() -> None:
    reading = made(TEXTS, [{}, {}])
    for arguments in ({"windows": 0}, {"top_k": 0}, {"expected": " "}):
        with pytest.raises(ValueError, match=r"at least|empty"):
            explain(reading, PLAIN, **arguments)
