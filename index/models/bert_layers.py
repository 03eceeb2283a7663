"""BERT's layers on a CPU, as fast as their matrix products let them be.

The same arithmetic as transformers', in fewer passes over memory: rows stand one after another
without padding, one product makes queries, keys and values, another scales their scores, products
take in what follows them (``models.fused_linear``), and attention's softmax is ``exp`` and a sum,
without first looking for the greatest score. Where that overflows the result is not finite, and
the rows are read again with a whole softmax. ``benchmarks/reader.py`` shows what it is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from docqa.index.models.fused_linear import SwiftLinear

# Models of transformers that are laid out as BERT is.
_LIKE_BERT = frozenset({"bert", "roberta", "xlm-roberta", "camembert"})

# oneDNN compiles a product anew for each number of rows, at the price of a tenth of a question: so
# tokens are filled up to a multiple of this, and there are few numbers.
_MULTIPLE = 64

Softmax = Callable[[Tensor], tuple[Tensor, Tensor | None]]


class SwiftEncoder:
    """The layers of a model of transformers.

    Args:
        model: on the CPU; see :meth:`can_read`.
    """

    def __init__(self, model: Any) -> None:
        config = model.config
        self._heads = config.num_attention_heads
        gelu = config.hidden_act == "gelu"
        self._layers = [_Layer.of(layer, gelu) for layer in model.base_model.encoder.layer]

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

    def __call__(self, embedded: Tensor, row_lengths: Sequence[int]) -> Tensor:
        """What the last layer makes of packed rows.

        Args:
            embedded: ``(tokens, width)`` the embeddings of the rows' tokens, row after row.
            row_lengths: of the rows, in tokens.

        Returns:
            ``(tokens, width)``.
        """
        tokens = len(embedded)
        filled = F.pad(embedded, (0, 0, 0, -tokens % _MULTIPLE))
        hidden = self._read(filled, row_lengths, _unshifted)
        if not hidden.isfinite().all():
            hidden = self._read(filled, row_lengths, _shifted)
        return hidden[:tokens]

    def _read(self, hidden: Tensor, row_lengths: Sequence[int], softmax: Softmax) -> Tensor:
        for layer in self._layers:
            hidden = layer(hidden, row_lengths, self._heads, softmax)
        return hidden


class EvenRows(torch.nn.Module):
    """Stands in for a model's own encoder, and hands over to it where rows are padded.

    Args:
        model: see :class:`SwiftEncoder`.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._own = model.base_model.encoder
        self._layers = SwiftEncoder(model)

    def forward(self, embedded: Tensor, attention_mask: Tensor | None = None, **rest: Any) -> Any:
        """As transformers calls it, ``(rows, tokens, width)`` in and out."""
        if attention_mask is not None:
            return self._own(embedded, attention_mask=attention_mask, **rest)
        from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

        rows, tokens, _width = embedded.shape
        hidden = self._layers(embedded.flatten(0, 1), [tokens] * rows)
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=hidden.view_as(embedded))


@dataclass(frozen=True)
class _Layer:
    """A layer; its queries, keys and values are one product.

    Attributes:
        activation: None is GELU.
    """

    mixing: SwiftLinear
    mixed: SwiftLinear
    mixed_norm: Any
    widened: SwiftLinear
    activation: Any
    narrowed: SwiftLinear
    narrowed_norm: Any

    @classmethod
    def of(cls, layer: Any, gelu: bool) -> _Layer:
        attention = layer.attention.self
        parts = (attention.query, attention.key, attention.value)
        mixed, widened, narrowed = (
            SwiftLinear(part.weight, part.bias)
            for part in (layer.attention.output.dense, layer.intermediate.dense, layer.output.dense)
        )
        return cls(
            SwiftLinear(
                torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])
            ),
            mixed,
            layer.attention.output.LayerNorm,
            widened,
            None if gelu else layer.intermediate.intermediate_act_fn,
            narrowed,
            layer.output.LayerNorm,
        )

    def __call__(
        self, hidden: Tensor, row_lengths: Sequence[int], heads: int, softmax: Softmax
    ) -> Tensor:
        """``(tokens, width)`` in and out."""
        tokens, width = hidden.shape
        each = self.mixing(hidden).view(tokens, 3, heads, width // heads)
        mixed = torch.zeros_like(hidden).view(tokens, heads, width // heads)
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
        hidden = self.mixed_norm(self.mixed.added(mixed.view(tokens, width), hidden))
        result: Tensor = self.narrowed_norm(self.narrowed.added(self._widen(hidden), hidden))
        return result

    def _widen(self, hidden: Tensor) -> Tensor:
        if self.activation is None:
            return self.widened.gelu(hidden)
        inner: Tensor = self.activation(self.widened(hidden))
        return inner


def _unshifted(scores: Tensor) -> tuple[Tensor, Tensor]:
    """``exp`` of the scores, written over them, and what it is to be divided by."""
    weights = scores.exp_()
    return weights, weights.sum(-1, keepdim=True)


def _shifted(scores: Tensor) -> tuple[Tensor, None]:
    return scores.softmax(-1), None
