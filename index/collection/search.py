"""Question to hits over the shards of a collection: the same hits as of one index.

Scores compare over all shards since BM25 gets the statistics of the whole collection, and since
the fusion's z-scores are taken over the pools of the whole: from what the shards offer, the best by
meaning and the best by words are chosen as one index would choose them. Windows with the same text
are one hit, whatever shards they are in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from docqa.index.collection.calls import ShardCalls
from docqa.index.collection.documents import ShardedDocuments
from docqa.index.collection.shard_search import Looked, Offered, ShardSearch, Wanted
from docqa.index.collection.sharing import first_id
from docqa.index.errors import FilterError
from docqa.index.full_text import question_words
from docqa.index.hit import Copy, Hit
from docqa.index.postings import Word, WordStatistics, split_words
from docqa.index.search import MORE, POOL, fold, fuse, z_scores
from docqa.index.store import IdArray, Vectors

_Result = TypeVar("_Result")
_Request = TypeVar("_Request")


class _ShardLostError(Exception):
    """A shard that had offered something gave no more; the search goes on without it."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A window in the pools of a question.

    Attributes:
        shard: the number of its shard.
        id: in the shard.
        cosine: with the question.
        word_score: by BM25; 0 where it is not in the pool of words.
        text: a hash of its text.
        document: the document's id, in the shard.
        path: the document's.
        start: in the document.
    """

    shard: int
    id: int
    cosine: float
    word_score: float
    text: bytes
    document: int
    path: str
    start: int


class ShardedSearches:
    """The searches of a collection's shards.

    Args:
        shards: by number; those that are there.
        calls: how they are called.
    """

    def __init__(self, shards: Mapping[int, ShardSearch], calls: ShardCalls) -> None:
        self._shards = dict(shards)
        self._calls = calls

    def search(
        self,
        documents: ShardedDocuments,
        questions: Sequence[str],
        vectors: Vectors,
        k: int,
        within: tuple[str, ...] = (),
        offered: int = POOL,
    ) -> list[list[Hit]]:
        """Find the ``k`` best windows for each question; see :func:`docqa.index.search.search`.

        Args:
            documents: of the same snapshot; it takes note of shards that do not answer.

        Raises:
            ValueError: ``k`` below 1.
            FilterError: no document lies within the filter.
            StorageError: no shard answers.
        """
        if k < 1:
            raise ValueError(f"at least one candidate is needed, not {k}")
        search = _Search(self._shards, self._calls, documents, k, within)
        words = [split_words(question_words(question)) for question in questions]
        return search.run(words, vectors, max(offered, k))


class _Search:
    """A search for questions that are asked together."""

    def __init__(
        self,
        shards: Mapping[int, ShardSearch],
        calls: ShardCalls,
        documents: ShardedDocuments,
        k: int,
        within: tuple[str, ...],
    ) -> None:
        self._shards = shards
        self._calls = calls
        self._documents = documents
        self._k = k
        self._within = within

    def run(self, words: list[Counter[Word]], vectors: Vectors, pool: int) -> list[list[Hit]]:
        all_words = {word for of_question in words for word in of_question}
        counted = self._ask_all(lambda shard: shard.statistics(all_words))
        return self._find(words, vectors, pool, WordStatistics.total(counted.values()))

    def _find(
        self, words: list[Counter[Word]], vectors: Vectors, pool: int, statistics: WordStatistics
    ) -> list[list[Hit]]:
        answers = self._ask_all(
            lambda shard: shard.find(words, vectors, pool, statistics, self._within)
        )
        offers = {number: offer for number, offer in answers.items() if offer is not None}
        if not offers:
            searched = self._documents.searched
            part = "" if searched.is_whole else f" in the {searched} shards that answer"
            raise FilterError(
                f"the collection in {self._documents.folder} holds no document within "
                f"{', '.join(self._within)}{part}; docqa status says what it holds"
            )
        while True:
            try:
                pools = [
                    _pool({number: offer[n] for number, offer in offers.items()}, pool)
                    for n in range(len(words))
                ]
                candidates = self._look(vectors, pools)
                found = self._fetch(candidates)
                break
            except _ShardLostError:
                offers = {number: offers[number] for number in offers if self._is_there(number)}
        # So many copies that nothing else was offered: more of each search.
        for n, hits in enumerate(found):
            if len(hits) < self._k and len(candidates[n]) >= pool:
                [found[n]] = self._find(
                    words[n : n + 1], vectors[n : n + 1], MORE * pool, statistics
                )
        return found

    def _look(
        self, vectors: Vectors, pools: list[dict[int, _PoolOfShard]]
    ) -> list[list[_Candidate]]:
        """Return the candidates of each question, in the order in which equal ones are ranked."""
        candidates: list[list[_Candidate]] = [[] for _ in pools]
        of_shard: dict[int, list[int]] = {}
        for n, of_question in enumerate(pools):
            for number in of_question:
                of_shard.setdefault(number, []).append(n)
        looked = self._ask(
            {
                number: (vectors[asked], [pools[n][number].wanted for n in asked])
                for number, asked in of_shard.items()
            },
            lambda shard, request: shard.look(*request),
        )
        for number, found in looked.items():
            for n, one in zip(of_shard[number], found, strict=True):
                candidates[n] += pools[n][number].candidates(number, one)
        for row in candidates:
            row.sort(key=lambda c: (c.path, c.start, c.shard, c.id))
        return candidates

    def _fetch(self, candidates: list[list[_Candidate]]) -> list[list[Hit]]:
        """Return the best windows of different texts of each question."""
        chosen = [_choose(row, self._k) for row in candidates]
        wanted: dict[int, list[tuple[int, int]]] = {}  # question and place, by shard
        for n, row in enumerate(chosen):
            for place, one in enumerate(row):
                wanted.setdefault(one.windows[0].shard, []).append((n, place))
        fetched = self._ask(
            {
                number: [chosen[n][place] for n, place in places]
                for number, places in wanted.items()
            },
            _fetch_from,
        )
        found: list[list[Hit | None]] = [[None] * len(row) for row in chosen]
        for number, hits in fetched.items():
            for (n, place), hit in zip(wanted[number], hits, strict=True):
                found[n][place] = chosen[n][place].as_hit(hit)
        return [[hit for hit in row if hit is not None] for row in found]

    def _is_there(self, number: int) -> bool:
        return number not in self._documents.failures

    def _ask_all(self, call: Callable[[ShardSearch], _Result]) -> dict[int, _Result]:
        """Return what each shard answers that answers at all."""
        there = {number: shard for number, shard in self._shards.items() if self._is_there(number)}
        results, failures = self._calls.each(
            {number: partial(call, shard) for number, shard in there.items()}
        )
        self._documents.leave_out(failures)
        return results

    def _ask(
        self,
        requests: Mapping[int, _Request],
        call: Callable[[ShardSearch, _Request], _Result],
    ) -> dict[int, _Result]:
        """Return what shards answer to a request each, all of them.

        Raises:
            _ShardLostError: one of them does not.
        """
        results, failures = self._calls.each(
            {
                number: partial(call, self._shards[number], request)
                for number, request in requests.items()
            }
        )
        if failures:
            self._documents.leave_out(failures)
            raise _ShardLostError
        return results


def _fetch_from(shard: ShardSearch, chosen: Sequence[_Chosen]) -> list[Hit]:
    return shard.fetch(
        [one.windows[0].id for one in chosen],
        [one.score for one in chosen],
        [one.prominence for one in chosen],
    )


@dataclass(frozen=True, slots=True)
class _PoolOfShard:
    """What of a shard is in the pools of a question.

    Attributes:
        wanted: the windows.
        cosines, word_scores: by id, as far as they are known.
    """

    wanted: Wanted
    cosines: dict[int, float]
    word_scores: dict[int, float]

    @classmethod
    def of(cls, cosines: dict[int, float], word_scores: dict[int, float]) -> _PoolOfShard:
        ids = np.array(sorted(cosines.keys() | word_scores.keys()), np.int64)
        unseen = np.array(sorted(word_scores.keys() - cosines.keys()), np.int64)
        return cls(Wanted(ids, unseen), cosines, word_scores)

    def candidates(self, shard: int, looked: Looked) -> list[_Candidate]:
        unseen = self.wanted.unseen.tolist()
        cosines = self.cosines | dict(zip(unseen, looked.cosines.tolist(), strict=True))
        return [
            _Candidate(
                shard,
                id_,
                cosines[id_],
                self.word_scores.get(id_, 0.0),
                looked.texts[n],
                int(looked.documents[n]),
                looked.paths[n],
                int(looked.starts[n]),
            )
            for n, id_ in enumerate(self.wanted.ids.tolist())
        ]


def _pool(offers: Mapping[int, Offered], pool: int) -> dict[int, _PoolOfShard]:
    """Return what of each shard is among the best of all, by either search."""
    near = _best({s: (offer.near, offer.cosines) for s, offer in offers.items()}, pool)
    sharing = _best({s: (offer.sharing, offer.word_scores) for s, offer in offers.items()}, pool)
    return {
        number: _PoolOfShard.of(near.get(number, {}), sharing.get(number, {}))
        for number in sorted(near.keys() | sharing.keys())
    }


def _best(offered: Mapping[int, tuple[IdArray, Vectors]], pool: int) -> dict[int, dict[int, float]]:
    """Return the best windows of all shards, as scores by id for each shard that has one."""
    found: dict[int, dict[int, float]] = {}
    if offered:
        shards = np.concatenate([np.full(len(ids), s) for s, (ids, _) in offered.items()])
        ids = np.concatenate([ids for ids, _ in offered.values()])
        scores = np.concatenate([scores for _, scores in offered.values()])
        for n in np.argsort(-scores, kind="stable")[:pool].tolist():
            found.setdefault(int(shards[n]), {})[int(ids[n])] = float(scores[n])
    return found


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Windows with the same text that are one hit: the first of them stands for all."""

    windows: list[_Candidate]
    score: float
    prominence: float

    def as_hit(self, hit: Hit) -> Hit:
        """Return the first window's hit with ids of the collection, and with its copies."""
        first = self.windows[0]
        return replace(
            hit,
            id=first_id(first.shard) + hit.id,
            document_id=first_id(first.shard) + hit.document_id,
            copies=tuple(
                Copy(first_id(one.shard) + one.document, one.start - first.start)
                for one in self.windows[1:]
            ),
        )


def _choose(candidates: list[_Candidate], k: int) -> list[_Chosen]:
    """Return the ``k`` best candidates of different texts, best first."""
    numbers, scores = fuse(
        {n: one.cosine for n, one in enumerate(candidates)},
        {n: one.word_score for n, one in enumerate(candidates)},
    )
    groups, best = fold(numbers, scores, {n: one.text for n, one in enumerate(candidates)}, k)
    return [
        _Chosen([candidates[n] for n in group], score, prominence)
        for group, score, prominence in zip(
            groups, best.tolist(), z_scores(best).tolist(), strict=True
        )
    ]
