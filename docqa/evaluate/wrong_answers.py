"""Wrong answers, each with what went wrong: retrieval, the choice of the window, or the span."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docqa.answer import Answer
from docqa.evaluate.metrics import best_over, exact_match, f1
from docqa.evaluate.squad import Question
from docqa.explain.diagnosis import Gold, diagnose
from docqa.index.files import replaced
from docqa.ranking.reading import Reading
from docqa.ranking.span_search import Place
from docqa.settings import AnswerSettings

_CASES = ("retrieval", "window", "span", "null")


class WrongAnswers:
    """Collects the questions whose answer is no annotator's."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def add(
        self,
        question: Question,
        reading: Reading,
        settings: AnswerSettings,
        answers: Sequence[Answer],
        path: str,
        paragraph_start: int,
    ) -> None:
        """Look at an answered question; note it if the first answer is wrong.

        Args:
            path: of the document that holds the paragraph that the question was asked of.
            paragraph_start: where the paragraph starts in it.
        """
        golds = [text for text, _ in question.answers]
        text = answers[0].text if answers else ""
        if best_over(exact_match, text, golds):
            return
        document = next((hit.document_id for hit in reading.hits if hit.document == path), -1)
        marked = [
            Gold(gold, Place(document, paragraph_start + at, paragraph_start + at + len(gold)))
            for gold, at in question.answers
        ]
        found = diagnose(reading, settings, marked, same=lambda a, b: bool(exact_match(a, b)))
        self._rows.append(
            {
                "id": question.id,
                "question": question.text,
                "expected": list(dict.fromkeys(golds)),
                "answer": text or None,
                "f1": round(best_over(f1, text, golds), 4),
                "case": found.verdict,
                "document": answers[0].document if answers else None,
                "place": [answers[0].start, answers[0].end] if answers else None,
                "score": found.best and round(found.best.score, 4),
                "ranking": found.best and round(found.best.ranking, 4),
                "expected_score": found.expected and round(found.expected.score, 4),
                "expected_ranking": found.expected and round(found.expected.ranking, 4),
            }
        )

    def counts(self) -> dict[str, int]:
        """Return how many wrong answers there are of each case."""
        cases = Counter(row["case"] for row in self._rows)
        return {case: cases[case] for case in _CASES}

    def write(self, file: Path) -> None:
        """Write one JSON object a line."""
        with replaced(file) as part, part.open("w", encoding="utf-8") as stream:
            for row in self._rows:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
