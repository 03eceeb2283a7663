"""Whether collections of 1, 2, 4 and 16 shards find and answer what one index does, and how fast.

    python benchmarks/collection.py dev.json.gz --questions 1000 --read 200

The articles of a data set in SQuAD's format are indexed once and shared out to shards. The ten
candidates of each question are compared with those of the one index: the windows, their order, and
for the first questions the answers. Where only windows that score alike have changed places, that
is counted as a tie. A collection gives BM25 the statistics of all its shards in a round of its own
before the search; that round's time stands beside the search's, and what the alternative would
take: a file of all words with their numbers of windows. Prints a JSON line for each row.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from docqa import DocQA
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.squad import load_squad, sampled
from docqa.index.collection.reshard import reshard
from docqa.index.full_text import question_words
from docqa.index.hit import Hit
from docqa.index.postings import split_words
from docqa.index.store import Store, Vectors

CANDIDATES = 10
ALIKE = 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="in SQuAD's format")
    parser.add_argument("--articles", type=int, help="only the first ones")
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--read", type=int, default=200, help="how many of them to answer, too")
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 2, 4, 16])
    args = parser.parse_args()
    articles = load_squad(args.data)[: args.articles]
    asked = [drawn.question.text for drawn in sampled(articles, args.questions)]
    with TemporaryDirectory(prefix="docqa-collection-") as scratch:
        folder = Path(scratch)
        write_articles(articles, folder / "documents")
        one = folder / "one"
        with DocQA(one) as qa:
            qa.index([folder / "documents"])
            qa.load()
            vectors = qa._opened.embedder(_documents(qa)).questions(asked)
        print(json.dumps({"index": "one", **vocabulary(one)}), flush=True)
        expected, seconds = found(one, asked, vectors)
        answers = answered(one, asked[: args.read])
        print(json.dumps({"index": "one", "search_ms": ms(seconds, asked)}), flush=True)
        for shards in args.shards:
            collection = folder / f"collection-{shards}"
            shutil.copytree(one, collection)
            reshard(collection, shards)
            hits, seconds = found(collection, asked, vectors)
            row: dict[str, Any] = {"shards": shards, "questions": len(asked)}
            row |= compared(expected, hits)
            row["read"] = len(answers)
            now = answered(collection, asked[: args.read])
            row["same_answers"] = sum(a == b for a, b in zip(answers, now, strict=True))
            row["search_ms"] = ms(seconds, asked)
            row["statistics_ms"] = ms(statistics(collection, asked), asked)
            print(json.dumps(row), flush=True)


def _documents(qa: DocQA) -> Any:
    with qa.snapshot() as documents:
        return documents


def ms(seconds: float, asked: list[str]) -> float:
    """Return milliseconds a question."""
    return round(1000 * seconds / len(asked), 2)


def vocabulary(index: Path) -> dict[str, int]:
    """Return what statistics of all words would take, kept beside the catalogue."""
    with Store.open(index) as store, store.snapshot():
        store.db.execute("create virtual table temp.terms using fts5vocab(main, windows_fts, row)")
        words, size = store.db.execute(
            "select count(*), sum(length(cast(term as blob)) + 4) from temp.terms"
        ).fetchone()
        return {"windows": store.counts()["windows"], "words": words, "words_bytes": size}


def found(index: Path, asked: list[str], vectors: Vectors) -> tuple[list[list[Hit]], float]:
    """Return the candidates of each question, asked one by one, and the seconds for all."""
    with DocQA(index) as qa, qa._snapshot() as (documents, searches):
        searches.search(documents, asked[:1], vectors[:1], CANDIDATES)  # files are mapped
        began = time.perf_counter()
        rows = [
            searches.search(documents, [question], vectors[n : n + 1], CANDIDATES)[0]
            for n, question in enumerate(asked)
        ]
        return rows, time.perf_counter() - began


def statistics(index: Path, asked: list[str]) -> float:
    """Return the seconds for the first round of all questions."""
    with DocQA(index) as qa, qa._snapshot() as (_, searches):
        calls, shards = searches._calls, searches._shards  # type: ignore[attr-defined]
        began = time.perf_counter()
        for question in asked:
            words = split_words(question_words(question))
            calls.each({n: partial(shard.statistics, words) for n, shard in shards.items()})
        return time.perf_counter() - began


def answered(index: Path, asked: list[str]) -> list[list[tuple[str, int, int]]]:
    """Return the places of the answers to each question."""
    if not asked:
        return []
    with DocQA(index) as qa:
        return [[(a.document, a.start, a.end) for a in row] for row in qa.ask_many(asked)]


def compared(expected: list[list[Hit]], hits: list[list[Hit]]) -> dict[str, Any]:
    """Return how many questions have the same candidates in the same order; and what differs."""
    counts = {"same": 0, "ties": 0, "different": 0}
    most = 0.0
    for one, other in zip(expected, hits, strict=True):
        scores = [(hit.score, now.score) for hit, now in zip(one, other, strict=True)]
        apart = max((abs(a - b) for a, b in scores), default=0.0)
        most = max(most, apart)
        if [place(hit) for hit in one] == [place(hit) for hit in other]:
            counts["same"] += 1
        elif apart < ALIKE:
            counts["ties"] += 1
        else:
            counts["different"] += 1
    return {**counts, "most_score_difference": float(f"{most:.2g}")}


def place(hit: Hit) -> tuple[str, int]:
    return hit.document, hit.start


if __name__ == "__main__":
    main()
