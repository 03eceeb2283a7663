"""A plain model of sentence-transformers, read without its library: an encoder and a mean.

Plain is: an encoder that :class:`docqa.index.models.encoder.Encoder` computes, the mean of its
tokens, perhaps made of length 1, and no prompts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from docqa.index.models.encoder import Encoder, EncoderConfig
from docqa.index.models.families import first_position
from docqa.index.models.tokenizer import ModelTokenizer
from docqa.index.models.weights import NotPlainError, read_json, read_object, read_weights
from docqa.index.store import Vectors

_MODULES = ("Transformer", "Pooling", "Normalize")
_PACKAGES = (
    "sentence_transformers.models",
    "sentence_transformers.base.modules.transformer",
    "sentence_transformers.sentence_transformer.modules.pooling",
    "sentence_transformers.base.modules.normalize",
)
# What the module Transformer says of an encoder of texts.
_PLAIN_TRANSFORMER = {
    "transformer_task": "feature-extraction",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
    "module_output_name": "token_embeddings",
}


class SentenceEncoder:
    """An encoder whose tokens' mean is a text's vector.

    Args:
        encoder: makes hidden states.
        tokenizer: cuts texts off where the model does.
        normalize: whether vectors are made of length 1.

    Attributes:
        dimension: of the vectors.
    """

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer, normalize: bool) -> None:
        self._encoder = encoder
        self._tokenizer = tokenizer
        self._normalize = normalize
        self._first_position = first_position(encoder.config)
        self.dimension = encoder.config.width

    @classmethod
    def read(cls, folder: Path, dtype: torch.dtype) -> SentenceEncoder:
        """Read a model from its folder.

        Raises:
            NotPlainError: it is not plain.
        """
        config = EncoderConfig.of(read_object(folder / "config.json"))
        modules = _modules(folder)
        _check_pooling(read_object(folder / modules["Pooling"] / "config.json"), config.width)
        _check_prompts(folder)
        normalize = "Normalize" in modules
        if normalize and (folder / modules["Normalize"] / "config.json").exists():
            settings = read_object(folder / modules["Normalize"] / "config.json")
            if any(value != "sentence_embedding" for value in settings.values()):
                raise NotPlainError(f"normalizes {settings}")
        tokenizer = ModelTokenizer.read(folder)
        most = _max_tokens(folder, tokenizer, config)
        if read_object(folder / "tokenizer_config.json").get("truncation_side", "right") != "right":
            raise NotPlainError("truncates on the left")
        tokenizer.backend.enable_truncation(most)
        return cls(Encoder(config, read_weights(folder), dtype), tokenizer.backend, normalize)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model reads of each text."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

    @torch.inference_mode()
    def embed(self, texts: Sequence[str], question: bool) -> Vectors:
        """Return vectors ``(texts, dimension)`` of texts of one length, alike for questions."""
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = torch.tensor([encoding.ids for encoding in encodings])
        segments = torch.tensor([encoding.type_ids for encoding in encodings])
        rows, tokens = ids.shape
        positions = torch.arange(tokens).repeat(rows) + self._first_position
        hidden = self._encoder(ids.flatten(), segments.flatten(), positions, [tokens] * rows)
        hidden = hidden.view(rows, tokens, -1)
        # Sums in float32, as sentence-transformers' pooling.
        mean = (hidden.sum(dim=1, dtype=torch.float32) / tokens).to(hidden.dtype)
        if self._normalize:
            mean = F.normalize(mean, p=2, dim=-1)
        return np.asarray(mean.float().numpy())


def _modules(folder: Path) -> dict[str, str]:
    """The folders of a model's modules; raises unless they are those of a plain model."""
    modules: dict[str, str] = {}
    try:
        for module in read_json(folder / "modules.json"):
            package, _, name = module["type"].rpartition(".")
            known = package in _PACKAGES and set(module) <= {"idx", "name", "path", "type"}
            if not known or name in modules or not isinstance(module["path"], str):
                raise NotPlainError(f"module {module}")
            modules[name] = module["path"]
    except (TypeError, KeyError, AttributeError) as error:
        raise NotPlainError("modules.json is not a list of modules") from error
    if tuple(modules) not in (_MODULES, _MODULES[:2]) or modules["Transformer"] != "":
        raise NotPlainError(f"modules {modules}")
    return modules


def _check_pooling(config: Mapping[str, Any], width: int) -> None:
    """Raise unless vectors are the mean of all tokens, prompts included."""
    for name, value in config.items():
        right = {
            "word_embedding_dimension": width,
            "embedding_dimension": width,
            "pooling_mode": "mean",
            "pooling_mode_mean_tokens": True,
            "include_prompt": True,
        }.get(name, False)
        if value != right:
            raise NotPlainError(f"pooling: {name} is {value!r}")
    if not {"pooling_mode", "pooling_mode_mean_tokens"} & set(config):
        raise NotPlainError("pooling: no mode")


def _check_prompts(folder: Path) -> None:
    """Raise if texts are given words in front, or vectors are cut off."""
    file = folder / "config_sentence_transformers.json"
    for name, value in (read_object(file) if file.exists() else {}).items():
        known = name in {"__version__", "similarity_fn_name"} or not value
        if name == "prompts" and isinstance(value, dict):
            known = not any(value.values())
        if name == "model_type":
            known = value == "SentenceTransformer"
        if not known:
            raise NotPlainError(f"{name} is {value!r}")


def _max_tokens(folder: Path, tokenizer: ModelTokenizer, config: EncoderConfig) -> int:
    """How many tokens of a text are read."""
    settings = read_object(folder / "sentence_bert_config.json")
    for name, value in settings.items():
        if value and name != "max_seq_length" and value != _PLAIN_TRANSFORMER.get(name):
            raise NotPlainError(f"sentence_bert_config.json: {name} is {value!r}")
    limit = settings.get("max_seq_length")
    if limit is None:
        limit = min(tokenizer.max_tokens, config.max_position_embeddings)
    positions = config.max_position_embeddings - first_position(config)
    if not isinstance(limit, int) or not 2 < limit <= positions:
        raise NotPlainError(f"max_seq_length is {limit!r}, for {positions} positions")
    return limit
