"""A tokenizer read without transformers is the one that transformers makes, or is left to it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from docqa.index.errors import ModelError
from docqa.index.models.folders import DEFAULT_EMBEDDER, embedder_folder
from docqa.index.models.tokenizer import ModelTokenizer, load_fast_tokenizer
from docqa.index.models.weights import NotPlainError
from docqa.settings import DEFAULT_READER


@pytest.fixture(params=["reader", "embedder", "tiny"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, tiny_reader: Path) -> Path:
    """A copy of a model's folder without the model."""
    whole = {
        "reader": Path(DEFAULT_READER),
        "embedder": embedder_folder(DEFAULT_EMBEDDER)[0],
        "tiny": tiny_reader,
    }[request.param]
    return Path(
        shutil.copytree(
            whole, tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors", "README*")
        )
    )


def test_it_is_transformers_own(folder: Path) -> None:
    read = ModelTokenizer.read(folder)
    loaded = load_fast_tokenizer(folder)
    loaded.backend_tokenizer.no_truncation()
    loaded.backend_tokenizer.no_padding()
    assert read.backend.to_str() == loaded.backend_tokenizer.to_str()
    assert read.max_tokens == loaded.model_max_length
    assert (read.pad_id, read.cls_id) == (loaded.pad_token_id, loaded.cls_token_id)


@pytest.mark.parametrize(
    "change",
    [
        {"tokenizer_class": "RobertaTokenizer"},
        {"tokenizer_class": None},
        {"cls_token": "[FIRST]"},
        {"extra_special_tokens": ["[EXTRA]"]},
        {"add_bos_token": True},
        {"split_special_tokens": True},
        {"model_max_length": "long"},
    ],
)
def test_what_its_settings_leave_open_is_left_to_transformers(
    change: dict[str, Any], folder: Path
) -> None:
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(NotPlainError):
        ModelTokenizer.read(folder)


@pytest.mark.parametrize("folder", ["reader", "embedder"], indirect=True)
@pytest.mark.parametrize(
    "change", [{"do_lower_case": False}, {"strip_accents": True}, {"tokenize_chinese_chars": False}]
)
def test_settings_against_the_file_are_left_to_transformers(
    change: dict[str, Any], folder: Path
) -> None:
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(NotPlainError):
        ModelTokenizer.read(folder)
    assert ModelTokenizer.load(folder).backend.to_str() == _loaded(folder)


def _loaded(folder: Path) -> str:
    backend = load_fast_tokenizer(folder).backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return str(backend.to_str())


@pytest.mark.parametrize("folder", ["tiny"], indirect=True)
@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"added_tokens": [], "model": {}}'])
def test_a_damaged_file_is_a_model_error(content: str, folder: Path) -> None:
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError, match="tokenizer"):
        ModelTokenizer.load(folder)
