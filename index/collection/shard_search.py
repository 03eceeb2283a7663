"""What a shard does for questions to its collection, in four steps.

A search of the collection (:mod:`docqa.index.collection.search`) takes each step on all shards
before the next: it counts the questions' words, finds what each shard can offer, looks closer at
what of that is in the pools of the whole, and fetches what has won. What goes in and out is small
and can be sent to another machine. All ids are the shard's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from docqa.index.errors import FilterError, IndexDamagedError
from docqa.index.hit import Hit
from docqa.index.postings import Word, WordStatistics
from docqa.index.search import Searches
from docqa.index.store import IdArray, Store, Vectors
from docqa.index.system_errors import database_errors


@dataclass(frozen=True, slots=True)
class Offered:
    """What a shard can offer for a question, by each of the two searches, best first.

    Attributes:
        near: ``(windows,)`` ids by meaning.
        cosines: ``(windows,)`` theirs.
        sharing: ``(windows,)`` ids by words.
        word_scores: ``(windows,)`` theirs, by BM25 with the collection's statistics.
    """

    near: IdArray
    cosines: Vectors
    sharing: IdArray
    word_scores: Vectors


@dataclass(frozen=True, slots=True)
class Wanted:
    """Windows of a shard to look closer at, for a question.

    Attributes:
        ids: ``(windows,)`` ascending.
        unseen: ``(some,)`` those that words alone have found, ascending.
    """

    ids: IdArray
    unseen: IdArray


@dataclass(frozen=True, slots=True)
class Looked:
    """What windows of a shard are, in the order of their ids.

    Attributes:
        cosines: ``(some,)`` of those that words alone have found.
        texts: a hash of each window's text.
        documents: ``(windows,)`` ids.
        paths: of the documents.
        starts: ``(windows,)`` where the windows start.
    """

    cosines: Vectors
    texts: list[bytes]
    documents: IdArray
    paths: list[str]
    starts: IdArray


class ShardSearch(Protocol):
    """A shard at one generation, here or on another machine.

    Whatever keeps a step from being taken is raised as a :class:`StorageError` or ``OSError``.
    """

    def statistics(self, words: Iterable[Word]) -> WordStatistics:
        """Return what BM25 has to know of the shard's windows for the words of all questions."""

    def find(
        self,
        words: Sequence[Mapping[Word, int]],
        vectors: Vectors,
        pool: int,
        statistics: WordStatistics,
        within: tuple[str, ...],
    ) -> list[Offered] | None:
        """Return what the shard can offer for each question; None where none lies within a filter.

        Args:
            words: of each question, from :func:`docqa.index.postings.split_words`.
            vectors: ``(questions, dimension)`` of the questions.
            pool: the most windows of each of the two searches.
            statistics: of the whole collection.
            within: from :func:`docqa.index.within.absolute_entries`; empty for all documents.
        """

    def look(self, vectors: Vectors, wanted: Sequence[Wanted]) -> list[Looked]:
        """Return what the wanted windows of each question are.

        Args:
            vectors: ``(questions, dimension)``.
        """

    def fetch(
        self, ids: Sequence[int], scores: Sequence[float], prominences: Sequence[float]
    ) -> list[Hit]:
        """Return windows as hits; see :meth:`docqa.index.store.Store.hits`."""


class LocalShardSearch:
    """A shard that this process reads itself.

    Args:
        store: inside a snapshot.
        searches: in line with it, and loaded as those of a shard.
    """

    def __init__(self, store: Store, searches: Searches) -> None:
        self._store = store
        self._searches = searches

    def statistics(self, words: Iterable[Word]) -> WordStatistics:
        with database_errors(self._store.folder):
            scorer = self._searches.words.scorer
            assert scorer is not None, "a shard's searches have one"
            return scorer.statistics(self._store, words)

    def find(
        self,
        words: Sequence[Mapping[Word, int]],
        vectors: Vectors,
        pool: int,
        statistics: WordStatistics,
        within: tuple[str, ...],
    ) -> list[Offered] | None:
        store, searches = self._store, self._searches
        with database_errors(store.folder):
            try:
                allowed = searches.allowed(store, within)
            except FilterError:
                return None
            cosines, near = searches.dense.search(vectors, pool, allowed)
            scorer = searches.scorer_among(statistics)
            offered = []
            for n, of_question in enumerate(words):
                best = scorer.find_best(store, of_question, pool, allowed, statistics)
                there = near[n] >= 0
                offered.append(
                    Offered(
                        near[n][there],
                        cosines[n][there],
                        np.array([id_ for id_, _ in best], np.int64),
                        np.array([score for _, score in best], np.float32),
                    )
                )
            return offered

    def look(self, vectors: Vectors, wanted: Sequence[Wanted]) -> list[Looked]:
        with database_errors(self._store.folder):
            return [self._look(*one) for one in zip(vectors, wanted, strict=True)]

    def _look(self, vector: Vectors, wanted: Wanted) -> Looked:
        store = self._store
        ids = wanted.ids.tolist()
        found = store.window_texts(ids)
        if len(found) < len(ids):
            raise IndexDamagedError("windows are missing; run docqa verify")
        texts, documents, starts = zip(*map(found.get, ids), strict=True) if ids else ((), (), ())
        paths = store.paths_of(documents)
        return Looked(
            store.vectors(wanted.unseen) @ vector,
            [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts],
            np.array(documents, np.int64),
            [paths[document] for document in documents],
            np.array(starts, np.int64),
        )

    def fetch(
        self, ids: Sequence[int], scores: Sequence[float], prominences: Sequence[float]
    ) -> list[Hit]:
        with database_errors(self._store.folder):
            return self._store.hits(ids, scores, prominences)
