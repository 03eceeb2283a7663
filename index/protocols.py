"""What can be exchanged in an index: what shows its documents, and each of the two searches.

The embedder is :class:`docqa.index.models.embedder.Embedder`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from docqa.index.documents import StoredDocument
from docqa.index.paths import DocumentPaths
from docqa.index.schema import IndexSettings
from docqa.index.searched import Searched
from docqa.index.store import FileState, IdArray, Store, Vectors
from docqa.index.within import Allowed


class Documents(Protocol):
    """The documents of an index or of a collection, as a snapshot shows them.

    :class:`docqa.index.store.Store` and :class:`docqa.index.collection.documents.ShardedDocuments`.
    What the methods do stands in the former.
    """

    @property
    def folder(self) -> Path: ...
    @property
    def settings(self) -> IndexSettings: ...
    @property
    def index_id(self) -> str: ...
    @property
    def generation(self) -> int: ...
    @property
    def paths(self) -> DocumentPaths: ...
    @property
    def parts(self) -> Sequence[tuple[int, Store]]: ...
    @property
    def searched(self) -> Searched: ...
    def counts(self) -> dict[str, int]: ...
    def files(self) -> dict[str, FileState]: ...
    def document_ids(self) -> list[int]: ...
    def document(self, document_id: int) -> StoredDocument: ...
    def document_at(self, path: str) -> StoredDocument | None: ...
    def document_paths(self) -> Iterator[tuple[int, str]]: ...


class VectorSearch(Protocol):
    """Windows by the nearness of their vectors; see :class:`docqa.index.dense.DenseIndex`."""

    @property
    def generation(self) -> int:
        """The store's, which it shows."""

    def follow(self, store: Store) -> VectorSearch:
        """Return the search in line with the store's present generation."""

    def search(
        self, questions: Vectors, k: int, allowed: Allowed | None = None
    ) -> tuple[Vectors, IdArray]:
        """Return scores and ids, each ``(questions, k)``, best first; an id of -1 is none."""


class WordSearch(Protocol):
    """Windows by the words that they share; see :class:`docqa.index.full_text.FullText`."""

    def search(
        self, store: Store, question: str, limit: int, allowed: Allowed | None = None
    ) -> list[tuple[int, float]]:
        """Return ``(window id, score)``, best first."""
