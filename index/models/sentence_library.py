"""Any model of sentence-transformers, through its library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from docqa.index.errors import ModelError
from docqa.index.models.encoder import EncoderConfig, Layers
from docqa.index.models.folders import load_quietly
from docqa.index.models.weights import NotPlainError, WeightFile
from docqa.index.store import Vectors


class LibraryModel:
    """A model with its own prompts, pooling and normalisation.

    Args:
        name: for messages.
        folder: of the model.
        device: where it runs.
        dtype: to compute in.

    Attributes:
        dimension: of the vectors.

    Raises:
        ModelError: it can't be loaded.
    """

    def __init__(self, name: str, folder: Path, device: str, dtype: torch.dtype) -> None:
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer

        load_quietly()
        try:
            self._model = SentenceTransformer(
                str(folder), device=device, local_files_only=True, model_kwargs={"dtype": dtype}
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"can't load the embedder {name!r}: {error}") from error
        bert = self._model.transformers_model
        if bert is not None and device == "cpu":
            _exchange_layers(bert)
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise ModelError(f"the embedder {name!r} does not say how long its vectors are")
        self.dimension: int = dimension

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model reads of each text."""
        tokens = self._model.tokenizer(
            list(texts), truncation=True, max_length=self._model.max_seq_length
        )
        return [len(ids) for ids in tokens["input_ids"]]

    def embed(self, texts: Sequence[str], question: bool) -> Vectors:
        """Return vectors ``(texts, dimension)`` of questions or passages of one length."""
        encode = self._model.encode_query if question else self._model.encode_document
        vectors = encode(
            list(texts), batch_size=len(texts), convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(vectors, np.float32)


def _exchange_layers(bert: Any) -> None:
    """Exchange a model's layers for docqa's where they are laid out as BERT's."""
    try:
        config = EncoderConfig.of(bert.config.to_dict())
        if config.layout.distances is not None or not hasattr(bert, "encoder"):
            return
        bert.encoder = _UnpaddedLayers(
            bert.encoder, Layers(config, WeightFile(bert.state_dict(), "", bert.dtype))
        )
    except NotPlainError:
        return


class _UnpaddedLayers(torch.nn.Module):
    """docqa's layers in a model of transformers, which keeps its own for padded rows."""

    def __init__(self, own: torch.nn.Module, layers: Layers) -> None:
        super().__init__()
        self._own = own
        self._layers = layers

    def forward(
        self, embedded: torch.Tensor, attention_mask: torch.Tensor | None = None, **rest: Any
    ) -> Any:
        """Compute as transformers' encoder does, ``(rows, tokens, width)`` in and out."""
        if attention_mask is not None:
            return self._own(embedded, attention_mask=attention_mask, **rest)
        from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

        rows, tokens, _width = embedded.shape
        hidden = self._layers(embedded.flatten(0, 1), [tokens] * rows)
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=hidden.view_as(embedded))
