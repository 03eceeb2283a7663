"""What is lost where a question is not compared with every vector as it is.

Routing: only the shards are asked whose centroids are nearest to the question. Quantising: windows
are chosen by vectors of few bits, and the chosen ones are compared again as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

_CENTROIDS = (1, 4, 16)
_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)  # of the shards that are asked
_QUANTISED = ("SQ8", "SQ6", "SQ4", "RaBitQ")


@dataclass(frozen=True)
class Routed:
    """What routing leaves.

    Attributes:
        sharing: how documents were shared out.
        centroids: of each shard.
        asked: how many shards are asked.
        windows: the share of the windows that these hold.
        recall: the share of the ten candidates that lie in them.
        kept: the share of questions with the answer among the ten that keep such a candidate.
    """

    sharing: str
    centroids: int
    asked: int
    windows: float
    recall: float
    kept: float


def measure_routing(
    vectors: Vectors,
    documents: Places,
    questions: Vectors,
    candidates: Sequence[Places],
    right: Sequence[Sequence[bool]],
    shards: int,
) -> Iterator[Routed]:
    """Yield what is left of the candidates of questions, by sharing, centroids and shards asked.

    Args:
        vectors: ``(windows, dimension)``.
        documents: ``(windows,)`` the document of each; a document's windows are in one shard.
        questions: ``(questions, dimension)``.
        candidates: for each question, the places of its windows among all.
        right: which of them hold an answer.
    """
    for sharing, share in (("hash", _by_hash), ("subject", _by_subject)):
        shard_of = share(vectors, documents, shards)
        sizes = np.bincount(shard_of, minlength=shards) / len(vectors)
        for count in _CENTROIDS:
            scores = _shard_scores(vectors, shard_of, questions, shards, count)
            ranks = np.argsort(np.argsort(-scores, axis=1), axis=1)
            for part in _SHARES:
                asked = max(1, math.ceil(shards * part))
                left = [ranks[n, shard_of[places]] < asked for n, places in enumerate(candidates)]
                answered = [
                    bool(np.any(kept & np.array(good)))
                    for kept, good in zip(left, right, strict=True)
                    if any(good)
                ]
                yield Routed(
                    sharing,
                    count,
                    asked,
                    float(((ranks < asked) * sizes).sum(axis=1).mean()),
                    float(np.mean([kept.mean() for kept in left])),
                    float(np.mean(answered)),
                )


def _by_hash(_vectors: Vectors, documents: Places, shards: int) -> Places:
    """Share documents out evenly, whatever they are about."""
    numbers, places = np.unique(documents, return_inverse=True)
    of_document = np.random.default_rng(0).integers(shards, size=len(numbers))
    shared: Places = of_document[places]
    return shared


def _by_subject(vectors: Vectors, documents: Places, shards: int) -> Places:
    """Share documents out by the nearest of as many centroids as there are shards."""
    numbers, places = np.unique(documents, return_inverse=True)
    means = np.zeros((len(numbers), vectors.shape[1]), np.float32)
    np.add.at(means, places, vectors)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    shared: Places = _nearest(_centroids(means, shards), means)[places]
    return shared


def _shard_scores(
    vectors: Vectors, shard_of: Places, questions: Vectors, shards: int, count: int
) -> Vectors:
    """Return ``(questions, shards)`` the cosine of each question with a shard's best centroid."""
    scores = np.full((len(questions), shards), -1, np.float32)
    for shard in range(shards):
        inside = vectors[shard_of == shard]
        if len(inside):
            centroids = _centroids(inside, min(count, len(inside)))
            scores[:, shard] = (questions @ centroids.T).max(axis=1)
    return scores


def _centroids(vectors: Vectors, count: int) -> Vectors:
    kmeans: Any = faiss.Kmeans(
        vectors.shape[1], count, niter=10, spherical=True, seed=1, min_points_per_centroid=1
    )
    kmeans.train(np.ascontiguousarray(vectors))
    found: Vectors = kmeans.centroids
    return found


def _nearest(centroids: Vectors, vectors: Vectors) -> Places:
    nearest: Places = (vectors @ centroids.T).argmax(axis=1)
    return nearest


def measure_quantising(
    vectors: Vectors, questions: Vectors, k: int, times: Sequence[int]
) -> Iterator[tuple[str, int, list[float]]]:
    """Yield kinds of vectors, their bytes, and how many of the nearest are found with them.

    Args:
        k: how many nearest.
        times: how many times as many are chosen and compared again as they are.
    """
    exact = np.argsort(-(questions @ vectors.T), axis=1, kind="stable")[:, :k]
    for name in _QUANTISED:
        index: Any = faiss.index_factory(vectors.shape[1], name, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.add(vectors)
        _, chosen = index.search(questions, min(k * max(times), len(vectors)))
        recalls = [
            float(
                np.mean(
                    [
                        np.isin(wanted, row[: k * more]).mean()
                        for wanted, row in zip(exact, chosen, strict=True)
                    ]
                )
            )
            for more in times
        ]
        yield name, int(index.sa_code_size()), recalls
