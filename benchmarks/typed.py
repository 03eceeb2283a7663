"""What it costs to type carelessly: the same questions, spoilt by a program.

    python benchmarks/typed.py DATA.json.gz --limit 200 --whole

The answerable questions of a SQuAD file are asked as they are, then with each kind of
docqa/evaluate/typed.py, and in a mixture, as `docqa train --typed` draws them. Each is asked of its
own paragraph; with --whole, of all articles as long documents, too. Prints a JSON line a kind, then
a table: exact match and F1, how many got an answer, and the difference in F1 to the unspoilt ones.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from docqa import DocQA, Reader
from docqa.evaluate.evaluation import Scores, ask_all, evaluate_reader, write_articles
from docqa.evaluate.squad import Article, DevSet, load_squad
from docqa.evaluate.typed import KINDS, as_typed
from docqa.settings import DEFAULT_READER

AS_ASKED = "as asked"
SPOILERS = {AS_ASKED: lambda question, _: question, **KINDS, "mixed": as_typed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--limit", type=int, help="questions drawn, before the unanswerable go")
    parser.add_argument("--whole", action="store_true", help="ask whole documents, too")
    parser.add_argument("--reader", default=DEFAULT_READER)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    articles = load_squad(args.data)
    count = sum(len(part.questions) for article in articles for part in article.paragraphs)
    articles = DevSet(args.data, articles, args.limit or max(count, 1)).answerable()
    reader = Reader(args.reader)
    rows = measured("in context", articles, args.seed, lambda part: evaluate_reader(reader, part))
    if args.whole:
        with TemporaryDirectory() as folder:
            paths = write_articles(articles, Path(folder) / "articles")
            with DocQA(Path(folder) / "index", reader=args.reader) as qa:
                qa.index([Path(folder) / "articles"])
                rows += measured(
                    "whole documents",
                    articles,
                    args.seed,
                    lambda part: ask_all(qa, part, paths, 10, None, None, None),
                )
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(stderr=True).print(table)


def measured(
    way: str, articles: Sequence[Article], seed: int, ask: Callable[[Sequence[Article]], Scores]
) -> list[dict[str, object]]:
    """Return a row for each kind of spoiling, and print it."""
    rows: list[dict[str, object]] = []
    plain = 0.0
    for kind in SPOILERS:
        scores = ask([spoilt(article, kind, seed) for article in articles]).summary()
        plain = scores["f1"] if kind == AS_ASKED else plain
        rows.append(
            {
                "way": way,
                "kind": kind,
                "questions": scores["questions"],
                "em": round(scores["exact_match"], 1),
                "f1": round(scores["f1"], 1),
                "answered": round(scores["answered"], 3),
                "f1_difference": round(scores["f1"] - plain, 1),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    return rows


def spoilt(article: Article, kind: str, seed: int) -> Article:
    """Return an article whose questions are spoilt; what is drawn for one depends on its id."""

    def typed(question_id: str, text: str) -> str:
        return SPOILERS[kind](text, np.random.default_rng([seed, zlib.crc32(question_id.encode())]))

    return replace(
        article,
        paragraphs=tuple(
            replace(
                part,
                questions=tuple(replace(q, text=typed(q.id, q.text)) for q in part.questions),
            )
            for part in article.paragraphs
        ),
    )


if __name__ == "__main__":
    main()
