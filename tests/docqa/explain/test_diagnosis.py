"""Whose fault a wrong answer is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from docqa import AnswerSettings, DocQA
from docqa.evaluate.metrics import exact_match
from docqa.explain.diagnosis import Gold, diagnose, occurrences
from docqa.explain.explanation import Explanation, explain
from docqa.explain.wording import ranking_line
from docqa.ingest.windows import Window
from docqa.ranking.reading import Reading, in_memory
from docqa.ranking.span_search import Logits, Place
from tests.docqa.explain.readings import PLAIN, TEXTS, made, printed


@pytest.mark.parametrize(
    ("expected", "verdict", "said"),
    [
        ("ada", "right", "first answer"),
        ("wrote the\n first", "span", "The right window won, but another place in it"),
        ("Ada WROTE", "span", "but the span was cut otherwise"),
        ("1947", "window", "“1947” was read in line 1 and ranks at 2.00"),
        ("Tim", "retrieval", "“Tim” is in none of the 2 windows read, and that is the whole file"),
        ("194", "retrieval", "none of the 2 windows"),
    ],
)
def test_a_wrong_answer_is_retrieval_s_or_the_window_s_or_the_span_s(
    expected: str, verdict: str, said: str
) -> None:
    reading = made(TEXTS, [{"Ada": 4.0}, {"1947": 1.0}])
    explanation = explain(reading, PLAIN, windows=1, expected=expected)
    assert explanation.diagnosis is not None
    assert explanation.diagnosis.verdict == verdict
    assert explanation.sentence is not None
    assert said in explanation.sentence
    shown = [window.document for window in explanation.windows]
    assert shown == ["/d/0.txt"] + ["/d/1.txt"] * (verdict == "window"), "and the one it is in"


def test_a_window_that_won_by_its_prior_is_told_from_one_that_the_reader_preferred() -> None:
    likely: list[dict[str, float]] = [{"Ada": 1.0}, {"1947": 2.0}]
    by_prior = made(TEXTS, likely, prominences=[2.0, -2.0])
    explanation = explain(by_prior, AnswerSettings(prior_weight=1.5), expected="1947")
    assert explanation.sentence == (
        "Another window won: “1947” was read in line 1 and ranks at 1.00 (score 4.00 - prior "
        "3.00), but “Ada” in line 1 ranks at 5.00 (score 2.00 + prior 3.00); by its score alone it "
        "would have come before that."
    )
    by_null = made(TEXTS, likely, nulls=[-3.0, 3.0])
    explanation = explain(by_null, AnswerSettings(prior_weight=0.0, null_weight=1), expected="1947")
    assert "(score 4.00 - null 3.00)" in (explanation.sentence or "")
    assert "(score 2.00 + null 3.00)" in (explanation.sentence or "")


def test_a_window_that_won_with_a_part_of_the_answer_is_told_apart() -> None:
    one = made(["Ada Lovelace wrote", "Ada Lovelace"], [{"Ada": 1.0, "Lovelace": 2.0}, {}])
    whole = one.hits[0]
    window = whole.window
    cut = Window(4, 18, window.token_ids[1:], window.token_offsets[1:] - 4)
    logits = one.logits
    of_cut = torch.tensor([[4.0, -5.0, -5.0]])
    reading = replace(
        one,
        hits=[whole, replace(whole, window=cut, text=whole.text[cut.start : cut.end])],
        logits=Logits(
            torch.cat([logits.start[:1], of_cut]),
            torch.cat([logits.end[:1], of_cut]),
            torch.tensor([[True, True, True], [True, True, False]]),
            logits.null_start,
            logits.null_end,
        ),
    )
    explanation = explain(reading, PLAIN, expected="Ada Lovelace")
    assert "Another window won, which holds only a part of it" in (explanation.sentence or "")
    assert "in its own window “Lovelace” comes first" in (explanation.sentence or "")


def test_an_expected_answer_that_is_too_long_is_said_to_be() -> None:
    reading = made(TEXTS, [{"Ada": 4.0}, {}])
    settings = AnswerSettings(prior_weight=0.0, max_answer_tokens=2)
    explanation = explain(reading, settings, expected="Ada wrote the first program")
    assert "it has 5 tokens, and an answer at most 2" in (explanation.sentence or "")


def test_the_null_score_may_be_to_blame() -> None:
    reading = made(TEXTS, [{"Ada": 1.0}, {}], nulls=[6.0, 7.0])
    held_back = AnswerSettings(prior_weight=0.0, null_threshold=3.0)
    explanation = explain(reading, held_back, expected="Ada")
    assert explanation.answers == ()
    assert explanation.diagnosis is not None
    assert explanation.diagnosis.verdict == "null"
    assert explanation.diagnosis.null_margin == 4.0
    assert "No answer was given, the lowest null score is 4.00 above" in explanation.sentence
    assert explain(reading, held_back, expected="Tim").diagnosis.verdict == "retrieval"
    assert diagnose(reading, held_back, []).verdict == "right", "there is none, none was given"
    assert diagnose(reading, PLAIN, []).verdict == "null", "there is none, one was given"


def test_expected_answers_may_have_places_and_a_measure_of_their_own() -> None:
    reading = made(["Ada met Grace.", "Grace met Ada."], [{"Ada": 4.0}, {"Grace": 1.0}])

    def verdict(*golds: Gold, **arguments: Any) -> str:
        return diagnose(reading, PLAIN, golds, **arguments).verdict

    assert verdict(Gold("Grace")) == "span", "the window that won holds it, too"
    assert verdict(Gold("Grace", Place(1, 0, 5))) == "window"
    assert verdict(Gold("Grace", Place(0, 8, 13))) == "span"
    assert verdict(Gold("Grace", Place(0, 8, 99))) == "retrieval", "no window holds all of it"
    assert verdict(Gold("Grace", Place(7, 0, 5))) == "retrieval"
    assert verdict(Gold("Tim"), Gold("Ada")) == "right", "any of them"
    assert verdict(Gold("the Ada!", Place(0, 0, 3))) == "span"
    assert verdict(Gold("the Ada!"), same=lambda a, b: exact_match(a, b) == 1) == "right"


def test_a_text_is_found_whatever_its_capitals_and_blanks_but_never_inside_a_word() -> None:
    text = "It costs 1,250 Euros a\n  month, 250 euros  A month in 2030."
    assert [text[a:b] for a, b in occurrences(text, " euros a MONTH ")] == [
        "Euros a\n  month",
        "euros  A month",
    ]
    assert [a for a, _ in occurrences(text, "250")] == [text.rindex("250")]
    assert list(occurrences(text, "30")) == []
    assert list(occurrences(text, ".*")) == []


def test_nothing_read_is_explained_too() -> None:
    empty = torch.zeros(0, 0)
    logits = Logits(empty, empty, empty.bool(), torch.zeros(0), torch.zeros(0))
    reading = Reading("Who?", [], logits, in_memory({}.__getitem__))
    explanation = explain(reading, PLAIN, expected="Ada")
    assert (explanation.answers, explanation.windows) == ((), ())
    assert explanation.diagnosis is not None
    assert explanation.diagnosis.verdict == "retrieval"
    assert "No window was read" in printed(explanation)


def test_what_retrieval_missed_is_searched_wider(index: Path) -> None:
    qa = DocQA(index)

    def explained(expected: str) -> Explanation:
        return qa.explain("Who is the landlord?", candidates=1, expected=expected)

    missed = explained("seventeen ROCKETS")
    assert missed.diagnosis is not None
    assert missed.diagnosis.wider is not None
    assert (missed.diagnosis.wider.windows, missed.diagnosis.wider.rank) == (2, 2)
    assert missed.sentence == (
        "Retrieval missed it: “seventeen ROCKETS” is not in the one window read, but in "
        "number 2 of a wider search (--candidates 2 lets the reader see it)."
    )
    assert "in none of the 2 windows of a wider search" in (explained("Tim").sentence or "")
    right = explained("Margaret Holloway")
    assert right.sentence == "Right: “Margaret Holloway” is the first answer."


def test_windows_that_were_read_in_parts_have_their_hit_s_rank(
    index: Path, tiny_reader: Path
) -> None:
    qa = DocQA(index, reader=str(tiny_reader))
    explanation = qa.explain("Who?", windows=99)
    hits = qa.search("Who?", 10)
    assert explanation.windows_read > len(hits) == 2
    for window in explanation.windows:
        assert window.search_rank is not None
        hit = hits[window.search_rank - 1]
        assert hit.document == window.document
        assert hit.start <= window.start < window.end <= hit.end
        assert window.search_score == hit.score
        assert window.prominence == hit.prominence


def test_a_span_that_lost_by_its_length_is_told_with_what_that_took_off() -> None:
    reading = made(TEXTS[:1], [{"Ada": 3.0, "first": 2.75}])
    end = torch.full_like(reading.logits.end, -5.0)
    end[0, 4] = 3.0  # program
    reading = replace(reading, logits=replace(reading.logits, end=end))
    whole = "Ada wrote the first program"
    assert explain(reading, PLAIN).answers[0].text == whole
    explanation = explain(reading, replace(PLAIN, length_weight=0.25), expected=whole)
    assert explanation.answers[0].text == "first program"
    assert explanation.answers[0].score == 5.75
    assert explanation.sentence == (
        "The right window won, but the span was cut otherwise: “first program” scores 5.75 (start "
        f"2.75, end 3.00), less a length penalty of 0.25, “{whole}” 6.00 (start 3.00, end 3.00), "
        "less a length penalty of 1.00."
    )
    [window] = explanation.windows
    assert window.best.ranking == 5.5
    assert ranking_line(window) == "best span: score 5.75 - length penalty 0.25 = 5.50"
