"""What the application holds of shards and readers that are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from docqa.cluster.requests import LostError, Requests
from docqa.cluster.shard_server import ShardState
from docqa.errors import ModelError
from docqa.index.collection.shard_search import Looked, Offered, Wanted
from docqa.index.errors import IndexUnreadableError
from docqa.index.hit import Hit
from docqa.index.postings import Word, WordStatistics
from docqa.index.store import Vectors
from docqa.model.span_model import SpanModel
from docqa.ranking.reading import Job
from docqa.ranking.span_search import Logits

# The handle of a deployment, as Ray Serve gives it.
Handle = Any


class RemoteShard:
    """A shard's state, searched by a replica of its group.

    Args:
        state: of the shard.
        group: the deployment whose replicas hold the shard.
        requests: sends what is asked.
    """

    def __init__(self, state: ShardState, group: Handle, requests: Requests) -> None:
        self._state = state
        self._group = group
        self._requests = requests

    def hold(self) -> None:
        """Have the state held for the searches to come.

        Raises:
            LostError: the shard was changed since.
        """
        self._requests.ask("hold", lambda: self._group.hold.remote(self._state))

    def statistics(self, words: Iterable[Word]) -> WordStatistics:
        counted: WordStatistics = self._ask("statistics", words)
        return counted

    def find(
        self,
        words: Sequence[Mapping[Word, int]],
        vectors: Vectors,
        pool: int,
        statistics: WordStatistics,
        within: tuple[str, ...],
    ) -> list[Offered] | None:
        offered: list[Offered] | None = self._ask("find", words, vectors, pool, statistics, within)
        return offered

    def look(self, vectors: Vectors, wanted: Sequence[Wanted]) -> list[Looked]:
        looked: list[Looked] = self._ask("look", vectors, wanted)
        return looked

    def fetch(
        self, ids: Sequence[int], scores: Sequence[float], prominences: Sequence[float]
    ) -> list[Hit]:
        hits: list[Hit] = self._ask("fetch", ids, scores, prominences)
        return hits

    def _ask(self, step: str, *arguments: Any) -> Any:
        method = getattr(self._group, step)
        try:
            return self._requests.ask(step, lambda: method.remote(self._state, *arguments))
        except LostError as error:
            raise IndexUnreadableError(f"no replica answers for it: {error}") from error
        except TimeoutError as error:
            raise IndexUnreadableError("its replica did not answer in time") from error


class RemoteModel(SpanModel):
    """A reader whose windows go through the model of a replica.

    Its tokenizer and settings are here.

    Args:
        name: of the reader, as for :class:`docqa.model.span_model.SpanModel`.
        readers: the deployment of readers.
        requests: sends what is asked.
    """

    def __init__(self, name: str, readers: Handle, requests: Requests) -> None:
        super().__init__(name, "cpu")
        self._readers = readers
        self._requests = requests

    def logits(
        self, jobs: Sequence[Job], read: Callable[[int], None] | None = None
    ) -> list[Logits]:
        """Have all windows of all jobs read; see :meth:`SpanModel.logits`.

        Raises:
            ModelError: no reader answers, or not in time.
        """
        try:
            packed = self._requests.ask("read", lambda: self._readers.read.remote(list(jobs)))
        except (LostError, TimeoutError) as error:
            raise ModelError(f"no reader answers: {error}") from error
        if read is not None:
            read(sum(len(job.windows) for job in jobs))
        return [unpack(*one) for one in packed]


def pack(logits: Logits) -> tuple[Any, ...]:
    """Return logits as arrays, each of which holds no more than its own numbers."""
    return tuple(getattr(logits, name).cpu().numpy() for name in _FIELDS)


def unpack(*arrays: Any) -> Logits:
    """Return the logits that :func:`pack` was given, on the processor."""
    return Logits(*(torch.from_numpy(array.copy()) for array in arrays))


_FIELDS = ("start", "end", "allowed", "null_start", "null_end")
