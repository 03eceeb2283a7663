"""What confidence, probability and the null score are worth: reliability, and "no answer".

    python benchmarks/confidence.py REAL.json.gz SQUAD.json.gz --tuned-on 200 200 --png curves.png

Each article of a SQuAD file becomes one long document. For the diagram every question is asked of
all of the file's, and answers are sorted into bins by their confidence, and by their probability:
in each bin, how many are right (an annotator's answer, as exact match counts) against how sure
docqa was. The expected calibration error is the mean distance of both, weighed by the bins' sizes
(Guo et al. 2017, section 2). The questions by which the reader's settings were chosen are left out.

For "no answer" every question is asked of three texts: its own paragraph; the window of its own
article that retrieval puts first of those that do not hold the answer; and likewise of the
other articles. At the threshold 95% still get an answer from their own paragraph.
Prints a JSON line a row, and in the end one for each file.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
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
KINDS = ("own paragraph", "own article", "elsewhere")
SURE = (0.5, 0.8)
BINS = np.array([0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])

Floats = npt.NDArray[np.float64]


@dataclass
class Asked:
    """What became of the questions of a file.

    Attributes:
        sure: by name, how sure docqa was of each answer.
        right: 1 where it is an annotator's.
        margins: for each kind of text, by how much "no answer" won, for each question.
    """

    sure: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    right: list[float] = field(default_factory=list)
    margins: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, help="questions of each file")
    parser.add_argument(
        "--tuned-on", type=int, nargs="+", default=[], help="questions to leave out of each file"
    )
    parser.add_argument("--reader", default=DEFAULT_READER)
    parser.add_argument("--png", type=Path)
    args = parser.parse_args()
    reader = Reader(args.reader)
    tables: dict[str, dict[str, list[tuple[float, float, int]]]] = {}
    rows = []
    for file, left_out in zip_longest(args.data, args.tuned_on[: len(args.data)], fillvalue=0):
        asked = ask_all_of(file, left_out, args.limit, reader, args.reader)
        print_null(asked)
        right = np.array(asked.right)
        sure = {name: np.array(values) for name, values in asked.sure.items()}
        name = file.name.split(".")[0]
        tables[name] = {kind: reliability(kind, values, right) for kind, values in sure.items()}
        rows.append(summary(name, sure, right))
    for row in rows:
        print(json.dumps(row))
    if args.png:
        draw(args.png, tables)


def ask_all_of(
    file: Path, left_out: int, limit: int | None, reader: Reader, reader_name: str
) -> Asked:
    """Ask the questions of a file.

    Args:
        left_out: how many there are by which the reader's settings were chosen.
    """
    articles = load_squad(file)
    tuned_on = sample(articles, left_out) if left_out else set()
    found = Asked()
    with TemporaryDirectory() as folder:
        paths = write_articles(articles, Path(folder) / "articles")
        asked = [
            (one.question, one.paragraph.context, str(paths[one.article]))
            for one in sampled(articles, None)
            if one.question.id not in tuned_on
        ]
        asked = random.Random(0).sample(asked, min(limit or len(asked), len(asked)))
        with DocQA(Path(folder) / "index", reader=reader_name) as qa:
            qa.index([Path(folder) / "articles"])
            for first in range(0, len(asked), TOGETHER):
                _ask(qa, reader, asked[first : first + TOGETHER], found)
    return found


def _ask(
    qa: DocQA, reader: Reader, part: Sequence[tuple[Question, str, str]], found: Asked
) -> None:
    """Ask some questions, and note what came of them."""
    always = replace(qa.settings, null_threshold=float("inf"))
    questions = [question.text for question, _, _ in part]
    with qa.snapshot():
        readings = qa.read_many(questions, qa.search_many(questions))
        for (question, _, _), reading in zip(part, readings, strict=True):
            [answer] = rank(reading, always, top_k=1)
            golds = [text for text, _ in question.answers]
            found.sure["confidence"].append(answer.confidence)
            if answer.probability is not None:
                found.sure["probability"].append(answer.probability)
            found.right.append(best_over(exact_match, answer.text, golds) if golds else 0.0)
    answerable = [n for n, (question, _, _) in enumerate(part) if question.answers]
    searched = qa.search_many(questions, SEARCHED)
    for kind in KINDS:
        pairs = []
        for n in answerable:
            question, context, path = part[n]
            text = context
            if kind != "own paragraph":
                text = first_without(searched[n], question, path, own=kind == "own article")
            if text:
                pairs.append((question.text, text_document(text)))
        found.margins[kind] += [margin(one, always) for one in reader.readings(pairs)]


def print_null(asked: Asked) -> None:
    """Print how many get no answer from each kind of text, at several thresholds."""
    for answered in ANSWERED:
        threshold = float(np.quantile(asked.margins["own paragraph"], answered))
        row = {"answered": answered, "threshold": round(threshold, 2)}
        for kind, values in asked.margins.items():
            refused = float(np.mean(np.array(values) > threshold))
            print(json.dumps({**row, "text": kind, "of": len(values), "none": round(refused, 4)}))


def summary(name: str, sure: dict[str, Floats], right: Floats) -> dict[str, object]:
    """Return a file's row: the errors of calibration, and what is right of what is called sure."""
    row: dict[str, object] = {"data": name, "answers": len(right), "right": round(right.mean(), 4)}
    for kind, values in sure.items():
        row[f"{kind}, error"] = round(calibration_error(values, right), 4)
    if "probability" in sure:
        for least in SURE:
            called = sure["probability"] >= least
            share = float(right[called].mean()) if called.any() else float("nan")
            row[f"called {least:.0%} or more"] = int(called.sum())
            row[f"of these right, {least:.0%}"] = round(share, 4)
    return row


def first_without(hits: Sequence[Hit], question: Question, path: str, own: bool) -> str:
    """The text of the best window, of the own document or of another, that holds no answer."""
    golds = [text.lower() for text, _ in question.answers]
    for hit in hits:
        if (hit.document == path) is own and not any(gold in hit.text.lower() for gold in golds):
            return hit.text
    return ""


def reliability(name: str, sure: Floats, right: Floats) -> list[tuple[float, float, int]]:
    """For each bin how sure docqa was, the share of right answers, and how many there are."""
    table = []
    for n, inside in bins_of(sure):
        mean, share = float(sure[inside].mean()), float(right[inside].mean())
        count = int(inside.sum())
        table.append((mean, share, count))
        bounds = {"from": float(BINS[n]), "to": float(BINS[n + 1]), "answers": count}
        print(json.dumps({**bounds, name: round(mean, 4), "right": round(share, 4)}))
    return table


def calibration_error(sure: Floats, right: Floats) -> float:
    """Return the expected calibration error."""
    return sum(
        float(inside.mean()) * abs(float(sure[inside].mean()) - float(right[inside].mean()))
        for _, inside in bins_of(sure)
    )


def bins_of(sure: Floats) -> list[tuple[int, npt.NDArray[np.bool_]]]:
    """Return the bins that hold anything: the number of each, and which answers are in it."""
    bins = np.clip(np.digitize(sure, BINS) - 1, 0, len(BINS) - 2)
    return [(n, bins == n) for n in sorted(set(bins.tolist()))]


def draw(file: Path, tables: dict[str, dict[str, list[tuple[float, float, int]]]]) -> None:
    """Draw a panel for each file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(tables), 4.4), layout="constrained")
    panels = figure.subplots(1, len(tables), squeeze=False, sharey=True)[0]
    for axes, (data, curves) in zip(panels, tables.items(), strict=True):
        axes.plot([0, 1], [0, 1], "--", color="gray", label="as sure as right")
        for color, (name, table) in zip(("tab:gray", "tab:blue"), curves.items(), strict=False):
            means, shares, counts = zip(*table, strict=True)
            axes.plot(means, shares, color=color, alpha=0.5)
            sizes = 300 * np.array(counts) / max(counts) + 10
            axes.scatter(means, shares, s=sizes, color=color, label=f"{name} (area: how many)")
        axes.set_title(data)
        axes.set_xlabel("how sure")
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("share of right answers")
    panels[0].legend(loc="lower right")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
