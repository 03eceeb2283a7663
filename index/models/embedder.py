"""Text to vectors, with sentence-transformers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from docqa.index.errors import ModelError
from docqa.index.models.device import Device, pick_device, pick_dtype
from docqa.index.models.folders import embedder_folder, load_quietly
from docqa.index.store import Vectors

# Texts that go through the model at once; on a CPU as few as stay in its cache.
_BATCH = {"cpu": 8}
_BATCH_ELSEWHERE = 64


class Embedder:
    """A sentence-transformers model, loaded.

    Args:
        name: the default's name, a folder, or a model's name on the hub.
        device: where it runs.

    Attributes:
        name: as given.
        sha256: of its weights; an index remembers it.
        dimension: of its vectors.

    Raises:
        ModelError: it can't be found or loaded.
    """

    def __init__(self, name: str, device: Device = "auto") -> None:
        folder, self.sha256 = embedder_folder(name)
        self.name = name
        from sentence_transformers import SentenceTransformer

        load_quietly()
        place = pick_device(device)
        self._turn = (
            threading.Lock()
        )  # neither model nor tokenizer is called by two threads at once
        self._batch = _BATCH.get(place, _BATCH_ELSEWHERE)
        try:
            self._model = SentenceTransformer(
                str(folder),
                device=place,
                local_files_only=True,
                model_kwargs={"dtype": pick_dtype("auto", place)},
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"can't load the embedder {name!r}: {error}") from error
        _quicken(self._model, place)
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise ModelError(f"the embedder {name!r} does not say how long its vectors are")
        self.dimension = dimension

    def passages(
        self, texts: Sequence[str], embedded: Callable[[int], None] | None = None
    ) -> Vectors:
        """Vectors ``(texts, dimension)`` of passages, of length 1.

        Args:
            embedded: told after each batch how many texts it held.
        """
        return self._vectors(self._model.encode_document, texts, embedded)

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Vectors ``(texts, dimension)`` of questions, of length 1."""
        return self._vectors(self._model.encode_query, texts, None)

    def _vectors(
        self, encode: Any, texts: Sequence[str], embedded: Callable[[int], None] | None
    ) -> Vectors:
        """Texts of the same number of tokens go together: nothing is padded.

        How far a text is padded changes the last bits of its vector, so a vector would depend on
        its company, and an index on where its making was interrupted.
        """
        result = np.empty((len(texts), self.dimension), np.float32)
        for part in self._batches(texts):
            with self._turn:
                vectors = encode(
                    [texts[n] for n in part],
                    batch_size=len(part),
                    convert_to_numpy=True,
                    show_progress_bar=False,
                )
            result[part] = _unit(np.asarray(vectors, np.float32))
            if embedded is not None:
                embedded(len(part))
        return result

    def _batches(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Places of texts, in batches of one length in tokens, the longest first."""
        if not texts:
            return
        with self._turn:
            tokens = self._model.tokenizer(
                list(texts), truncation=True, max_length=self._model.max_seq_length
            )
        lengths = [len(ids) for ids in tokens["input_ids"]]
        longest_first = sorted(range(len(texts)), key=lambda n: -lengths[n])
        for _, group in groupby(longest_first, key=lambda n: lengths[n]):
            places = list(group)
            for first in range(0, len(places), self._batch):
                yield places[first : first + self._batch]


def _quicken(model: Any, device: str) -> None:
    """Have its layers read by :class:`bert_layers.SwiftEncoder` where that can be."""
    from docqa.index.models.bert_layers import EvenRows, SwiftEncoder

    bert = model.transformers_model
    if bert is not None and SwiftEncoder.can_read(bert, device):
        bert.encoder = EvenRows(bert)


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(norms, np.finfo(np.float32).tiny)
    return unit
