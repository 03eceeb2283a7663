"""Wrong answers told apart, and settings chosen on data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docqa import AnswerSettings, DocQA, Reader
from docqa.evaluate.errors import ErrorLog
from docqa.evaluate.run import evaluate_open, evaluate_reader
from docqa.evaluate.squad import Article, Paragraph, Question
from docqa.evaluate.tune import tune
from docqa.ranking.probability import Platt
from docqa.settings import DEFAULT_READER
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
    log = ErrorLog()
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
    log = ErrorLog()
    evaluate_open(astray, DocQA, candidates=1, errors=log)
    assert log.counts()["retrieval"] == 1
    log = ErrorLog()
    evaluate_open(astray, DocQA, candidates=2, errors=log)
    assert log.counts()["window"] == 1


def test_settings_are_chosen_on_data(articles: list[Article]) -> None:
    tuned = tune(DEFAULT_READER, articles)
    assert tuned.f1 >= tuned.pure_f1 > 0
    assert tuned.settings.prior_weight >= 0
    assert tuned.settings.null_threshold < float("inf")


def test_settings_are_kept_beside_the_reader(tmp_path: Path) -> None:
    settings = AnswerSettings(prior_weight=0.25, null_threshold=1.5, platt=Platt(0.2, 0.3, 0.1))
    settings.save(tmp_path)
    assert AnswerSettings.of_reader(tmp_path) == settings
    AnswerSettings().save(tmp_path)
    assert AnswerSettings.of_reader(tmp_path) == AnswerSettings()


def test_nothing_to_choose_by(articles: list[Article]) -> None:
    with pytest.raises(ValueError, match="no answerable question"):
        tune(DEFAULT_READER, [Article("", (Paragraph(LEASE, ()),))])
