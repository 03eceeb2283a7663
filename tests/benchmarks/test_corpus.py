"""Indexes of any size, made of a small one."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from corpus import make_index

from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.ingest.windows import WindowSettings
from tests.index.collection.conftest import Corpora
from tests.index.conftest import WordEmbedder


def test_an_index_of_any_size_is_made_of_copies(tmp_path: Path, tiny_tokenizer_json: str) -> None:
    """It asked stored documents for their whole texts, which they do not have any more."""
    embedder = WordEmbedder()
    made_with = (embedder.name, embedder.sha256, embedder.dimension, WindowSettings(32, 8))
    corpora = Corpora(tmp_path, embedder, IndexSettings(*made_with, tiny_tokenizer_json))
    real = corpora.index("real", [("/docs/a.txt", ["the rent is paid", "the tenant signs"])])
    with Store.open(real) as store:
        make_index(tmp_path / "made", store, 7)
    with Store.open(tmp_path / "made") as store:
        assert store.counts()["windows"] == 7
