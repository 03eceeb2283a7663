"""What confidence, probability and the null score are worth: reliability, and "no answer".

    python benchmarks/confidence.py DATA.json.gz --limit 1000 --png docs/reliability.png

Each article of a SQuAD file becomes one long document. For the diagram every question is asked of
all of them, and answers are sorted into bins by their confidence, and by their probability: in each
bin, how many are right (an annotator's answer, as exact match counts) against how sure docqa was.
The expected calibration error is the mean distance of both, weighed by the bins' sizes (Guo et al.
2017, section 2). The questions by which the reader's settings were chosen are left out.

For "no answer" every question is asked of three texts: its own paragraph; the window of its own
article that retrieval puts first of those that do not hold the answer; and likewise of the
other articles. At the threshold 95% still get an answer from their own paragraph.
Prints a JSON line a row.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from docqa import DocQA, Hit, Reader
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.metrics import best_over, exact_match
from docqa.evaluate.squad import Question, load_squad, sample, sampled
from docqa.evaluate.tune import margin
from docqa.ranking.rank import rank
from docqa.reader import text_document
from docqa.settings import DEFAULT_READER

TOGETHER = 64
SEARCHED = 50
ANSWERED = (0.95, 0.98, 0.99)
BINS = np.array([0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])

Floats = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--tuned-on", type=int, default=600, help="questions to leave out")
    parser.add_argument("--reader", default=DEFAULT_READER)
    parser.add_argument("--png", type=Path)
    args = parser.parse_args()
    articles = load_squad(args.data)
    tuned_on = sample(articles, args.tuned_on)
    reader = Reader(args.reader)
    sure: dict[str, list[float]] = {"confidence": [], "probability": []}
    right: list[float] = []
    margins: dict[str, list[float]] = {"own paragraph": [], "own article": [], "elsewhere": []}
    with TemporaryDirectory() as folder:
        paths = write_articles(articles, Path(folder) / "articles")
        asked = [
            (one.question, one.paragraph.context, str(paths[one.article]))
            for one in sampled(articles, None)
            if one.question.id not in tuned_on
        ]
        asked = random.Random(0).sample(asked, min(args.limit or len(asked), len(asked)))
        with DocQA(Path(folder) / "index", reader=args.reader) as qa:
            qa.index([Path(folder) / "articles"])
            always = replace(qa.settings, null_threshold=float("inf"))
            for first in range(0, len(asked), TOGETHER):
                part = asked[first : first + TOGETHER]
                questions = [question.text for question, _, _ in part]
                with qa.snapshot():
                    readings = qa.read_many(questions, qa.search_many(questions))
                    for (question, _, _), reading in zip(part, readings, strict=True):
                        [answer] = rank(reading, always, top_k=1)
                        golds = [text for text, _ in question.answers]
                        sure["confidence"].append(answer.confidence)
                        if answer.probability is not None:
                            sure["probability"].append(answer.probability)
                        right.append(best_over(exact_match, answer.text, golds))
                texts = {
                    "own paragraph": [context for _, context, _ in part],
                    "own article": [],
                    "elsewhere": [],
                }
                for (question, _, path), hits in zip(
                    part, qa.search_many(questions, SEARCHED), strict=True
                ):
                    texts["own article"].append(first_without(hits, question, path, own=True))
                    texts["elsewhere"].append(first_without(hits, question, path, own=False))
                for kind, row in texts.items():
                    pairs = [
                        (question, text_document(text))
                        for question, text in zip(questions, row, strict=True)
                        if text
                    ]
                    margins[kind] += [margin(r, always) for r in reader.readings(pairs)]
    for answered in ANSWERED:
        threshold = float(np.quantile(margins["own paragraph"], answered))
        row = {"answered": answered, "threshold": round(threshold, 2)}
        for kind, values in margins.items():
            refused = float(np.mean(np.array(values) > threshold))
            print(json.dumps({**row, "text": kind, "of": len(values), "none": round(refused, 4)}))
    tables = {
        name: reliability(name, np.array(values), np.array(right))
        for name, values in sure.items()
        if values
    }
    if args.png:
        draw(args.png, tables)


def first_without(hits: Sequence[Hit], question: Question, path: str, own: bool) -> str:
    """The text of the best window, of the own document or of another, that holds no answer."""
    golds = [text.lower() for text, _ in question.answers]
    for hit in hits:
        if (hit.document == path) is own and not any(gold in hit.text.lower() for gold in golds):
            return hit.text
    return ""


def reliability(name: str, sure: Floats, right: Floats) -> list[tuple[float, float, int]]:
    """For each bin how sure docqa was, the share of right answers, and how many there are."""
    bins = np.clip(np.digitize(sure, BINS) - 1, 0, len(BINS) - 2)
    table = []
    error = 0.0
    for n in range(len(BINS) - 1):
        inside = bins == n
        if not inside.any():
            continue
        mean, share = float(sure[inside].mean()), float(right[inside].mean())
        count = int(inside.sum())
        table.append((mean, share, count))
        error += count / len(right) * abs(mean - share)
        bounds = {"from": float(BINS[n]), "to": float(BINS[n + 1]), "answers": count}
        print(json.dumps({**bounds, name: round(mean, 4), "right": round(share, 4)}))
    print(json.dumps({"of": name, "answers": len(right), "calibration_error": round(error, 4)}))
    return table


def draw(file: Path, tables: dict[str, list[tuple[float, float, int]]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color="gray", label="as sure as right")
    for color, (name, table) in zip(("tab:gray", "tab:blue"), tables.items(), strict=False):
        means, shares, counts = zip(*table, strict=True)
        axes.plot(means, shares, color=color, alpha=0.5)
        sizes = 300 * np.array(counts) / max(counts) + 10
        axes.scatter(means, shares, s=sizes, color=color, label=f"{name} (area: how many)")
    axes.set_xlabel("how sure")
    axes.set_ylabel("share of right answers")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
