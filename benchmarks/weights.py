"""Whole documents: EM and F1 against the weights of ranking, and the number of candidates.

    python benchmarks/weights.py DATA.json.gz --limit 1000

Each article of a SQuAD file becomes one long document and every question is asked of all of them,
as ``docqa eval open`` does. Windows are read once for each question; all settings are then tried
on the same logits. Prints a JSON line a row.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from docqa import DocQA
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.metrics import best_over, exact_match, f1
from docqa.evaluate.squad import load_squad, sampled
from docqa.index.search import z_scores
from docqa.ranking.rank import rank
from docqa.ranking.reading import Reading

PRIORS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
NULLS = (0.0, 0.5, 1.0)
LENGTHS = (0.0, 0.05, 0.1, 0.15, 0.2)
WEIGHTS = ("prior_weight", "null_weight", "length_weight")
COUNTS = (1, 2, 3, 5, 10, 15)
DEFAULT_CANDIDATES = 10
TOGETHER = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--reader")
    args = parser.parse_args()
    articles = load_squad(args.data)
    asked = [one.question for one in sampled(articles, args.limit)]
    with TemporaryDirectory() as folder:
        write_articles(articles, Path(folder) / "articles")
        with DocQA(Path(folder) / "index", reader=args.reader) as qa:
            qa.index([Path(folder) / "articles"])
            usual = replace(qa.settings, null_threshold=float("inf"))
            tried = [
                replace(usual, prior_weight=prior, null_weight=null)
                for prior, null in product(PRIORS, NULLS)
            ]
            tried += [replace(usual, length_weight=length) for length in LENGTHS]
            cases = [(DEFAULT_CANDIDATES, settings) for settings in tried]
            cases += [(count, usual) for count in COUNTS]
            sums = {case: np.zeros(2) for case in cases}
            for start in range(0, len(asked), TOGETHER):
                part = asked[start : start + TOGETHER]
                questions = [question.text for question in part]
                with qa.snapshot():
                    hits = qa.search_many(questions, max(COUNTS))
                    readings = qa.read_many(questions, hits, exhaustive=True)
                    for question, reading in zip(part, readings, strict=True):
                        golds = [gold for gold, _ in question.answers]
                        firsts = {count: first(reading, count) for count in COUNTS}
                        for (count, settings), total in sums.items():
                            [answer] = rank(firsts[count], settings, top_k=1)
                            for n, measure in enumerate((exact_match, f1)):
                                total[n] += best_over(measure, answer.text, golds)
    for (count, settings), (em, score) in sums.items():
        row = {"candidates": count}
        row |= {name: getattr(settings, name) for name in WEIGHTS}
        shares = {"em": 100 * em / len(asked), "f1": 100 * score / len(asked)}
        row |= {name: round(float(share), 2) for name, share in shares.items()}
        print(json.dumps({"questions": len(asked), **row}))


def first(reading: Reading, count: int) -> Reading:
    """Return the reading as it would have been with fewer candidates."""
    part = reading.first(count)
    if len({hit.id for hit in reading.hits}) < len(reading.hits):
        raise AssertionError("a question so long that windows were cut for it")
    prominences = z_scores(np.array([hit.score for hit in part.hits], np.float32)).tolist()
    hits = [
        replace(hit, prominence=prominence)
        for hit, prominence in zip(part.hits, prominences, strict=True)
    ]
    return replace(part, hits=hits)


if __name__ == "__main__":
    main()
