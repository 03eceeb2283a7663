"""A collection that is held open: a handle for each of its shards."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docqa.index.collection.calls import ShardCalls
from docqa.index.collection.catalogue import Catalogue
from docqa.index.collection.documents import ShardedDocuments
from docqa.index.collection.search import ShardedSearches
from docqa.index.collection.shard_search import LocalShardSearch, ShardSearch
from docqa.index.errors import IndexDamagedError
from docqa.index.handle import IndexHandle, OwnEmbedder, check_windows
from docqa.index.paths import CATALOGUE
from docqa.index.store import Store
from docqa.ingest.windows import WindowSettings

if TYPE_CHECKING:
    from docqa.index.build import BuildOptions, IndexReport, Progress
    from docqa.index.models.embedder import Embedder
    from docqa.index.protocols import Documents
    from docqa.index.schema import IndexSettings

# How long a shard may take for a step of a search, or to be opened.
SHARD_SECONDS = 60.0

_Opened = tuple[Store, ShardSearch]


class CollectionHandle:
    """A collection, opened when it is first needed and again after it was closed or replaced.

    Args:
        folder: the collection's.
        embedder: a folder or hub name, or an embedder; the collection's own if not given.
        window: size and overlap of windows; the collection's own if not given.
        device: of the embedder.
        seconds: how long a shard may take for a step of a search.
    """

    is_collection: ClassVar[bool] = True

    def __init__(
        self,
        folder: Path,
        embedder: str | Embedder | None = None,
        window: WindowSettings | None = None,
        device: str = "auto",
        seconds: float = SHARD_SECONDS,
    ) -> None:
        self.folder = folder
        self._own_embedder = OwnEmbedder(embedder, device)
        self._embedder = embedder
        self._device = device
        self._window = window
        self._calls = ShardCalls(seconds)
        self._lock = threading.Lock()  # over the next; held for moments only
        self._shards: _Shards | None = None

    def __enter__(self) -> CollectionHandle:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; those in use are closed by whoever uses them."""
        with self._lock:
            shards, self._shards = self._shards, None
        if shards is not None:
            shards.close()
        self._calls.close()

    # -- reading -----------------------------------------------------------------------------

    @contextmanager
    def snapshot(self) -> Iterator[tuple[ShardedDocuments, ShardedSearches]]:
        """Hold each shard at one generation, with its searches in line.

        Shards that can't be read, or not in time, are left out; the documents say which.

        Raises:
            IndexMissingError: there is no collection.
            IndexMismatchError: it has other windows than asked for.
            StorageError: none of its shards can be read.
        """
        shards = self._current_shards()
        opening = {
            number: _Opening(self._shard(number, handle), shards)
            for number, handle in enumerate(shards.handles)
        }
        opened, failures = self._calls.each({n: one.open for n, one in opening.items()})
        try:
            if failures and shards.identity != _identity(self.folder):
                # Shared out anew in this very moment; what is new is there as a whole.
                with self.snapshot() as newer:
                    yield newer
                return
            documents = ShardedDocuments(
                self.folder,
                shards.catalogue,
                {number: store for number, (store, _) in opened.items()},
                failures,
            )
            searches = ShardedSearches(
                {number: search for number, (_, search) in opened.items()}, self._calls
            )
            yield documents, searches
        finally:
            for number, one in opening.items():
                self._calls.after(number, one.close)

    @contextmanager
    def _shard(self, _number: int, handle: IndexHandle) -> Iterator[_Opened]:
        """Hold a shard at one generation, with what searches it."""
        with handle.snapshot() as (store, searches):
            yield store, LocalShardSearch(store, searches)

    def embedder(self, documents: Documents) -> Embedder:
        """Return the embedder that the collection was made with.

        Raises:
            IndexMismatchError: another was asked for.
            ModelError: it can't be loaded.
        """
        return self._own_embedder.get(documents.settings, self.folder)

    def _current_shards(self) -> _Shards:
        """Return the shards that the catalogue names now."""
        identity = _identity(self.folder)
        with self._lock:
            shards = self._shards
        if shards is None or shards.identity != identity:
            catalogue = Catalogue.read(self.folder)
            self._check_windows(catalogue)
            handles = [
                IndexHandle(shard, in_collection=True) for shard in catalogue.folders(self.folder)
            ]
            found = _Shards(catalogue, identity, handles)
            with self._lock:
                old, self._shards = self._shards, found
            if old is not None:
                old.close()
            return found
        return shards

    def _check_windows(self, catalogue: Catalogue) -> None:
        check_windows(self._window, catalogue.window, f"the collection in {self.folder}")

    # -- writing -----------------------------------------------------------------------------

    def index(
        self,
        paths: Sequence[str | os.PathLike[str]],
        options: BuildOptions,
        progress: Progress | None,
        make_tokenizer: Callable[[], str],
        shards: int | None = None,
        ray: str | None = None,
    ) -> IndexReport:
        """Bring the collection in line with files and folders, making it if there is none.

        The arguments are those of :func:`docqa.index.collection.build.writing` and of
        :func:`docqa.index.collection.build.build_collection`, and so are the errors.

        Args:
            ray: the address of a cluster that builds the shards, as for
                :func:`docqa.index.collection.on_ray.build_on_ray`.
        """
        from docqa.index.collection.build import build_collection, writing

        with writing(self.folder, shards, self._new_settings(make_tokenizer)) as collection:
            self._check_windows(collection.catalogue)
            if ray is None:
                embedder = self._own_embedder.get(collection.settings, self.folder)
                return build_collection(collection, embedder, paths, options, progress)
            from docqa.index.collection.on_ray import build_on_ray

            name = self._embedder or collection.settings.embedder
            return build_on_ray(collection, name, self._device, paths, options, progress, ray)

    def _new_settings(self, make_tokenizer: Callable[[], str]) -> Callable[[], IndexSettings]:
        return lambda: self._own_embedder.settings_for_new(self._window, make_tokenizer())

    def forget(self, paths: Sequence[str | os.PathLike[str]]) -> list[str]:
        """Remove files, and all files under folders, from the collection.

        See :func:`docqa.index.collection.build.forget`.
        """
        from docqa.index.collection.build import forget, writing

        with writing(self.folder) as collection:
            return forget(collection, paths)


class _Shards:
    """The handles of a collection's shards.

    Attributes:
        catalogue: the collection's.
        identity: of the catalogue's file.
        handles: of the shards, in the order of their numbers.
    """

    def __init__(
        self, catalogue: Catalogue, identity: tuple[int, ...], handles: list[IndexHandle]
    ) -> None:
        self.catalogue = catalogue
        self.identity = identity
        self.handles = handles

        self._checked: set[str] = set()

    def check(self, store: Store) -> None:
        """Raise that a shard was put in from elsewhere, if it was."""
        if store.index_id not in self._checked:
            if not self.catalogue.is_made_with(store.settings):
                raise IndexDamagedError(
                    f"the index in {store.folder} was not made as its collection was"
                )
            self._checked.add(store.index_id)

    def close(self) -> None:
        for handle in self.handles:
            handle.close()


class _Opening:
    """A snapshot of a shard, opened in one thread and closed in another."""

    def __init__(self, snapshot: AbstractContextManager[_Opened], shards: _Shards) -> None:
        self._snapshot = snapshot
        self._shards = shards
        self._held: AbstractContextManager[_Opened] | None = None

    def open(self) -> _Opened:
        store, search = self._snapshot.__enter__()
        self._held = self._snapshot
        self._shards.check(store)
        return store, search

    def close(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.__exit__(None, None, None)


def _identity(folder: Path) -> tuple[int, ...]:
    """Return what tells one catalogue's file from the next."""
    try:
        status = (folder / CATALOGUE).stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
