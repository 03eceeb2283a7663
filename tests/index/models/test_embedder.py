"""A text's vector depends on nothing but the text, and not on how the model was loaded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from docqa import DocQA
from docqa.errors import IndexMismatchError
from docqa.index.build import BuildOptions
from docqa.index.errors import ModelError
from docqa.index.models.embedder import BatchedEmbedder, Embedder, load_embedder
from docqa.index.models.folders import DEFAULT_EMBEDDER, embedder_folder
from docqa.index.models.sentence_encoder import SentenceEncoder
from docqa.index.models.sentence_library import LibraryModel
from docqa.index.models.weights import NotPlainError
from docqa.index.store import Vectors
from tests.docqa.random_models import random_encoder

TEXTS = [
    "Who pays the rent?",
    "The tenant pays the rent on the first of each month. " * 9,
    "The landlord lives in Paris and signs in London. " * 80,  # longer than the model reads
    "",
    "  blanks in front",
    "a [SEP] in the text, and a [PAD]",
    "caf\u00e9, \u65e5\u672c\u8a9e \U0001f680\x0b\u2028",
    *(f"The tenant of house {n} pays the rent in month {n}." for n in range(10, 31)),
]


def embedder_of(model: LibraryModel | SentenceEncoder) -> Embedder:
    return BatchedEmbedder("name", "sha", model, 8)


def test_a_vector_is_the_same_bit_for_bit_in_any_company() -> None:
    embedder = load_embedder(DEFAULT_EMBEDDER)
    together = embedder.passages(TEXTS)
    alone = np.concatenate([embedder.passages([text]) for text in TEXTS])
    assert np.array_equal(together, alone)


def test_vectors_are_those_of_sentence_transformers() -> None:
    own = SentenceTransformer(str(embedder_folder(DEFAULT_EMBEDDER)[0]), device="cpu")
    expected = own.encode_document(TEXTS, normalize_embeddings=True)
    found = load_embedder(DEFAULT_EMBEDDER, "cpu").passages(TEXTS)
    assert (found * expected).sum(axis=1).min() > 0.9999


@pytest.mark.slow
def test_padded_rows_go_through_the_library_s_own_layers() -> None:
    folder, _ = embedder_folder(DEFAULT_EMBEDDER)
    own = SentenceTransformer(str(folder), device="cpu").encode_document(TEXTS)
    through = LibraryModel("name", folder, "cpu", torch.float32)
    padded = through._model.encode_document(TEXTS, batch_size=len(TEXTS))
    assert (padded * own).sum(axis=1).min() > 0.9999


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_shipped_embedder_is_the_same_without_its_library_bit_for_bit(
    dtype: torch.dtype,
) -> None:
    folder, _ = embedder_folder(DEFAULT_EMBEDDER)
    read = embedder_of(SentenceEncoder.read(folder, dtype))
    loaded = embedder_of(LibraryModel("name", folder, "cpu", dtype))
    assert read.dimension == loaded.dimension == 384
    texts = TEXTS if dtype is torch.float32 else TEXTS[:8]
    assert np.array_equal(read.passages(texts), loaded.passages(texts))
    assert np.array_equal(read.questions(texts), loaded.questions(texts))


def test_texts_are_cut_off_where_the_model_cuts_them_off() -> None:
    model = SentenceEncoder.read(embedder_folder(DEFAULT_EMBEDDER)[0], torch.float32)
    assert model.lengths(["the rent " * 400, "the rent"]) == [256, 4]


@pytest.fixture(scope="session")
def tiny_embedder(tmp_path_factory: pytest.TempPathFactory, tiny_reader: Path) -> Path:
    """A random BERT as sentence-transformers saves it today, without a last norm."""
    folder = tmp_path_factory.mktemp("tiny-embedder")
    random_encoder(tiny_reader, folder / "bert")
    SentenceTransformer(str(folder / "bert"), device="cpu").save(str(folder / "whole"))
    return folder / "whole"


def test_a_tiny_bert_is_the_same_without_its_library_bit_for_bit(tiny_embedder: Path) -> None:
    read = embedder_of(SentenceEncoder.read(tiny_embedder, torch.float32))
    loaded = embedder_of(LibraryModel("name", tiny_embedder, "cpu", torch.float32))
    assert np.array_equal(read.passages(TEXTS), loaded.passages(TEXTS))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config_sentence_transformers.json", {"prompts": {"query": "query: "}}),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}),
        ("config_sentence_transformers.json", {"truncate_dim": 16}),
        ("1_Pooling/config.json", {"pooling_mode": "cls"}),
        ("1_Pooling/config.json", {"include_prompt": False}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("sentence_bert_config.json", {"max_seq_length": 10_000}),
        ("tokenizer_config.json", {"truncation_side": "left"}),
        ("config.json", {"model_type": "deberta"}),
    ],
)
def test_what_is_more_than_a_mean_is_left_to_the_library(
    file: str, change: dict[str, Any], tiny_embedder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_embedder, tmp_path / "embedder"))
    SentenceEncoder.read(folder, torch.float32)
    settings = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps(settings | change))
    with pytest.raises(NotPlainError):
        SentenceEncoder.read(folder, torch.float32)


def test_prompts_are_put_in_front_by_the_library(tiny_embedder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_embedder, tmp_path / "embedder"))
    file = folder / "config_sentence_transformers.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps(settings | {"prompts": {"query": "who is ", "document": ""}}))
    embedder = load_embedder(str(folder))
    bare = load_embedder(str(tiny_embedder))
    assert np.array_equal(embedder.questions(["the tenant"]), bare.questions(["who is the tenant"]))
    assert np.array_equal(embedder.passages(["the tenant"]), bare.passages(["the tenant"]))


def test_a_damaged_model_is_a_model_error(tiny_embedder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_embedder, tmp_path / "embedder"))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(ModelError, match="can't load the embedder"):
        load_embedder(str(folder))


class Letters:
    """An embedder that counts letters."""

    name = "letters"
    sha256 = "1"
    dimension = 26

    def passages(
        self, texts: Sequence[str], on_progress: Callable[[int], None] | None = None
    ) -> Vectors:
        counts = [[text.lower().count(chr(ord("a") + n)) for n in range(26)] for text in texts]
        vectors = np.array(counts, np.float32) + 1
        if on_progress is not None:
            on_progress(len(texts))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def questions(self, texts: Sequence[str]) -> Vectors:
        return self.passages(texts)


def test_an_embedder_of_one_s_own(tmp_path: Path, documents: Path, tiny_reader: Path) -> None:
    qa = DocQA(tmp_path / "index", reader=str(tiny_reader), embedder=Letters())
    assert len(qa.index([documents], BuildOptions(workers=1)).added) == 2
    again = DocQA(tmp_path / "index", reader=str(tiny_reader), embedder=Letters())
    found = again.search("Who designed the Ariadne rocket?", 2)
    assert {Path(hit.document).name for hit in found} == {"lease.txt", "rocket.md"}
    other = Letters()
    other.sha256 = "2"
    with pytest.raises(IndexMismatchError, match="letters"):
        DocQA(tmp_path / "index", reader=str(tiny_reader), embedder=other).search("Who?")
