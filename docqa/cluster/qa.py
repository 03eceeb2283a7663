"""A collection and a reader that are spread over a cluster, asked as those of one computer.

Documents themselves are read here, from the shards' databases on the file system that all share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from time import monotonic

from docqa.cluster.remote import Handle, RemoteModel, RemoteShard
from docqa.cluster.requests import LostError, Requests
from docqa.cluster.settings import ClusterSettings
from docqa.cluster.shard_server import HELD_SECONDS, ShardState
from docqa.index.collection.calls import ShardCalls
from docqa.index.collection.handle import CollectionHandle
from docqa.index.collection.shard_search import ShardSearch
from docqa.index.errors import IndexUnreadableError
from docqa.index.handle import IndexHandle
from docqa.index.store import Store
from docqa.model.span_model import SpanModel
from docqa.qa import DocQA
from docqa.server.settings import ServerSettings

# How often a shard is opened anew that was changed in the very moment between opening it here and
# at a replica.
_OPENED_ANEW = 5
# Requests that a front waits for at the same time; each has a thread that sleeps.
_CALLS = 256


class ServedCollection(CollectionHandle):
    """A collection whose shards are searched by replicas.

    Args:
        folder, embedder, device: as for a :class:`CollectionHandle`.
        groups: the deployments whose replicas hold shards: shard n is held by group n modulo their
            number.
        cluster: how the collection is spread.
    """

    def __init__(
        self,
        folder: Path,
        embedder: str | None,
        device: str,
        groups: Sequence[Handle],
        cluster: ClusterSettings,
    ) -> None:
        # A request is given up before the thread that waits for it is.
        super().__init__(folder, embedder, None, device)
        self._calls = ShardCalls(2 * cluster.shard_seconds, _CALLS)
        self._groups = groups
        self._requests = Requests(cluster.shard_seconds, again=cluster.replicas > 1)
        # The states that a replica is known to hold, and since when.
        self._held: dict[int, tuple[ShardState, float]] = {}

    def close(self) -> None:
        super().close()
        self._requests.close()

    @contextmanager
    def _shard(self, number: int, handle: IndexHandle) -> Iterator[tuple[Store, ShardSearch]]:
        group = self._groups[number % len(self._groups)]
        lost: LostError | None = None
        for _ in range(_OPENED_ANEW):
            with handle.documents() as store:
                state = ShardState(handle.folder.absolute(), store.index_id, store.generation)
                shard = RemoteShard(state, group, self._requests)
                try:
                    held, since = self._held.get(number, (None, 0.0))
                    if held != state or monotonic() - since > HELD_SECONDS / 2:
                        shard.hold()
                        self._held[number] = state, monotonic()
                except LostError as error:
                    lost = error
                    continue
                yield store, shard
                return
        raise IndexUnreadableError(f"no replica answers for it: {lost}") from lost


class ClusterQA(DocQA):
    """Questions to a collection whose shards and readers are replicas of deployments.

    Args:
        settings: of the server: what it serves.
        cluster: how the collection is spread.
        groups: the deployments that hold the shards.
        readers: the deployment that reads.
    """

    def __init__(
        self,
        settings: ServerSettings,
        cluster: ClusterSettings,
        groups: Sequence[Handle],
        readers: Handle,
    ) -> None:
        super().__init__(settings.index, **settings.asking)
        self._served = ServedCollection(
            settings.index, settings.embedder, settings.device, groups, cluster
        )
        self._readers = readers
        # A reader that dies over its work is no reason to refuse a question that others can read.
        self._reading = Requests(cluster.reader_seconds, again=True)

    @property
    def _opened(self) -> ServedCollection:
        return self._served

    @cached_property
    def _model(self) -> SpanModel:
        return RemoteModel(self._reader_name, self._readers, self._reading)

    def close(self) -> None:
        self._served.close()
        self._reading.close()
