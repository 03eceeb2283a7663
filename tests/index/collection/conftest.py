"""What the tests of collections need: documents put into one index, and shared out to shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from docqa.index.collection.build import writing
from docqa.index.collection.handle import CollectionHandle
from docqa.index.collection.sharing import shard_of
from docqa.index.models.embedder import Embedder
from docqa.index.paths import DocumentPaths
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.ingest.document import Document
from docqa.ingest.windows import Window

# A document: its path, and the texts of its windows.
Texts = tuple[str, Sequence[str]]


class Corpora:
    """Makes indexes and collections of the same documents.

    Args:
        folder: where they are made.
    """

    def __init__(self, folder: Path, embedder: Embedder, settings: IndexSettings) -> None:
        self.folder = folder
        self.embedder = embedder
        self.settings = settings

    def index(self, name: str, documents: Sequence[Texts]) -> Path:
        """Return the folder of one index of documents."""
        folder = self.folder / name
        with Store.create(folder, self.settings) as store:
            for document in documents:
                self.put(store, document)
        return folder

    def collection(
        self, name: str, documents: Sequence[Texts], shards: int, places: Sequence[int] = ()
    ) -> Path:
        """Return the folder of a collection of documents.

        Args:
            places: the number of the shard for each document; by its path if not given.
        """
        folder = self.folder / name
        with writing(folder, shards, lambda: self.settings) as made:
            paths = DocumentPaths.of_folder(folder)
            stores = [Store.open(shard, to_write=True) for shard in made.shards]
            for n, document in enumerate(documents):
                number = places[n] if places else shard_of(document[0], paths, shards)
                self.put(stores[number], document)
            for store in stores:
                store.close()
        return folder

    def put(self, store: Store, document: Texts) -> None:
        """Put a document whose windows lie side by side."""
        path, texts = document
        windows, start = [], 0
        for text in texts:
            one = np.array([1], np.int32)
            windows.append(Window(start, start + len(text), one, np.array([[0, 1]], np.int32)))
            start += len(text) + 1
        vectors = self.embedder.passages(texts)
        store.put(Document(path, "text", "\n".join(texts), (), path, start, 0), windows, vectors)

    def handle(self, folder: Path) -> CollectionHandle:
        """Return a handle with the tests' embedder."""
        return CollectionHandle(folder, self.embedder)


@pytest.fixture
def corpora(tmp_path: Path, embedder: Embedder, index_settings: IndexSettings) -> Corpora:
    return Corpora(tmp_path, embedder, replace(index_settings))
