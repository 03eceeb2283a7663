"""Text to vectors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Protocol

import numpy as np

from docqa.index.models.batches import batches
from docqa.index.models.device import Device, pick_device, pick_dtype
from docqa.index.models.folders import embedder_folder
from docqa.index.models.weights import NotPlainError
from docqa.index.store import Vectors


class Embedder(Protocol):
    """What makes vectors of texts; anything with these attributes and methods is an embedder.

    Attributes:
        name: a folder or a hub name, by which the index finds the embedder again.
        sha256: of what the vectors depend on; an index takes no other embedder than its own.
        dimension: of the vectors.
    """

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def passages(
        self, texts: Sequence[str], on_progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Return vectors ``(texts, dimension)`` of passages, float32, of length 1.

        Args:
            on_progress: is called after each batch with the number of its texts.
        """

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Return vectors ``(texts, dimension)`` of questions, float32, of length 1."""


class TextModel(Protocol):
    """A model that turns texts of one length into vectors; :func:`load_embedder` makes the rest.

    Attributes:
        dimension: of the vectors.
    """

    dimension: int

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model reads of each text."""

    def embed(self, texts: Sequence[str], question: bool) -> Vectors:
        """Return vectors ``(texts, dimension)`` of questions or passages of one length."""


def load_embedder(name: str | Embedder, device: Device = "auto") -> Embedder:
    """Load an embedder.

    A plain BERT is read by docqa itself, anything else by sentence-transformers.

    Args:
        name: the default's name, a folder, or a model's name on the hub; an embedder is returned
            as it is.
        device: where it runs.

    Raises:
        ModelError: it can't be found or loaded.
    """
    if not isinstance(name, str):
        return name
    folder, sha256 = embedder_folder(name)
    place = pick_device(device)
    dtype = pick_dtype("auto", place)
    model: TextModel
    try:
        from docqa.index.models.sentence_encoder import SentenceEncoder

        if place != "cpu":
            raise NotPlainError("docqa's own layers are for CPUs")
        model = SentenceEncoder.read(folder, dtype)
    except NotPlainError:
        from docqa.index.models.sentence_library import LibraryModel

        model = LibraryModel(name, folder, place, dtype)
    return BatchedEmbedder(name, sha256, model, batches(place).embedder_texts)


class BatchedEmbedder:
    """An embedder that gives its model texts of one length at once.

    Then nothing is padded. How far a text is padded changes the last bits of its vector, so a
    vector would depend on its company, and an index on where its making was interrupted.
    """

    def __init__(self, name: str, sha256: str, model: TextModel, batch: int) -> None:
        self.name = name
        self.sha256 = sha256
        self.dimension = model.dimension
        self._model = model
        self._batch = batch
        self._turn = threading.Lock()  # a model is not called by two threads at once

    def passages(
        self, texts: Sequence[str], on_progress: Callable[[int], None] | None = None
    ) -> Vectors:
        return self._vectors(texts, question=False, on_progress=on_progress)

    def questions(self, texts: Sequence[str]) -> Vectors:
        return self._vectors(texts, question=True, on_progress=None)

    def _vectors(
        self, texts: Sequence[str], question: bool, on_progress: Callable[[int], None] | None
    ) -> Vectors:
        result = np.empty((len(texts), self.dimension), np.float32)
        for part in self._batches(texts):
            with self._turn:
                vectors = self._model.embed([texts[n] for n in part], question)
            result[part] = _unit(vectors)
            if on_progress is not None:
                on_progress(len(part))
        return result

    def _batches(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Places of texts, in batches of one length in tokens, the longest first."""
        if not texts:
            return
        with self._turn:
            lengths = self._model.lengths(texts)
        longest_first = sorted(range(len(texts)), key=lambda n: -lengths[n])
        for _, group in groupby(longest_first, key=lambda n: lengths[n]):
            places = list(group)
            for first in range(0, len(places), self._batch):
                yield places[first : first + self._batch]


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(norms, np.finfo(np.float32).tiny)
    return unit
