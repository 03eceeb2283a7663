"""A text's vector depends on nothing but the text."""

from __future__ import annotations

import numpy as np
from sentence_transformers import SentenceTransformer

from docqa.index.models.embedder import load_embedder
from docqa.index.models.folders import DEFAULT_EMBEDDER, embedder_folder


def test_a_vector_is_the_same_bit_for_bit_in_any_company() -> None:
    texts = [f"The tenant of house {n} pays the rent in month {n}." for n in range(10, 31)]
    texts += ["A short one.", "The landlord lives in Paris and signs in London. " * 12]
    embedder = load_embedder(DEFAULT_EMBEDDER)
    together = embedder.passages(texts)
    alone = np.concatenate([embedder.passages([text]) for text in texts])
    assert np.array_equal(together, alone)


def test_vectors_are_those_of_sentence_transformers() -> None:
    texts = ["Who pays the rent?", "The tenant pays the rent on the first of each month. " * 9]
    own = SentenceTransformer(str(embedder_folder(DEFAULT_EMBEDDER)[0]), device="cpu")
    expected = own.encode_document(texts, normalize_embeddings=True)
    embedder = load_embedder(DEFAULT_EMBEDDER, "cpu")
    found = embedder.passages(texts)
    assert (found * expected).sum(axis=1).min() > 0.9999
    padded = embedder._model.encode_document(texts, normalize_embeddings=True)
    assert (padded * expected).sum(axis=1).min() > 0.999
