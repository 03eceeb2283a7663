"""Question to hits: the windows worth reading, found by meaning and by words.

Dense similarity and BM25 are brought to one scale (z-scores over the windows that either found)
and added up. Both are compared over the same windows: what only one of the two found gets the
other's score too, the true cosine on one side, nothing on the other where no word is shared.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from docqa.index.dense import DenseIndex
from docqa.index.full_text import FullText
from docqa.index.hit import Copy, Hit
from docqa.index.postings import Scorer, WordStatistics
from docqa.index.store import IdArray, Store, Vectors
from docqa.index.within import Allowed, find_allowed

# Windows that each of the two searches offers.
POOL = 200
# Filters whose windows are kept; each takes some ten bytes a window.
_FILTERS = 8
# How many times as many they offer where these are copies of fewer than are asked for.
MORE = 8


@dataclass(frozen=True)
class Searches:
    """The two searches of an index, in line with its store; threads may share them.

    Attributes:
        dense: by meaning.
        words: by words.
        in_collection: whether the windows are found among those of other indexes.
    """

    dense: DenseIndex
    words: FullText
    in_collection: bool = False
    _allowed: dict[tuple[str, ...], Allowed] = field(default_factory=dict, compare=False)
    _scorers: dict[float, Scorer] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, store: Store, in_collection: bool = False) -> Searches:
        """Return both as they stand on disk, brought in line with the store."""
        return cls(DenseIndex.load(store), FullText.load(store, in_collection), in_collection)

    def follow(self, store: Store) -> Searches:
        """Return both in line with the store; costs nothing where it has not changed."""
        if self.dense.generation == store.generation:
            return self
        words = FullText.load(store, self.in_collection)
        return Searches(self.dense.follow(store), words, self.in_collection)

    def scorer_among(self, statistics: WordStatistics) -> Scorer:
        """Return what scores the windows' words among those of other indexes.

        It is kept for the next questions.

        Args:
            statistics: of all windows together.
        """
        assert self.words.scorer is not None, "searches in a collection have one"
        found = self._scorers.get(statistics.mean)
        if found is None:
            found = self.words.scorer.for_mean(statistics.mean)
            self._scorers.clear()
            self._scorers[statistics.mean] = found
        return found

    def search(
        self,
        documents: Store,
        questions: Sequence[str],
        vectors: Vectors,
        k: int,
        within: tuple[str, ...] = (),
    ) -> list[list[Hit]]:
        """Find the ``k`` best windows for each question; see :func:`search`."""
        return search(documents, self, questions, vectors, k, within)

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
    offered: int = POOL,
) -> list[list[Hit]]:
    """Find the ``k`` best windows for each question, best first.

    Windows with the same text are one hit: copies of a file take the place of one, and all that
    were found stand in its ``copies``.

    Args:
        store: inside a snapshot, and ``searches`` in line with it.
        questions: as the user put them, for BM25.
        vectors: ``(questions, dimension)`` of the questions, for the dense search.
        k: how many windows; fewer where the index holds fewer.
        within: from :func:`docqa.index.within.absolute_entries`; only windows of documents there
            are looked at. Empty for all.
        offered: windows that each of the two searches offers.

    Raises:
        ValueError: ``k`` below 1.
        FilterError: no document lies within the filter.
    """
    if k < 1:
        raise ValueError(f"at least one candidate is needed, not {k}")
    pool = max(offered, k)
    allowed = searches.allowed(store, within)
    scores, ids = searches.dense.search(vectors, pool, allowed)
    result = []
    for n, question in enumerate(questions):
        cosines = {int(i): float(s) for i, s in zip(ids[n], scores[n], strict=True) if i >= 0}
        words = dict(searches.words.search(store, question, pool, allowed))
        unseen = np.array(sorted(words.keys() - cosines.keys()), np.int64)
        if len(unseen):
            found = store.vectors(unseen) @ vectors[n]
            cosines |= dict(zip(unseen.tolist(), found.tolist(), strict=True))
        hits = _distinct(store, *fuse(cosines, words), k)
        # So many copies that nothing else was offered: more of each search.
        if len(hits) < k and len(cosines) >= pool:
            [hits] = search(store, searches, [question], vectors[n : n + 1], k, within, MORE * pool)
        result.append(hits)
    return result


def _distinct(store: Store, ids: list[int], scores: Vectors, k: int) -> list[Hit]:
    """Return the ``k`` best windows of different texts.

    Args:
        ids: of all windows that were found, best first.
        scores: theirs.
    """
    places = store.window_texts(ids)
    groups, chosen = fold(ids, scores, {id_: place[0] for id_, place in places.items()}, k)
    hits = store.hits([group[0] for group in groups], chosen.tolist(), z_scores(chosen).tolist())
    return [
        replace(
            hit,
            copies=tuple(Copy(places[i][1], places[i][2] - hit.start) for i in group[1:]),
        )
        for hit, group in zip(hits, groups, strict=True)
    ]


def fold(
    ids: Sequence[int], scores: Vectors, texts: Mapping[int, Hashable], k: int
) -> tuple[list[list[int]], Vectors]:
    """Return the ``k`` best groups of windows with the same text, and ``(k,)`` their scores.

    A group's score is that of its best window, and its first window the lowest id.

    Args:
        ids: of all windows that were found, best first.
        scores: theirs.
        texts: by id; or whatever else is the same for the same text alone.
    """
    groups: dict[Hashable, list[int]] = {}
    best: list[float] = []
    for id_, score in zip(ids, scores.tolist(), strict=True):
        text = texts[id_]
        if text not in groups:
            groups[text] = []
            best.append(score)
        groups[text].append(id_)
    return [sorted(group) for group in groups.values()][:k], np.array(best[:k], np.float32)


def fuse(cosines: Mapping[int, float], words: Mapping[int, float]) -> tuple[list[int], Vectors]:
    """Return ids and scores of the windows that either search found, best first.

    Args:
        cosines: of all these windows, by id.
        words: BM25's scores of those that share words with the question.
    """
    ids: IdArray = np.array(sorted(cosines), np.int64)
    dense = np.array([cosines[i] for i in ids.tolist()], np.float32)
    lexical = np.array([words.get(i, 0.0) for i in ids.tolist()], np.float32)
    scores = z_scores(dense) + z_scores(lexical)
    best = np.argsort(-scores, kind="stable")
    return ids[best].tolist(), scores[best]


def z_scores(scores: Vectors) -> Vectors:
    """Return scores with mean 0 and standard deviation 1; all 0 where they do not differ."""
    spread = float(scores.std()) if len(scores) else 0.0
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)
