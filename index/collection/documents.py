"""The documents of a collection, read from the databases of its shards."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from docqa.index.collection.catalogue import Catalogue
from docqa.index.collection.sharing import first_id, split_id
from docqa.index.documents import StoredDocument
from docqa.index.errors import IndexDamagedError, IndexMissingError, StorageError
from docqa.index.paths import DocumentPaths
from docqa.index.schema import IndexSettings
from docqa.index.searched import Searched, ShardFailure
from docqa.index.store import FileState, Store

_log = logging.getLogger("docqa")


class ShardedDocuments:
    """The documents of the shards that can be read, in a snapshot of each.

    Ids are those of the collection (:mod:`docqa.index.collection.sharing`). Implements
    :class:`docqa.index.protocols.Documents`; what the methods do stands at
    :class:`docqa.index.store.Store`.

    Args:
        folder: the collection's.
        catalogue: the collection's.
        stores: of the shards that could be opened, by number; inside a snapshot.
        failures: of the others.

    Attributes:
        failures: the shards that can't be read or did not answer, each with its error.

    Raises:
        StorageError: no shard can be read.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        stores: Mapping[int, Store],
        failures: Mapping[int, Exception],
    ) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self.failures: dict[int, Exception] = {}
        self._stores = dict(stores)
        self.leave_out(failures)

    def leave_out(self, failures: Mapping[int, Exception]) -> None:
        """Take note of shards that can't be read or do not answer.

        Raises:
            StorageError: there is no other shard.
        """
        for number, error in failures.items():
            self._stores.pop(number, None)
            error = of_shard(error)
            self.failures.setdefault(number, error)
            _log.warning("shard %d of %s is left out: %s", number, self.folder, error)
        if not self._stores:
            number, error = min(self.failures.items())
            kind = type(error) if isinstance(error, StorageError) else StorageError
            raise kind(f"no shard of {self.folder} can be read; shard {number}: {error}") from error

    @property
    def searched(self) -> Searched:
        failures = tuple(ShardFailure(n, str(error)) for n, error in sorted(self.failures.items()))
        shards = len(self.catalogue.shards)
        return Searched(shards - len(failures), shards, failures)

    @property
    def parts(self) -> Sequence[tuple[int, Store]]:
        return [(first_id(number), store) for number, store in sorted(self._stores.items())]

    @property
    def settings(self) -> IndexSettings:
        return self._any.settings

    @property
    def paths(self) -> DocumentPaths:
        return self._any.paths

    @property
    def index_id(self) -> str:
        return f"{self.catalogue.collection_id}-{self.catalogue.generation}"

    @property
    def generation(self) -> int:
        """The sum of the shards' generations, each of which only grows."""
        return sum(store.generation for store in self._stores.values())

    def counts(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for store in self._stores.values():
            for name, count in store.counts().items():
                total[name] = total.get(name, 0) + count
        return total

    def files(self) -> dict[str, FileState]:
        return {path: state for _, part in self.parts for path, state in part.files().items()}

    def document_ids(self) -> list[int]:
        return [first + id_ for first, part in self.parts for id_ in part.document_ids()]

    def document_paths(self) -> Iterator[tuple[int, str]]:
        for first, part in self.parts:
            for id_, path in part.document_paths():
                yield first + id_, path

    def document(self, document_id: int) -> StoredDocument:
        number, id_ = split_id(document_id)
        store = self._stores.get(number)
        if store is None:
            if number in self.failures:
                raise StorageError(f"shard {number} can't be read: {self.failures[number]}")
            raise IndexDamagedError(f"document {document_id} is missing; run docqa verify")
        return self._numbered(number, store.document(id_))

    def document_at(self, path: str) -> StoredDocument | None:
        for number, store in self._stores.items():
            found = store.document_at(path)
            if found is not None:
                return self._numbered(number, found)
        return None

    @staticmethod
    def _numbered(number: int, document: StoredDocument) -> StoredDocument:
        document.id += first_id(number)
        return document

    @property
    def _any(self) -> Store:
        return next(iter(self._stores.values()))


def of_shard(error: Exception) -> Exception:
    """Return a shard's error; where it is missing, as what is to be done for the collection."""
    if isinstance(error, IndexMissingError):
        return IndexMissingError("it is missing; docqa index makes it anew")
    return error


@contextmanager
def open_documents(folder: Path) -> Iterator[ShardedDocuments]:
    """Open the documents of a collection to look at; nothing of what searches need is loaded.

    Raises:
        IndexMissingError: there is no collection.
        StorageError: none of its shards can be read.
    """
    catalogue = Catalogue.read(folder)
    stores: dict[int, Store] = {}
    failures: dict[int, Exception] = {}
    with ExitStack() as opened:
        for number, shard in enumerate(catalogue.folders(folder)):
            try:
                store = opened.enter_context(Store.open(shard))
                opened.enter_context(store.snapshot())
            except (StorageError, OSError) as error:
                failures[number] = error
            else:
                stores[number] = store
        yield ShardedDocuments(folder, catalogue, stores, failures)
