"""An index that is held open: its connections, its searches, and the embedder it was made with.

Many threads may ask while another writes and another closes. Each snapshot has a connection of its
own; connections that are done with wait to be used again. The searches are shared, never changed,
and replaced as a whole when the index has a new generation.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docqa.index.errors import IndexLockedError, IndexMismatchError, IndexMissingError, StorageError
from docqa.index.models.folders import DEFAULT_EMBEDDER
from docqa.ingest.windows import WindowSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docqa.index.build import BuildOptions, IndexReport, Progress
    from docqa.index.models.embedder import Embedder
    from docqa.index.protocols import Documents
    from docqa.index.schema import IndexSettings
    from docqa.index.search import Searches
    from docqa.index.store import Store

_log = logging.getLogger("docqa")


class OwnEmbedder:
    """The embedder that an index was made with, loaded when it is first needed, and kept.

    Args:
        name: a folder or hub name, or an embedder; the index's own if not given.
        device: where it runs.
    """

    def __init__(self, name: str | Embedder | None, device: str) -> None:
        self._name = name
        self._device = device
        self._loading = threading.Lock()
        self._loaded: Embedder | None = None

    def get(self, made_with: IndexSettings, folder: Path) -> Embedder:
        """Return the embedder of an index.

        Args:
            made_with: the index's settings; it may have been made anew since the last call.
            folder: the index's, for messages.

        Raises:
            IndexMismatchError: another was asked for.
            ModelError: it can't be loaded.
        """
        from docqa.index.models.embedder import load_embedder

        with self._loading:
            embedder = self._loaded
            if embedder is None or (
                embedder.sha256 != made_with.embedder_sha256 and self._name is None
            ):
                embedder = load_embedder(self._name or made_with.embedder, self._device)
                self._loaded = embedder
        if embedder.sha256 != made_with.embedder_sha256:
            raise IndexMismatchError(
                f"the index in {folder} was made with the embedder {made_with.embedder!r}, "
                f"not with these weights of {embedder.name!r}; use that one, "
                "or index into another folder"
            )
        return embedder

    def settings_for_new(self, window: WindowSettings | None, tokenizer: str) -> IndexSettings:
        """Return what a new index is made with.

        Args:
            window: size and overlap of its windows; the usual ones if not given.
            tokenizer: the JSON of the tokenizer in whose tokens windows are measured.

        Raises:
            ModelError: the embedder can't be loaded.
        """
        from docqa.index.models.embedder import load_embedder
        from docqa.index.schema import IndexSettings

        name = self._name or DEFAULT_EMBEDDER
        if isinstance(name, str) and Path(name).is_dir():
            name = str(Path(name).absolute())  # the index may be asked from another folder
        with self._loading:
            self._loaded = embedder = load_embedder(name, self._device)
        return IndexSettings(
            embedder=embedder.name,
            embedder_sha256=embedder.sha256,
            dimension=embedder.dimension,
            window=window or WindowSettings(),
            tokenizer=tokenizer,
        )


def check_windows(wanted: WindowSettings | None, had: WindowSettings, what: str) -> None:
    """Raise that an index or a collection has other windows than asked for, if it has.

    Args:
        wanted: None where any will do.
        what: has them, in words.

    Raises:
        IndexMismatchError: it has others.
    """
    if wanted is not None and wanted != had:
        raise IndexMismatchError(
            f"{what} has windows of {had.size} tokens overlapping by {had.overlap}; "
            "leave the window settings out, or index into another folder"
        )


class IndexHandle:
    """An index, opened when it is first needed and again after it was closed or replaced.

    Args:
        folder: the index's.
        embedder: a folder or hub name, or an embedder; the index's own if not given.
        window: size and overlap of windows; the index's own if not given.
        device: of the embedder.
        in_collection: whether the index is a shard, whose windows are found among those of others.
    """

    is_collection: ClassVar[bool] = False

    def __init__(
        self,
        folder: Path,
        embedder: str | Embedder | None = None,
        window: WindowSettings | None = None,
        device: str = "auto",
        in_collection: bool = False,
    ) -> None:
        self.folder = folder
        self._own_embedder = OwnEmbedder(embedder, device)
        self._window = window
        self._in_collection = in_collection
        self._lock = threading.Lock()  # over the next three; held for moments only
        self._idle: list[Store] = []
        self._closings = 0
        self._published: tuple[str, Searches] | None = None  # with the id of their index
        self._loading = threading.Lock()  # one thread brings the searches up, the others wait

    def __enter__(self) -> IndexHandle:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; those in use are closed by whoever uses them.

        The handle can be used again: the files are opened when they are next needed.
        """
        with self._lock:
            idle, self._idle = self._idle, []
            self._closings += 1
            self._published = None
        for store in idle:
            store.close()

    # -- reading -----------------------------------------------------------------------------

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Store, Searches]]:
        """Hold the index at one generation, with its searches in line.

        Any number of threads may hold one at a time.

        Raises:
            IndexMissingError: there is no index.
            IndexMismatchError: it has other windows than asked for.
            StorageError: it can't be read, as the kind of error says.
        """
        with self._store() as store:
            # A snapshot that began before the newest searches were published shows an older
            # generation than theirs; the next one does not, unless somebody put back an older
            # database.
            for last_try in (False, False, True):
                with store.snapshot():
                    searches = self._searches(store, anew=last_try)
                    if searches is not None:
                        yield store, searches
                        return

    @contextmanager
    def documents(self) -> Iterator[Store]:
        """Hold the index at one generation to look at its documents; searches are not loaded.

        Raises:
            StorageError: as :meth:`snapshot` raises it.
        """
        with self._store() as store, store.snapshot():
            yield store

    def embedder(self, store: Documents) -> Embedder:
        """Return the embedder that the index was made with.

        Args:
            store: of the snapshot; the index may have been made anew since the last one.

        Raises:
            IndexMismatchError: another was asked for.
            ModelError: it can't be loaded.
        """
        return self._own_embedder.get(store.settings, self.folder)

    @contextmanager
    def _store(self) -> Iterator[Store]:
        """Lend a connection to the index as it is now, and keep it for the next one who asks."""
        with self._lock:
            closings = self._closings
            store = self._idle.pop() if self._idle else None
        if store is not None and not store.is_current:
            store.close()
            store = None
        if store is None:
            store = self._open()
        try:
            yield store
        finally:
            with self._lock:
                keep = closings == self._closings and not store.db.conn.in_transaction
                if keep:
                    self._idle.append(store)
            if not keep:
                store.close()

    def _open(self) -> Store:
        from docqa.index.store import Store

        store = Store.open(self.folder)
        try:
            check_windows(self._window, store.settings.window, f"the index in {self.folder}")
        except BaseException:
            store.close()
            raise
        return store

    def _searches(self, store: Store, anew: bool) -> Searches | None:
        """Return the searches in line with a snapshot; None where they are already further on.

        Args:
            anew: load them whatever there is.
        """
        from docqa.index.search import Searches

        generation = store.generation
        found = None if anew else self._published_for(store)
        if found is None or found.dense.generation < generation:
            with self._loading:
                found = None if anew else self._published_for(store)  # another thread's, by now
                if found is None:
                    found = Searches.load(store, self._in_collection)
                    self._save_cache(store, found)
                elif found.dense.generation < generation:
                    found = found.follow(store)
                with self._lock:
                    self._published = (store.index_id, found)
        return found if found.dense.generation == generation else None

    def _published_for(self, store: Store) -> Searches | None:
        with self._lock:
            published = self._published
        return published[1] if published is not None and published[0] == store.index_id else None

    def _save_cache(self, store: Store, searches: Searches) -> None:
        """Keep a mended cache for the next process, if that is possible; a question never fails."""
        from docqa.index.lock import writer_lock

        dense = searches.dense
        if dense.rebuilt:
            _log.warning("rebuilt the vectors' cache: %s", dense.rebuilt)
        if dense.is_saved(store):
            return
        try:
            with writer_lock(self.folder):
                dense.save(store)
        except IndexLockedError:
            return  # the writer will save it
        except StorageError as error:
            _log.warning("the vectors' cache could not be saved: %s", error)

    # -- writing -----------------------------------------------------------------------------

    @contextmanager
    def writing(self, make_tokenizer: Callable[[], str] | None = None) -> Iterator[Store]:
        """Hold the index for writing, with a connection of its own.

        Args:
            make_tokenizer: returns the reader's tokenizer as JSON, in whose tokens the windows of
                a new index are measured; without it, no index is made.

        Raises:
            IndexMissingError: there is no index, and none is to be made.
            IndexMismatchError: it has other windows than asked for.
            IndexLockedError: another process is writing to it.
            StorageError: it can't be written to.
            ModelError: the embedder of a new index can't be loaded.
        """
        from docqa.index.lock import writer_lock
        from docqa.index.store import Store

        if make_tokenizer is None and not self.folder.is_dir():
            Store.open(self.folder).close()  # raises that there is none, and makes no folder
        with writer_lock(self.folder):
            try:
                store = Store.open(self.folder, to_write=True)
            except IndexMissingError:
                if make_tokenizer is None:
                    raise
                store = self._create(make_tokenizer())
            with store:
                check_windows(self._window, store.settings.window, f"the index in {self.folder}")
                yield store

    def _create(self, tokenizer: str) -> Store:
        from docqa.index.store import Store

        settings = self._own_embedder.settings_for_new(self._window, tokenizer)
        return Store.create(self.folder, settings)

    def index(
        self,
        paths: Sequence[str | os.PathLike[str]],
        options: BuildOptions,
        progress: Progress | None,
        make_tokenizer: Callable[[], str],
    ) -> IndexReport:
        """Bring the index in line with files and folders, making it if there is none.

        The arguments are those of :func:`docqa.index.build.build` and of :meth:`writing`, and so
        are the errors.
        """
        from docqa.index.build import build

        with self.writing(make_tokenizer) as store:
            return build(store, self.embedder(store), paths, options, progress)

    def forget(self, paths: Sequence[str | os.PathLike[str]]) -> list[str]:
        """Remove files, and all files under folders; see :func:`docqa.index.build.forget`."""
        from docqa.index.build import forget

        with self.writing() as store:
            return forget(store, paths)
