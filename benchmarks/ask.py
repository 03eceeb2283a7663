"""A whole question by the number of windows: its time, where the time goes, and what is found.

    python benchmarks/ask.py [DATA] --sizes 1000 10000 100000 1000000 --folder BIG

DATA is a SQuAD file, whose articles become documents and whose questions are asked, or a folder or
file of text, of which sentences are asked; docs/ if not given. Larger indexes are made of copies,
see corpus.py: real text with a share of its words exchanged, real vectors with noise. With --folder
the indexes are kept there, and those that are there already are taken (a million windows take some
ten minutes to make, and 6 GB).

Each question is asked alone, of an index that is open and in memory, with ten candidates. The
stages' shares are of the mean time; windows are read from the database in the stage fetch.
Recall@10 is the share of the ten windows that exact search puts first (all vectors compared in
float32, BM25 of FTS5 with all of the question's words, fused as ever) that are retrieved. Prints a
JSON line a row, then a table.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
from corpus import make_index
from rich.console import Console
from rich.table import Table

import docqa.index.search
import docqa.ranking.rank
from docqa import DocQA
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.squad import load_squad, sampled
from docqa.index.dense import DenseIndex
from docqa.index.full_text import FullText
from docqa.index.models.embedder import BatchedEmbedder
from docqa.index.search import Searches, search
from docqa.index.store import Store, Vectors
from docqa.model.span_model import SpanModel

DOCS = Path(__file__).parent.parent / "docs"
CANDIDATES = 10
# Where each stage's time is taken.
STAGES: dict[str, tuple[Any, str]] = {
    "embed": (BatchedEmbedder, "questions"),
    "dense": (DenseIndex, "search"),
    "bm25": (FullText, "search"),
    "fuse": (docqa.index.search, "_fuse"),
    "fetch": (Store, "hits"),
    "read": (SpanModel, "logits"),
    "rank": (docqa.ranking.rank, "rank"),
}
_SENTENCE = re.compile(r"[A-Z][^.!?|`\n]{40,120}[.!?]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=DOCS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="where indexes are kept")
    parser.add_argument("--no-recall", action="store_true", help="times alone")
    args = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        paths, asked = _documents(args.data, Path(temporary))
        questions = random.Random(0).sample(asked, min(args.questions, len(asked)))
        rows = []
        for size in args.sizes:
            with closing(DocQA(_index(folder, paths, size))) as qa:
                row = {"windows": size, "questions": len(questions), **_times(qa, questions)}
                if not args.no_recall:
                    row["recall_at_10"] = _recall(qa, questions)
            rows.append({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
            print(json.dumps(rows[-1]), flush=True)
    _show(rows)


def _documents(data: Path, folder: Path) -> tuple[list[Path], list[str]]:
    """Files to index, and what can be asked of them."""
    if ".json" in data.suffixes:
        articles = load_squad(data)
        paths = write_articles(articles, folder / "articles")
        return paths, [one.question.text for one in sampled(articles, None)]
    files = (
        sorted(data.glob("**/*.md")) + sorted(data.glob("**/*.txt")) if data.is_dir() else [data]
    )
    texts = [file.read_text(encoding="utf-8") for file in files]
    return files, [sentence for text in texts for sentence in _SENTENCE.findall(text)]


def _index(folder: Path, paths: Sequence[Path], size: int) -> Path:
    """An index of so many windows in a folder, made if it isn't there."""
    target = folder / str(size)
    if target.exists():
        return target
    real = folder / "real"
    with closing(DocQA(real)) as qa:
        qa.index(paths)
    with closing(Store.open(real)) as store:
        make_index(target, store, size)
    with closing(Store.open(target)) as store:
        DenseIndex.load(store).save(store)
        FullText.refresh(store)
    return target


def _times(qa: DocQA, questions: Sequence[str]) -> dict[str, float]:
    qa.search_many(questions)  # what is on disk is read now
    qa.results(questions[:5], candidates=CANDIDATES)
    spent = dict.fromkeys(STAGES, 0.0)
    taken = []
    with _watched(spent):
        for question in questions:
            began = time.perf_counter()
            qa.results([question], candidates=CANDIDATES)
            taken.append(1000 * (time.perf_counter() - began))
    shares = {f"{stage}_share": 1000 * spent[stage] / sum(taken) for stage in STAGES}
    return {
        "p50_ms": statistics.median(taken),
        "p95_ms": float(np.percentile(taken, 95)),
        **shares,
        "rest_share": 1 - sum(shares.values()),
    }


@contextmanager
def _watched(spent: dict[str, float]) -> Iterator[None]:
    """While it lasts, the seconds of each stage are added up."""
    patches = [
        patch.object(owner, name, _timed(getattr(owner, name), stage, spent))
        for stage, (owner, name) in STAGES.items()
    ]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def _timed(function: Callable[..., Any], stage: str, spent: dict[str, float]) -> Any:
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[stage] += time.perf_counter() - began

    return timed


class _Exact:
    """All vectors compared, in place of a :class:`DenseIndex`."""

    def __init__(self, store: Store, questions: Vectors, k: int) -> None:
        ids = store.window_ids()
        self._found: dict[bytes, tuple[Any, Any]] = {}
        best = np.empty((len(questions), 0), np.float32)
        kept = np.empty((len(questions), 0), np.int64)
        for first in range(0, len(ids), 50_000):
            part = ids[first : first + 50_000]
            scores = np.concatenate([best, questions @ store.vectors(part).T], axis=1)
            places = np.concatenate([kept, np.tile(part, (len(questions), 1))], axis=1)
            order = np.argsort(-scores, axis=1)[:, :k]
            best = np.take_along_axis(scores, order, axis=1)
            kept = np.take_along_axis(places, order, axis=1)
        self._best = best, kept

    def search(self, questions: Vectors, k: int) -> tuple[Any, Any]:
        return self._best


def _recall(qa: DocQA, questions: Sequence[str]) -> float:
    """The share of the best windows of exact search that are retrieved."""
    with qa._opened.snapshot() as (store, searches):
        vectors = qa._opened.embedder(store).questions(questions)
        found = search(store, searches, questions, vectors, CANDIDATES)
        exact: Any = Searches(_Exact(store, vectors, 200), FullText(None))  # type: ignore[arg-type]
        truth = search(store, exact, questions, vectors, CANDIDATES)
    same = [
        len({hit.id for hit in a} & {hit.id for hit in b}) / len(b)
        for a, b in zip(found, truth, strict=True)
    ]
    return float(np.mean(same))


def _show(rows: list[dict[str, Any]]) -> None:
    shares = [*STAGES, "rest"]
    table = Table("windows", "p50 ms", "p95 ms", *shares, "recall@10")
    for row in rows:
        recall = row.get("recall_at_10")
        table.add_row(
            f"{row['windows']:,}",
            f"{row['p50_ms']:.0f}",
            f"{row['p95_ms']:.0f}",
            *(f"{row[f'{stage}_share']:.0%}" for stage in shares),
            "" if recall is None else f"{recall:.1%}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
