"""An index that is held open: its store, its searches, and the embedder it was made with."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import IndexDamagedError, IndexLockedError, IndexMismatchError
from docqa.index.models.folders import DEFAULT_EMBEDDER
from docqa.ingest.windows import WindowSettings

if TYPE_CHECKING:
    from docqa.index.dense import DenseIndex
    from docqa.index.models.embedder import Embedder
    from docqa.index.search import Searches
    from docqa.index.store import Store

_log = logging.getLogger("docqa")


class OpenIndex:
    """The files of an index and what is kept of them in memory, each from when it is first needed.

    Args:
        folder: the index's.
        embedder: a folder, a hub name or an embedder; the index's own if not given.
        window: size and overlap of windows; the index's own if not given.
        device: of the embedder.
    """

    def __init__(
        self,
        folder: Path,
        embedder: str | Embedder | None,
        window: WindowSettings | None,
        device: str,
    ) -> None:
        self.folder = folder
        self._embedder_name = embedder
        self._window = window
        self._device = device
        self._store: Store | None = None
        self._store_file: tuple[int, int] | None = None
        self._searches: Searches | None = None
        self._embedder: Embedder | None = None

    def create(self, tokenizer: str) -> Store:
        """Make it anew.

        Args:
            tokenizer: of the reader, as JSON; windows are measured in its tokens.
        """
        from docqa.index.models.embedder import load_embedder
        from docqa.index.schema import IndexSettings
        from docqa.index.store import Store

        name = self._embedder_name or DEFAULT_EMBEDDER
        if isinstance(name, str) and Path(name).is_dir():
            name = str(Path(name).absolute())  # the index may be asked from another folder
        self._embedder = load_embedder(name, self._device)
        settings = IndexSettings(
            embedder=self._embedder.name,
            embedder_sha256=self._embedder.sha256,
            dimension=self._embedder.dimension,
            window=self._window or WindowSettings(),
            tokenizer=tokenizer,
        )
        Store.create(self.folder, settings).close()
        return self.store()

    def store(self) -> Store:
        """The store, opened again where its file was replaced.

        Raises:
            IndexMissingError: there is none.
            IndexMismatchError: it has other windows than asked for.
        """
        from docqa.index.schema import DATABASE
        from docqa.index.store import Store

        file = self.folder / DATABASE
        present = (file.stat().st_dev, file.stat().st_ino) if file.exists() else None
        if self._store is None or present != self._store_file:
            self.close()
            store = Store.open(self.folder)
            if self._window is not None and self._window != store.settings.window:
                had = store.settings.window
                store.close()
                raise IndexMismatchError(
                    f"the index in {self.folder} has windows of {had.size} tokens overlapping by "
                    f"{had.overlap}; leave the window settings out, or index into another folder"
                )
            self._store, self._store_file = store, present
        return self._store

    def embedder(self, store: Store) -> Embedder:
        """The embedder that the index was made with.

        Args:
            store: the one in use, which a look for a newer one could close.

        Raises:
            IndexMismatchError: another was asked for.
            ModelError: it can't be loaded.
        """
        from docqa.index.models.embedder import load_embedder

        made_with = store.settings
        if self._embedder is None:
            self._embedder = load_embedder(self._embedder_name or made_with.embedder, self._device)
        if self._embedder.sha256 != made_with.embedder_sha256:
            raise IndexMismatchError(
                f"the index in {self.folder} was made with the embedder {made_with.embedder!r}, "
                f"not with these weights of {self._embedder.name!r}; use that one, "
                "or index into another folder"
            )
        return self._embedder

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Store, Searches]]:
        """The store at one generation, and its searches in line with it.

        Raises:
            IndexDamagedError: the database can't be read.
        """
        from docqa.index.search import Searches

        store = self.store()
        try:
            with store.snapshot():
                if self._searches is None:
                    self._searches = Searches.load(store)
                    dense = self._searches.dense
                    if dense.rebuilt:
                        _log.warning("rebuilt the vectors' cache: %s", dense.rebuilt)
                    self._save_cache(store, dense)
                else:
                    self._searches.sync(store)
                yield store, self._searches
        except sqlite3.DatabaseError as error:
            raise IndexDamagedError(
                f"the index in {self.folder} is damaged ({error}); "
                "delete the folder and run docqa index again"
            ) from error

    def _save_cache(self, store: Store, dense: DenseIndex) -> None:
        """Keep a mended cache for the next one who asks, if nobody is writing."""
        from docqa.index.build import writer_lock

        if dense.is_saved(store) or not os.access(self.folder, os.W_OK):
            return
        try:
            with writer_lock(self.folder):
                dense.save(store)
        except IndexLockedError:
            return  # the writer will save it

    def close(self) -> None:
        """Close the files; they are opened again when next needed."""
        if self._store is not None:
            self._store.close()
        self._store = self._store_file = self._searches = None
