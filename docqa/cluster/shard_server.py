"""What a replica of a group of shards does: it holds indexes open and takes steps of searches.

The steps of a search see one state of a shard: that which the application saw when it began. So a
state that was asked for is held for a while, also when there is a newer one by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from docqa.cluster.requests import LostError
from docqa.index.collection.shard_search import LocalShardSearch, Looked, Offered, Wanted
from docqa.index.handle import IndexHandle
from docqa.index.hit import Hit
from docqa.index.postings import Word, WordStatistics
from docqa.index.search import Searches
from docqa.index.store import Store, Vectors

# A state that nobody has asked for in so many seconds is let go.
HELD_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ShardState:
    """A shard at one moment.

    Attributes:
        folder: the shard's.
        index_id, generation: as of :class:`docqa.index.store.Store`.
    """

    folder: Path
    index_id: str
    generation: int


@dataclass(slots=True)
class _Held:
    """A state that is held open; one thread uses it at a time."""

    snapshot: AbstractContextManager[tuple[Store, Searches]]
    search: LocalShardSearch
    turn: threading.Lock = field(default_factory=threading.Lock)
    used: float = field(default_factory=monotonic)


class ShardServer:
    """Takes the steps of :class:`docqa.index.collection.shard_search.ShardSearch` for shards.

    What a shard's files raise is raised (:class:`docqa.errors.StorageError`).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # over the next two
        self._handles: dict[Path, IndexHandle] = {}
        self._held: dict[ShardState, _Held] = {}

    def hold(self, state: ShardState) -> None:
        """Hold a state for the searches to come.

        Raises:
            LostError: the shard was changed since.
        """
        with self._at(state):
            pass

    def statistics(self, state: ShardState, words: Iterable[Word]) -> WordStatistics:
        with self._at(state) as shard:
            return shard.statistics(words)

    def find(
        self,
        state: ShardState,
        words: Sequence[Mapping[Word, int]],
        vectors: Vectors,
        pool: int,
        statistics: WordStatistics,
        within: tuple[str, ...],
    ) -> list[Offered] | None:
        with self._at(state) as shard:
            return shard.find(words, vectors, pool, statistics, within)

    def look(self, state: ShardState, vectors: Vectors, wanted: Sequence[Wanted]) -> list[Looked]:
        with self._at(state) as shard:
            return shard.look(vectors, wanted)

    def fetch(
        self,
        state: ShardState,
        ids: Sequence[int],
        scores: Sequence[float],
        prominences: Sequence[float],
    ) -> list[Hit]:
        with self._at(state) as shard:
            return shard.fetch(ids, scores, prominences)

    def check_health(self) -> None:
        """Let go of what nobody has asked for lately; Ray Serve calls it from time to time."""
        with self._lock:
            for state, held in list(self._held.items()):
                if monotonic() - held.used > HELD_SECONDS and held.turn.acquire(blocking=False):
                    del self._held[state]
                    held.snapshot.__exit__(None, None, None)
            in_use = {state.folder for state in self._held}
            for folder in self._handles.keys() - in_use:
                if not folder.exists():  # the documents were shared out anew
                    self._handles.pop(folder).close()

    @contextmanager
    def _at(self, state: ShardState) -> Iterator[LocalShardSearch]:
        while True:
            with self._lock:
                held = self._held.get(state)
                handle = self._handles.get(state.folder)
                if handle is None:
                    handle = self._handles[state.folder] = IndexHandle(
                        state.folder, in_collection=True
                    )
            if held is None:
                self._open(handle, state)
                continue
            with held.turn:
                held.used = monotonic()
                if self._held.get(state) is held:
                    yield held.search
                    held.used = monotonic()
                    return

    def _open(self, handle: IndexHandle, state: ShardState) -> None:
        snapshot = handle.snapshot()
        store, searches = snapshot.__enter__()
        close: Callable[..., object] | None = snapshot.__exit__
        try:
            if (store.index_id, store.generation) != (state.index_id, state.generation):
                raise LostError("it was changed at this very moment")
            with self._lock:
                if state not in self._held:
                    self._held[state] = _Held(snapshot, LocalShardSearch(store, searches))
                    close = None
        finally:
            if close is not None:
                close(None, None, None)
