"""What the tests of an index need: a small embedder that is quick, and an empty index."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from docqa.index.schema import IndexSettings
from docqa.index.store import Store, Vectors
from docqa.ingest.windows import WindowSettings


class WordEmbedder:
    """Texts to sums of their words' own directions; the same everywhere, and needs no model."""

    name = "words"
    sha256 = "0" * 64
    dimension = 32

    def passages(
        self, texts: Sequence[str], on_batch: Callable[[int], None] | None = None, /
    ) -> Vectors:
        vectors = np.array([self._vector(text) for text in texts], np.float32)
        if on_batch is not None:
            on_batch(len(texts))
        return vectors.reshape(-1, self.dimension)

    def questions(self, texts: Sequence[str], /) -> Vectors:
        return self.passages(texts)

    def _vector(self, text: str) -> Vectors:
        vector = np.zeros(self.dimension, np.float32)
        for word in text.lower().split():
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4])
            vector += np.random.default_rng(seed).normal(size=self.dimension).astype(np.float32)
        unit: Vectors = vector / max(float(np.linalg.norm(vector)), 1e-6)
        return unit


@pytest.fixture(scope="session")
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def index_settings(embedder: WordEmbedder, tiny_tokenizer_json: str) -> IndexSettings:
    return IndexSettings(
        embedder.name,
        embedder.sha256,
        embedder.dimension,
        WindowSettings(32, 8),
        tiny_tokenizer_json,
    )


@pytest.fixture
def new_store(tmp_path: Path, index_settings: IndexSettings) -> Store:
    """An empty index of small windows, open to write."""
    return Store.create(tmp_path / "index", index_settings)
