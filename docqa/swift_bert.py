"""BERT for question answering on a CPU, as fast as its matrix products let it be.

The same arithmetic as transformers', in fewer passes over memory: rows stand one after another
without padding (``docqa.packed``), one product makes queries, keys and values, another scales
their scores, and attention's softmax is ``exp`` and a sum, without first looking for the greatest
score. Where that overflows the logits are not finite, and the rows are read again with a whole
softmax. ``benchmarks/reader.py`` shows what it is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# Models of transformers that are laid out as BERT is.
_LIKE_BERT = frozenset({"bert", "roberta", "xlm-roberta", "camembert"})

Softmax = Callable[[Tensor], tuple[Tensor, Tensor | None]]


@dataclass(frozen=True)
class Output:
    """Logits, ``(1, tokens)`` each, as transformers names them."""

    start_logits: Tensor
    end_logits: Tensor


class SwiftBert:
    """A question-answering model that reads packed rows.

    Args:
        model: of transformers, on the CPU, with a span head; see :meth:`can_read`.
    """

    def __init__(self, model: Any) -> None:
        self._embeddings = model.base_model.embeddings
        self._heads = model.config.num_attention_heads
        self._layers = [_Layer.of(layer) for layer in model.base_model.encoder.layer]
        self._spans = model.qa_outputs

    @staticmethod
    def can_read(model: Any, device: str) -> bool:
        """Whether a model is one of those that are laid out as BERT is, on a CPU."""
        config = model.config
        return (
            device == "cpu"
            and config.model_type in _LIKE_BERT
            and getattr(config, "position_embedding_type", "absolute") == "absolute"
            and not getattr(config, "is_decoder", False)
        )

    def __call__(self, *, row_lengths: Sequence[int], **inputs: Tensor) -> Output:
        """Start and end logits of packed rows.

        Args:
            row_lengths: of the rows, in tokens; together as many as ``inputs`` holds.
            inputs: ``(1, tokens)`` each: what the model's embeddings take.
        """
        embedded = self._embeddings(**inputs)[0]
        logits = self._logits(embedded, row_lengths, _unshifted)
        if not logits.isfinite().all():
            logits = self._logits(embedded, row_lengths, _shifted)
        return Output(logits[None, :, 0], logits[None, :, 1])

    def _logits(self, hidden: Tensor, row_lengths: Sequence[int], softmax: Softmax) -> Tensor:
        for layer in self._layers:
            hidden = layer(hidden, row_lengths, self._heads, softmax)
        logits: Tensor = self._spans(hidden)
        return logits


@dataclass(frozen=True)
class _Layer:
    """The weights of a layer, those of queries, keys and values together."""

    mixing_weight: Tensor
    mixing_bias: Tensor
    mixed: Any
    mixed_norm: Any
    widened: Any
    activation: Any
    narrowed: Any
    narrowed_norm: Any

    @classmethod
    def of(cls, layer: Any) -> _Layer:
        attention = layer.attention.self
        parts = (attention.query, attention.key, attention.value)
        weight = torch.cat([part.weight for part in parts]).detach()
        bias = torch.cat([part.bias for part in parts]).detach()
        return cls(
            weight,
            bias,
            layer.attention.output.dense,
            layer.attention.output.LayerNorm,
            layer.intermediate.dense,
            layer.intermediate.intermediate_act_fn,
            layer.output.dense,
            layer.output.LayerNorm,
        )

    def __call__(
        self, hidden: Tensor, row_lengths: Sequence[int], heads: int, softmax: Softmax
    ) -> Tensor:
        """``(tokens, width)`` in and out."""
        tokens, width = hidden.shape
        each = F.linear(hidden, self.mixing_weight, self.mixing_bias)
        each = each.view(tokens, 3, heads, width // heads)
        mixed = torch.empty_like(hidden).view(tokens, heads, width // heads)
        scale = (width // heads) ** -0.5
        first = 0
        for length in row_lengths:
            row = slice(first, first + length)
            query, key, value = each[row].permute(1, 2, 0, 3)
            scores = hidden.new_empty(heads, length, length)
            scores.baddbmm_(query, key.transpose(1, 2), beta=0, alpha=scale)
            weights, total = softmax(scores)
            found = torch.bmm(weights, value)
            mixed[row] = (found if total is None else found / total).transpose(0, 1)
            first += length
        hidden = self.mixed_norm(self.mixed(mixed.view(tokens, width)).add_(hidden))
        inner = self.activation(self.widened(hidden))
        result: Tensor = self.narrowed_norm(self.narrowed(inner).add_(hidden))
        return result


def _unshifted(scores: Tensor) -> tuple[Tensor, Tensor]:
    """``exp`` of the scores, written over them, and what it is to be divided by."""
    weights = scores.exp_()
    return weights, weights.sum(-1, keepdim=True)


def _shifted(scores: Tensor) -> tuple[Tensor, None]:
    return scores.softmax(-1), None
