"""Whether collections of 1, 2, 4 and 16 shards find and answer what one index does, and how fast.

    python benchmarks/collection.py dev.json.gz --questions 1000 --read 200

The articles of a data set in SQuAD's format are indexed once and shared out to shards. The ten
candidates of each question are compared with those of the one index: the windows, their order, and
for the first questions the answers. Where only windows that score alike have changed places, that
is counted as a tie. Each search takes its 200 best windows; where several score alike at that edge,
any of them may be in, and all scores of the question shift a little: how many questions have
shifted, and how many of these have such a tie, stands there, too. A collection gives BM25 the
statistics of all its shards in a round of its own before the search; that round's time stands
beside the search's (on the clock, and of the processor), and what the alternative would take: a
file of all words with their numbers of windows. Prints a JSON line for each row.
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
from docqa.index.full_text import FullText, question_words
from docqa.index.hit import Hit
from docqa.index.postings import split_words
from docqa.index.search import POOL
from docqa.index.store import Store, Vectors

CANDIDATES = 10
ALIKE = 1e-4
# Seconds on the clock and of the processor.
Times = tuple[float, float]


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
        expected, times = found(one, asked, vectors)
        answers = answered(one, asked[: args.read])
        edges = tied_at_the_edge(one, asked)
        print(json.dumps({"index": "one", **ms("search", times, asked)}), flush=True)
        for shards in args.shards:
            collection = folder / f"collection-{shards}"
            shutil.copytree(one, collection)
            reshard(collection, shards)
            hits, times = found(collection, asked, vectors)
            row: dict[str, Any] = {"shards": shards, "questions": len(asked)}
            row |= compared(expected, hits, edges)
            row["read"] = len(answers)
            later = answered(collection, asked[: args.read])
            row["same_answers"] = sum(a == b for a, b in zip(answers, later, strict=True))
            row |= ms("search", times, asked)
            row |= ms("statistics", statistics(collection, asked), asked)
            print(json.dumps(row), flush=True)


def _documents(qa: DocQA) -> Any:
    with qa.snapshot() as documents:
        return documents


def ms(name: str, times: Times, asked: list[str]) -> dict[str, float]:
    """Return milliseconds a question."""
    clock, processor = (round(1000 * seconds / len(asked), 2) for seconds in times)
    return {f"{name}_ms": clock, f"{name}_cpu_ms": processor}


def now() -> Times:
    return time.perf_counter(), time.process_time()


def since(began: Times) -> Times:
    return now()[0] - began[0], now()[1] - began[1]


def tied_at_the_edge(index: Path, asked: list[str]) -> list[bool]:
    """Return for each question whether windows score alike by words where its pool ends."""
    with Store.open(index) as store, store.snapshot():
        words = FullText.load(store)
        tied = []
        for question in asked:
            scores = [score for _, score in words.search(store, question, POOL + 1)]
            tied.append(len(scores) > POOL and abs(scores[-1] - scores[-2]) < 1e-5)
        return tied


def vocabulary(index: Path) -> dict[str, int]:
    """Return what statistics of all words would take, kept beside the catalogue."""
    with Store.open(index) as store, store.snapshot():
        store.db.execute("create virtual table temp.terms using fts5vocab(main, windows_fts, row)")
        words, size = store.db.execute(
            "select count(*), sum(length(cast(term as blob)) + 4) from temp.terms"
        ).fetchone()
        return {"windows": store.counts()["windows"], "words": words, "words_bytes": size}


def found(index: Path, asked: list[str], vectors: Vectors) -> tuple[list[list[Hit]], Times]:
    """Return the candidates of each question, asked one by one, and the times of all."""
    with DocQA(index) as qa, qa._snapshot() as (documents, searches):
        searches.search(documents, asked[:1], vectors[:1], CANDIDATES)  # files are mapped
        began = now()
        rows = [
            searches.search(documents, [question], vectors[n : n + 1], CANDIDATES)[0]
            for n, question in enumerate(asked)
        ]
        return rows, since(began)


def statistics(index: Path, asked: list[str]) -> Times:
    """Return the times of the first round of all questions."""
    with DocQA(index) as qa, qa._snapshot() as (_, searches):
        calls, shards = searches._calls, searches._shards  # type: ignore[attr-defined]
        began = now()
        for question in asked:
            words = split_words(question_words(question))
            calls.each({n: partial(shard.statistics, words) for n, shard in shards.items()})
        return since(began)


def answered(index: Path, asked: list[str]) -> list[list[tuple[str, int, int]]]:
    """Return the places of the answers to each question."""
    if not asked:
        return []
    with DocQA(index) as qa:
        return [[(a.document, a.start, a.end) for a in row] for row in qa.ask_many(asked)]


def compared(expected: list[list[Hit]], hits: list[list[Hit]], edges: list[bool]) -> dict[str, Any]:
    """Return how many questions have the same candidates in the same order; and what differs."""
    counts = {"same": 0, "ties": 0, "different": 0, "shifted": 0, "shifted_with_tied_edge": 0}
    most = 0.0
    for one, other, tied in zip(expected, hits, edges, strict=True):
        scores = [(hit.score, same.score) for hit, same in zip(one, other, strict=True)]
        apart = max((abs(a - b) for a, b in scores), default=0.0)
        most = max(most, apart)
        if apart >= ALIKE:
            counts["shifted"] += 1
            counts["shifted_with_tied_edge"] += tied
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
