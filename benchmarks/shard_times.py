"""What shards take: bytes on disk and in memory, and the service times of a question's steps."""

from __future__ import annotations

import math
import pickle
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from fan_out import Round, Service
from serve import questions_of

from docqa import DocQA
from docqa.index.collection.calls import ShardCalls
from docqa.index.collection.search import ShardedSearches
from docqa.index.collection.shard_search import LocalShardSearch, Looked, Offered, Wanted
from docqa.index.full_text import question_words
from docqa.index.handle import IndexHandle
from docqa.index.postings import split_words
from docqa.index.search import POOL
from docqa.index.store import Store

CANDIDATES = 10
# How many windows of a shard are in the pools of a question, and how many are fetched.
_LOOKED = (1, 20, 2 * POOL)
_FETCHED = (1, CANDIDATES)
_SPREAD = 7919  # a prime, so that the questions that were measured come in no order


def sizes(index: Path) -> dict[str, float]:
    """Return the windows of an index, and the bytes of its parts on disk and in memory."""
    with closing(Store.open(index)) as store:
        windows = store.counts()["windows"]
        tables = dict(
            store.db.execute("select name, sum(pgsize) from dbstat group by name").fetchall()
        )
        columns = store.db.execute(
            "select sum(length(cast(text as blob))), sum(length(token_ids)),"
            " sum(length(token_offsets)), sum(length(embedding)) from windows"
        ).fetchone()
    full_text = sum(size for name, size in tables.items() if name.startswith("windows_fts"))
    return {
        "windows": windows,
        "database": sum(tables.values()),
        "windows_table": tables["windows"],
        "text": columns[0],
        "token_ids": columns[1],
        "token_offsets": columns[2],
        "embedding": columns[3],
        "full_text": full_text,
        "documents": tables["pieces"] + tables["documents"],
        "vectors_file": sum(file.stat().st_size for file in index.glob("vectors-*.faiss")),
        "postings_file": sum(file.stat().st_size for file in index.glob("words-*.words")),
        **_in_a_new_process(_memory, index),
    }


def _in_a_new_process(call: Callable[[Path], dict[str, float]], index: Path) -> dict[str, float]:
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(call, index).result()


def _memory(index: Path) -> dict[str, float]:
    """Return what this process has more of, once an index is open and questions were asked."""
    texts = questions_of(str(index), 50)
    before = _resident()
    with closing(IndexHandle(index)) as opened, opened.snapshot() as (store, searches):
        ids = store.window_ids()
        for n, text in enumerate(texts):
            vector = store.vectors(ids[n :: len(texts)][:1])
            searches.search(store, [text], vector, CANDIDATES)
        after = _resident()
    return {name: after[name] - before[name] for name in after}


def _resident() -> dict[str, float]:
    """Return the bytes of this process in memory: its own, and of files that are mapped."""
    status = Path("/proc/self/status").read_text()
    kinds = {"own_memory": "RssAnon", "mapped_memory": "RssFile"}
    return {
        name: 1024.0 * int(status.split(f"{kind}:")[1].split()[0]) for name, kind in kinds.items()
    }


def measure(indexes: Sequence[Path], questions: int, repeats: int) -> dict[str, Any]:
    """Return seconds of a processor for each step of a question, and the sizes of indexes."""
    found: dict[str, Any] = {"sizes": {}, "steps": {}}
    for index in indexes:
        texts = questions_of(str(index), questions)
        with closing(DocQA(index)) as qa:
            with qa._opened.snapshot() as (store, _):
                windows = store.counts()["windows"]
                embedder = qa._opened.embedder(store)
            vectors = embedder.questions(texts)
            found["embed"] = [_seconds(embedder.questions, [text]) for text in texts]
            hits = qa.search_many(texts, CANDIDATES)
            qa.read_many(texts[:3], hits[:3])
            found["read"] = [
                _seconds(qa.read_many, [text], [row]) for text, row in zip(texts, hits, strict=True)
            ]
        found["steps"][str(windows)] = measure_steps(index, texts, vectors, repeats)
        found["sizes"][str(windows)] = sizes(index)
        found["reply"] = _reply_seconds(index, texts[:10], vectors)
    return found


def measure_steps(
    index: Path, texts: Sequence[str], vectors: Any, repeats: int
) -> dict[str, list[list[float]]]:
    """Return ``(questions, repeats)`` seconds of each step that a shard takes for a question.

    Looking closer is measured by how many windows are looked at, fetching likewise: a shard among
    many has few of those in the pools of the whole collection.
    """
    taken: dict[str, list[list[float]]] = {}
    with (
        closing(IndexHandle(index, in_collection=True)) as opened,
        opened.snapshot() as (store, searches),
    ):
        shard = LocalShardSearch(store, searches)
        for turn in range(repeats + 1):  # in the first, what is on disk is read
            for n, text in enumerate(texts):
                words, vector = split_words(question_words(text)), vectors[n : n + 1]
                row: dict[str, float] = {}
                statistics = _timed(row, "statistics", shard.statistics, words)
                [offered] = _timed(row, "find", shard.find, [words], vector, POOL, statistics, ())
                both = np.union1d(offered.near, offered.sharing)
                for most in _LOOKED:
                    ids = np.sort(both[: min(most, len(both))])
                    unseen = np.setdiff1d(ids, offered.near)
                    _timed(row, f"look {most}", shard.look, vector, [Wanted(ids, unseen)])
                for most in _FETCHED:
                    best = offered.near[:most].tolist()
                    zeros = [0.0] * len(best)
                    _timed(row, f"fetch {most}", shard.fetch, best, zeros, zeros)
                for name, seconds in row.items():
                    if turn == 0:
                        taken.setdefault(name, []).append([])
                    else:
                        taken[name][n].append(seconds)
    return taken


def _timed(into: dict[str, float], name: str, call: Any, *arguments: Any) -> Any:
    began = time.process_time()
    result = call(*arguments)
    into[name] = round(time.process_time() - began, 6)
    return result


def _seconds(call: Any, *arguments: Any) -> float:
    began = time.process_time()
    call(*arguments)
    return round(time.process_time() - began, 6)


class _Packed:
    """A shard whose replies are packed and unpacked, as those that come over a network are.

    Args:
        seconds: gets what a merger has no part in, added up.
    """

    def __init__(self, shard: LocalShardSearch, number: int, seconds: list[float]) -> None:
        self._shard = shard
        self._name = number.to_bytes(2, "big")
        self._share = np.float32(np.random.default_rng(number).uniform(0.9, 1))
        self._seconds = seconds

    def statistics(self, words: Any) -> Any:
        return self._reply(lambda: self._shard.statistics(words))

    def find(self, *arguments: Any) -> Any:
        def find() -> list[Offered]:
            found = self._shard.find(*arguments) or []
            return [  # not all shards offer the same
                replace(
                    one,
                    cosines=one.cosines * self._share,
                    word_scores=one.word_scores * self._share,
                )
                for one in found
            ]

        return self._reply(find)

    def look(self, vectors: Any, wanted: Any) -> Any:
        def look() -> list[Looked]:
            found = self._shard.look(vectors, wanted)
            return [replace(one, texts=[text + self._name for text in one.texts]) for one in found]

        return self._reply(look)

    def fetch(self, *arguments: Any) -> Any:
        return self._reply(lambda: self._shard.fetch(*arguments))

    def _reply(self, call: Callable[[], Any]) -> Any:
        began = time.process_time()
        packed = pickle.dumps(call())
        self._seconds.append(time.process_time() - began)
        return pickle.loads(packed)


def _reply_seconds(index: Path, texts: Sequence[str], vectors: Any, shards: int = 100) -> float:
    """Return what a merger's processor does for each reply: unpack it, merge it with the others."""
    taken = []
    with (
        closing(IndexHandle(index, in_collection=True)) as opened,
        opened.snapshot() as (store, searches),
    ):
        shard = LocalShardSearch(store, searches)
        for n, text in enumerate(texts):
            others: list[float] = []
            calls = ShardCalls(60, threads=1)
            packed = {number: _Packed(shard, number, others) for number in range(shards)}
            documents: Any = SimpleNamespace(failures={}, leave_out=lambda failures: None)
            began = time.process_time()
            ShardedSearches(packed, calls).search(documents, [text], vectors[n : n + 1], CANDIDATES)
            taken.append((time.process_time() - began - sum(others)) / len(others))
            calls.close()
    return statistics.median(taken)


def rounds_of(steps: dict[str, Any], shards: int) -> list[Round]:
    """Return the rounds of a question, with service times as they were measured.

    A question that takes long at one shard takes long at all: each question of the simulation is
    one that was measured, and each of its requests takes one of the times that this one took.
    """
    return [Round(_drawn_from(steps[name]), most) for name, most in _rounds(steps, shards)]


def busy_seconds(steps: dict[str, Any], shards: int) -> float:
    """Return the time of a shard that a question takes on average."""
    return sum(
        float(np.mean(steps[name])) * min(1.0, (most or shards) / shards)
        for name, most in _rounds(steps, shards)
    )


def _rounds(steps: dict[str, Any], shards: int) -> list[tuple[str, int | None]]:
    """Return what was measured for each round, and how many shards take it (None: all)."""
    return [
        ("statistics", None),
        ("find", None),
        (_nearest_step(steps, "look", 2 * POOL / shards), 2 * POOL),
        (_nearest_step(steps, "fetch", CANDIDATES / shards), CANDIDATES),
    ]


def _drawn_from(measured: Any) -> Service:
    rows = np.array(measured)

    def service(rng: np.random.Generator, question: int, requests: int) -> Any:
        row = rows[question * _SPREAD % len(rows)]
        return row[rng.integers(len(row), size=requests)]

    return service


def _nearest_step(steps: dict[str, Any], name: str, windows: float) -> str:
    counts = [int(step.split()[1]) for step in steps if step.startswith(name)]
    return f"{name} {min(counts, key=lambda count: abs(math.log(count / windows)))}"


def nearest_size(by_windows: dict[str, Any], windows: float) -> str:
    """Return the size of those that were measured that comes nearest to a number of windows."""
    return min(by_windows, key=lambda size: abs(math.log(int(size) / windows)))
