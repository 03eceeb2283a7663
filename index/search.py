"""Question to hits: the windows worth reading, found by meaning and by words.

Dense similarity and BM25 are brought to one scale (z-scores over the windows that either found)
and added up. Both are compared over the same windows: what only one of the two found gets the
other's score too, the true cosine on one side, nothing on the other where no word is shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from docqa.index.dense import DenseIndex
from docqa.index.full_text import FullText
from docqa.index.hit import Hit
from docqa.index.store import IdArray, Store, Vectors
from docqa.index.within import Allowed, find_allowed

# Windows that each of the two searches offers.
_POOL = 200
# Filters whose windows are kept; each takes some ten bytes a window.
_FILTERS = 8


@dataclass(frozen=True)
class Searches:
    """The two searches of an index, in line with its store; threads may share them.

    Attributes:
        dense: by meaning.
        words: by words.
    """

    dense: DenseIndex
    words: FullText
    _allowed: dict[tuple[str, ...], Allowed] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, store: Store) -> Searches:
        """Return both as they stand on disk, brought in line with the store."""
        return cls(DenseIndex.load(store), FullText.load(store))

    def follow(self, store: Store) -> Searches:
        """Return both in line with the store; costs nothing where it has not changed."""
        if self.dense.generation == store.generation:
            return self
        return Searches(self.dense.follow(store), FullText.load(store))

    def allowed(self, store: Store, entries: tuple[str, ...]) -> Allowed | None:
        """Return the windows within a filter, kept for the next questions; None without a filter.

        Args:
            entries: from :func:`docqa.index.within.absolute_entries`.

        Raises:
            FilterError: no document lies within it.
        """
        if not entries:
            return None
        found = self._allowed.get(entries)
        if found is None:
            found = find_allowed(store, entries)
            if len(self._allowed) >= _FILTERS:
                self._allowed.clear()
            self._allowed[entries] = found
        return found


def search(
    store: Store,
    searches: Searches,
    questions: Sequence[str],
    vectors: Vectors,
    k: int,
    within: tuple[str, ...] = (),
) -> list[list[Hit]]:
    """Find the ``k`` best windows for each question, best first.

    Args:
        store: inside a snapshot, and ``searches`` in line with it.
        questions: as the user put them, for BM25.
        vectors: ``(questions, dimension)`` of the questions, for the dense search.
        k: how many windows; fewer where the index holds fewer.
        within: from :func:`docqa.index.within.absolute_entries`; only windows of documents there
            are looked at. Empty for all.

    Raises:
        ValueError: ``k`` below 1.
        FilterError: no document lies within the filter.
    """
    if k < 1:
        raise ValueError(f"at least one candidate is needed, not {k}")
    pool = max(_POOL, k)
    allowed = searches.allowed(store, within)
    scores, ids = searches.dense.search(vectors, pool, allowed)
    result = []
    for n, question in enumerate(questions):
        cosines = {int(i): float(s) for i, s in zip(ids[n], scores[n], strict=True) if i >= 0}
        words = dict(searches.words.search(store, question, pool, allowed))
        result.append(store.hits(*_fuse(store, vectors[n], cosines, words, k)))
    return result


def _fuse(
    store: Store, vector: Vectors, cosines: dict[int, float], words: dict[int, float], k: int
) -> tuple[list[int], list[float], list[float]]:
    """Return ids, scores and prominences of the ``k`` best windows that either search found."""
    unseen = np.array(sorted(words.keys() - cosines.keys()), np.int64)
    if len(unseen):
        found = store.vectors(unseen) @ vector
        cosines |= dict(zip(unseen.tolist(), found.tolist(), strict=True))
    ids: IdArray = np.array(sorted(cosines), np.int64)
    dense = np.array([cosines[i] for i in ids.tolist()], np.float32)
    lexical = np.array([words.get(i, 0.0) for i in ids.tolist()], np.float32)
    scores = z_scores(dense) + z_scores(lexical)
    best = np.argsort(-scores, kind="stable")[:k]
    return ids[best].tolist(), scores[best].tolist(), z_scores(scores[best]).tolist()


def z_scores(scores: Vectors) -> Vectors:
    """Return scores with mean 0 and standard deviation 1; all 0 where they do not differ."""
    spread = float(scores.std()) if len(scores) else 0.0
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)
