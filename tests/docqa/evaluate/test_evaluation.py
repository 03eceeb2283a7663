"""Wrong answers told apart, and scores of several sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docqa import AnswerSettings, DocQA, Reader
from docqa.evaluate.evaluation import evaluate_open, evaluate_reader, evaluate_sets
from docqa.evaluate.squad import Article, DevSet, Paragraph, Question
from docqa.evaluate.wrong_answers import WrongAnswers
from tests.conftest import LEASE, ROCKET


def question(number: int, text: str, context: str, *answers: str) -> Question:
    return Question(str(number), text, tuple((a, context.index(a)) for a in answers))


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    lease = (question(2, "Who is the landlord?", LEASE, "the tenant"),)  # marked wrongly
    rocket = (
        question(3, "Who designed the Ariadne rocket?", ROCKET, "Jean-Luc Ferrand"),
        question(4, "How tall is the Ariadne rocket?", ROCKET),  # marked as unanswerable
    )
    return [
        Article("lease", (Paragraph(LEASE, lease),)),
        Article("rocket", (Paragraph(ROCKET, rocket),)),
    ]


def test_wrong_answers_are_written_with_what_went_wrong(
    articles: list[Article], tmp_path: Path
) -> None:
    log = WrongAnswers()
    scores = evaluate_reader(
        Reader(settings=AnswerSettings(prior_weight=0.0)), articles, errors=log
    )
    log.write(tmp_path / "errors.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text().splitlines()]
    assert {row["id"]: row["case"] for row in rows} == {"2": "span", "4": "null"}
    assert log.counts() == {"retrieval": 0, "window": 0, "span": 1, "null": 1}
    assert scores.summary()["exact_match"] == pytest.approx(100 / 3, abs=0.01)
    landlord = rows[0]
    assert landlord["expected"] == ["the tenant"]
    assert "Margaret Holloway" in landlord["answer"]
    assert landlord["score"] >= landlord["expected_score"]
    start, end = landlord["place"]
    assert LEASE[start:end] == landlord["answer"]


def test_a_window_that_was_not_read_is_retrievals_fault(articles: list[Article]) -> None:
    astray = [
        Article("rocket", (Paragraph(ROCKET, ()),)),
        Article(
            "lease",
            (Paragraph(LEASE, (question(1, "Who designed the rocket?", LEASE, "the tenant"),)),),
        ),
    ]
    log = WrongAnswers()
    evaluate_open(astray, DocQA, candidates=1, errors=log)
    assert log.counts()["retrieval"] == 1
    log = WrongAnswers()
    evaluate_open(astray, DocQA, candidates=2, errors=log)
    assert log.counts()["window"] == 1


def test_several_sets_are_reported_together_and_each_for_itself(articles: list[Article]) -> None:
    sets = [DevSet(f"/d/{a.title}.json", [a], 10) for a in articles]
    steps: list[tuple[int, int]] = []
    overall, each = evaluate_sets(
        Reader(settings=AnswerSettings(prior_weight=0.0)), sets, lambda *now: steps.append(now)
    )
    assert [(one.name, one.questions, one.exact_match) for one in each] == [
        ("lease.json", 1, 0.0),
        ("rocket.json", 1, 100.0),
    ], "of the rocket, one question has no answer"
    assert (overall.questions, overall.exact_match) == (2, 50.0)
    assert steps == [(1, 2), (2, 2)]
