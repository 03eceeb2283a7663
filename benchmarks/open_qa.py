"""Whole documents: F1 against prior_weight, against the number of candidates, and no answer.

    python benchmarks/open_qa.py DATA.json.gz --limit 1500

Each article of a SQuAD file becomes one long document and every question is asked of all of them,
as ``docqa eval open`` does. Windows are read once for each question; all settings are then tried
on the same logits. For the last table each question is also asked of the other articles alone,
where it has no answer. Prints a JSON line a row.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from docqa import DocQA, WindowSettings
from docqa.choose import Passage, Reading, choose
from docqa.evaluate.metrics import best_over, exact_match, f1
from docqa.evaluate.squad import load_squad, sample
from docqa.retrieve import Candidate, candidates
from docqa.settings import AnswerSettings
from docqa.span_model import Job
from docqa.spans import Logits, best_spans, null_score
from index.dense import DenseIndex
from index.store import Store

PRIORS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
NULLS = (0.0, 1.0)
COUNTS = (1, 2, 3, 5, 10, 15)
THRESHOLDS = (-8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0)
DEFAULT_CANDIDATES = 10
TOGETHER = 32
ALL = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--reader")
    parser.add_argument("--window-size", type=int, default=WindowSettings().size)
    parser.add_argument("--overlap", type=int, default=WindowSettings().overlap)
    args = parser.parse_args()
    articles = load_squad(args.data)
    window = WindowSettings(args.window_size, args.overlap)
    with TemporaryDirectory() as folder:
        documents = Path(folder) / "articles"
        documents.mkdir()
        for n, article in enumerate(articles):
            (documents / f"{n:05}.txt").write_text(article.text, encoding="utf-8", newline="")
        qa = DocQA(Path(folder) / "index", reader=args.reader, window=window)
        qa.index([documents])
        qa.close()
        store = Store.open(Path(folder) / "index")
        chosen = sample(articles, args.limit)
        asked = [
            (str(documents / f"{n:05}.txt"), question.text, [gold for gold, _ in question.answers])
            for n, article in enumerate(articles)
            for paragraph in article.paragraphs
            for question in paragraph.questions
            if question.id in chosen
        ]
        measure(qa, store, asked, window)


def measure(
    qa: DocQA, store: Store, asked: list[tuple[str, str, list[str]]], window: WindowSettings
) -> None:
    dense = DenseIndex.load(store)
    embed = qa._embedder_for(store).questions
    base = qa.model.answer_settings
    always = replace(base, null_threshold=float("inf"))
    by_prior = {(null, prior): [0.0, 0.0] for null in NULLS for prior in PRIORS}
    by_count = {count: [0.0, 0.0] for count in COUNTS}
    margins: dict[bool, list[float]] = {True: [], False: []}
    began = time.perf_counter()
    for first in range(0, len(asked), TOGETHER):
        part = asked[first : first + TOGETHER]
        questions = [question for _, question, _ in part]
        found = candidates(store, dense, questions, embed(questions), ALL)
        ids = [qa.model.question_ids(question) for question in questions]
        elsewhere = [
            _passages(store, _not_in(store, path, row)[:DEFAULT_CANDIDATES])
            for row, (path, _, _) in zip(found, part, strict=True)
        ]
        passages = [_passages(store, row[: max(COUNTS)]) for row in found]
        jobs = [
            Job(i, [p.window for p in row])
            for i, row in zip(ids * 2, passages + elsewhere, strict=True)
        ]
        logits = qa.model.logits(jobs)
        for n, (_, _, golds) in enumerate(part):
            row = passages[n]
            for null, prior in by_prior:
                tried = replace(always, prior_weight=prior, null_weight=null)
                text = _best(store, logits[n], row, tried, DEFAULT_CANDIDATES)
                by_prior[null, prior][0] += best_over(exact_match, text, golds)
                by_prior[null, prior][1] += best_over(f1, text, golds)
            for count in COUNTS:
                text = _best(store, logits[n], row, always, count)
                by_count[count][0] += best_over(exact_match, text, golds)
                by_count[count][1] += best_over(f1, text, golds)
            margins[True].append(_margin(_first(logits[n], DEFAULT_CANDIDATES), base))
            margins[False].append(_margin(logits[len(part) + n], base))
    total = len(asked)
    fixed = {"questions": total, "window": window.size, "overlap": window.overlap}
    for (null, prior), (em, f) in by_prior.items():
        shares = {"em": em / total, "f1": f / total}
        _row(**fixed, candidates=DEFAULT_CANDIDATES, null_weight=null, prior_weight=prior, **shares)
    for count, (em, f) in by_count.items():
        shares = {"em": em / total, "f1": f / total}
        weights = {"null_weight": base.null_weight, "prior_weight": base.prior_weight}
        _row(**fixed, candidates=count, **weights, **shares)
    for threshold in THRESHOLDS:
        answered = sum(margin <= threshold for margin in margins[True]) / total
        refused = sum(margin > threshold for margin in margins[False]) / total
        _row(null_threshold=threshold, answerable_answered=answered, unanswerable_refused=refused)
    _row(seconds=time.perf_counter() - began)


def _passages(store: Store, row: list[Candidate]) -> list[Passage]:
    stored = store.windows([candidate.window_id for candidate in row])
    return [
        Passage(at.document_id, at.window, candidate.standing)
        for at, candidate in zip(stored, row, strict=True)
    ]


def _not_in(store: Store, path: str, row: list[Candidate]) -> list[Candidate]:
    """The candidates that are not of one document."""
    places = store.window_places([candidate.window_id for candidate in row])
    return [one for one, place in zip(row, places, strict=True) if place.path != path]


def _first(logits: Logits, count: int) -> Logits:
    return Logits(
        *(
            getattr(logits, name)[:count]
            for name in ("start", "end", "allowed", "null_start", "null_end")
        )
    )


def _best(
    store: Store, logits: Logits, row: list[Passage], settings: AnswerSettings, count: int
) -> str:
    reading = Reading("", row[:count], _first(logits, count), store.document)
    answers = choose(reading, settings, 1)
    return answers[0].text if answers else ""


def _margin(logits: Logits, settings: AnswerSettings) -> float:
    scores, _, _ = best_spans(logits.start, logits.end, logits.allowed, settings.max_answer_tokens)
    return null_score(logits) - float(torch.max(scores))


def _row(**values: float) -> None:
    print(json.dumps({name: round(value, 4) for name, value in values.items()}), flush=True)


if __name__ == "__main__":
    main()
