"""Exact or approximate: time and recall of the vectors' index by number of windows.

    python benchmarks/dense.py INDEX --sizes 10000 100000 300000

Real windows are too few on most machines, so their vectors (from INDEX, any index) are copied with
noise until there are enough: each copy keeps a cosine of about 0.9 with its original. Questions are
vectors of INDEX's windows with the same noise. Recall@10 is the share of the exact ten that the
approximate index finds. Prints a JSON line a row.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index.dense import probed_lists
from index.store import Store, Vectors

QUESTIONS = 200
NOISE = 0.48  # of a unit vector: cosine 0.9 with the original


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    args = parser.parse_args()
    store = Store.open(args.index)
    real = store.vectors(store.window_ids())
    rng = np.random.default_rng(0)
    questions = _noisy(real[rng.integers(len(real), size=QUESTIONS)], rng)
    for size in args.sizes:
        vectors = np.concatenate([_noisy(real, rng) for _ in range(-(-size // len(real)))], axis=0)[
            :size
        ]
        exact = faiss.IndexFlatIP(real.shape[1])
        exact.add(vectors)
        truth, exact_ms = _search(exact, questions)
        _row(windows=size, index="exact", build_s=0.0, ms=exact_ms, recall_at_10=1.0)
        for lists, probes in _choices(size):
            began = time.perf_counter()
            kind = f"IVF{lists},SQ8"
            index: Any = faiss.index_factory(real.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
            index.train(vectors[rng.choice(size, min(size, 64 * lists), replace=False)])
            index.add(vectors)
            built = time.perf_counter() - began
            for probe in probes:
                index.nprobe = probe
                found, ms = _search(index, questions)
                same = [len(set(a) & set(b)) for a, b in zip(found, truth, strict=True)]
                _row(
                    windows=size,
                    index=f"{kind}, {probe} probed",
                    build_s=built,
                    ms=ms,
                    recall_at_10=float(np.mean(same)) / 10,
                )


def _choices(size: int) -> list[tuple[int, list[int]]]:
    lists = int(4 * size**0.5)
    return [(lists, sorted({lists // 64, lists // 32, probed_lists(lists), lists // 8}))]


def _noisy(vectors: Vectors, rng: np.random.Generator) -> Vectors:
    noise = rng.normal(size=vectors.shape).astype(np.float32)
    noise *= NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
    made: Vectors = vectors + noise
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def _search(index: Any, questions: Vectors) -> tuple[Any, float]:
    """Ids of the ten nearest, and milliseconds a question, one at a time."""
    index.search(questions[:5], 10)
    began = time.perf_counter()
    found = [index.search(questions[n : n + 1], 10)[1][0] for n in range(len(questions))]
    return found, 1000 * (time.perf_counter() - began) / len(questions)


def _row(**values: float | str) -> None:
    shown = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps(shown), flush=True)


if __name__ == "__main__":
    main()
