"""Encoders of the BERT kind on a CPU, as fast as their matrix products let them be.

The same arithmetic as transformers', in fewer passes over memory: rows stand one after another
without padding, one product makes queries, keys and values, another scales their scores, products
take in what follows them (:mod:`fused_linear`), and attention's softmax is ``exp`` and a sum,
without first looking for the greatest score. Where that overflows the result is not finite, and
the rows are read again with a whole softmax. ``benchmarks/reader.py`` shows what it is worth.

Weights come by their names (:class:`docqa.index.models.families.Layout`), from a file or from a
model of transformers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from docqa.index.models.families import Layout, family
from docqa.index.models.fused_linear import FusedLinear
from docqa.index.models.weights import NotPlainError, WeightFile

# oneDNN compiles a product anew for each number of rows, at the price of a tenth of a question: so
# tokens are filled up to a multiple of this, and there are few numbers.
_MULTIPLE = 64
# MPNet's distances from here on share a bucket.
_FARTHEST = 128

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "relu": F.relu,
    "silu": F.silu,
}

Softmax = Callable[[Tensor], tuple[Tensor, Tensor | None]]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The settings of an encoder, as ``config.json`` holds them.

    Attributes:
        width, inner: dimensions of the layers, and between a layer's last two products.
        activation: a name that :class:`Layers` knows.
        epsilon: of the norms.
        pad_token_id: None where positions don't depend on it.
    """

    model_type: str
    layout: Layout
    width: int
    inner: int
    heads: int
    layers: int
    activation: str
    epsilon: float
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    pad_token_id: int | None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> EncoderConfig:
        """Return the settings that a ``config.json`` holds.

        Raises:
            NotPlainError: they are not those of an encoder that :class:`Encoder` computes.
        """
        model_type = str(config.get("model_type"))
        layout = family(model_type).layout
        if layout is None:
            raise NotPlainError(f"models of the family {model_type!r} are computed by transformers")
        for name, usual in (
            ("position_embedding_type", "absolute"),
            ("is_decoder", False),
            ("add_cross_attention", False),
            ("quantization_config", None),
            ("auto_map", None),
        ):
            if (config.get(name) or usual) != usual:
                raise NotPlainError(f"{name} is {config[name]!r}")
        if layout.distances is not None and config.get("relative_attention_num_buckets", 32) != 32:
            raise NotPlainError("its distances have other buckets")
        shifted, epsilon = family(model_type).shifted, layout.epsilon
        try:
            made = cls(
                model_type=model_type,
                layout=layout,
                width=int(config[layout.width]),
                inner=int(config[layout.inner]),
                heads=int(config[layout.heads]),
                layers=int(config[layout.layers]),
                activation=str(config[layout.activation]),
                epsilon=float(config[epsilon] if isinstance(epsilon, str) else epsilon),
                vocab_size=int(config["vocab_size"]),
                max_position_embeddings=int(config["max_position_embeddings"]),
                type_vocab_size=int(config["type_vocab_size"]) if layout.segments else 0,
                pad_token_id=int(config["pad_token_id"]) if shifted else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NotPlainError(f"config.json: {error!r}") from error
        if made.activation not in _ACTIVATIONS or made.heads < 1 or made.width % made.heads:
            raise NotPlainError(f"activation {made.activation!r}, {made.heads} heads")
        return made


class Encoder:
    """Embeddings and layers.

    Args:
        config: of the model.
        weights: by name.
        dtype: to compute in.

    Raises:
        NotPlainError: weights are missing or have other shapes than ``config`` says.
    """

    def __init__(self, config: EncoderConfig, weights: Mapping[str, Tensor], dtype: torch.dtype):
        self.config = config
        layout = config.layout
        words = f"{layout.words}.weight"
        prefix = layout.prefix if layout.prefix + words in weights else ""
        file = WeightFile(weights, prefix, dtype)
        # Tables stay in the file's format: what is looked up is converted, not the whole.
        self._words = file.stored(words)
        vocab_size, narrow = self._words.shape
        if vocab_size != config.vocab_size:
            raise NotPlainError(f"{vocab_size} words, not {config.vocab_size}")
        self._tables = [self._words]
        if layout.segments:
            self._tables.append(
                file.stored(f"{layout.segments}.weight", config.type_vocab_size, narrow)
            )
        self._tables.append(
            file.stored(f"{layout.positions}.weight", config.max_position_embeddings, narrow)
        )
        self._norm = file.norm(layout.embedded_norm, narrow, config.epsilon)
        self._projected = None
        if layout.projected and narrow != config.width:
            self._projected = file.linear(layout.projected, config.width, narrow)
        elif narrow != config.width:
            raise NotPlainError(f"embeddings of width {narrow}, not {config.width}")
        self._dtype = dtype
        self._layers = Layers(config, file)

    def __call__(
        self, ids: Tensor, segments: Tensor | None, positions: Tensor, row_lengths: Sequence[int]
    ) -> Tensor:
        """Return the hidden states ``(tokens, width)`` of packed rows.

        Args:
            ids, segments, positions: ``(tokens,)`` of the rows' tokens, row after row; segments
                are 0 if not given.
            row_lengths: of the rows, in tokens.
        """
        indices = [ids, positions]
        if len(self._tables) == 3:
            indices.insert(1, torch.zeros_like(ids) if segments is None else segments)
        embedded = [
            F.embedding(index, table).to(self._dtype)
            for index, table in zip(indices, self._tables, strict=True)
        ]
        hidden = self._norm(sum(embedded[1:], embedded[0]))
        if self._projected is not None:
            hidden = self._projected(hidden)
        return self._layers(hidden, row_lengths)


class Layers:
    """The layers of an encoder.

    Args:
        config: of the model.
        file: its weights.
    """

    def __init__(self, config: EncoderConfig, file: WeightFile) -> None:
        self._heads = config.heads
        self._layers = [_Layer.of(config, file, n) for n in range(config.layers)]
        self._distances = None
        if config.layout.distances:
            name = f"{config.layout.distances}.weight"
            self._distances = file.converted(name, 32, config.heads)

    def __call__(self, embedded: Tensor, row_lengths: Sequence[int]) -> Tensor:
        """Return what the last layer makes of packed rows.

        Args:
            embedded: ``(tokens, width)`` the embeddings of the rows' tokens, row after row.
            row_lengths: of the rows, in tokens.

        Returns:
            ``(tokens, width)``.
        """
        tokens = len(embedded)
        filled = F.pad(embedded, (0, 0, 0, -tokens % _MULTIPLE))
        rows = self._rows(row_lengths)
        hidden = self._read(filled, rows, _unshifted)
        if not hidden.isfinite().all():
            hidden = self._read(filled, rows, _shifted)
        return hidden[:tokens]

    def _read(self, hidden: Tensor, rows: Sequence[_Row], softmax: Softmax) -> Tensor:
        for layer in self._layers:
            hidden = layer(hidden, rows, self._heads, softmax)
        return hidden

    def _rows(self, row_lengths: Sequence[int]) -> list[_Row]:
        biases: dict[int, Tensor | None] = {}
        rows, first = [], 0
        for length in row_lengths:
            if length not in biases:
                biases[length] = self._bias(length)
            rows.append(_Row(slice(first, first + length), biases[length]))
            first += length
        return rows

    def _bias(self, length: int) -> Tensor | None:
        if self._distances is None:
            return None
        bias = F.embedding(_buckets(length), self._distances)
        return bias.permute(2, 0, 1).contiguous()


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's place among the packed tokens.

    Attributes:
        bias: ``(heads, length, length)`` for its attention scores, or None.
    """

    place: slice
    bias: Tensor | None


@dataclass(frozen=True)
class _Layer:
    """A layer; its queries, keys and values are one product."""

    mixing: FusedLinear
    mixed: FusedLinear
    mixed_norm: Callable[[Tensor], Tensor]
    widened: FusedLinear
    activation: str
    narrowed: FusedLinear
    narrowed_norm: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, config: EncoderConfig, file: WeightFile, number: int) -> _Layer:
        layout, width, inner = config.layout, config.width, config.inner
        own = layout.layer.format(number)
        parts = [
            file.pair(own + name, width, width) for name in (layout.query, layout.key, layout.value)
        ]
        return cls(
            FusedLinear(torch.cat([w for w, _ in parts]), torch.cat([b for _, b in parts])),
            file.linear(own + layout.mixed, width, width),
            file.norm(own + layout.mixed_norm, width, config.epsilon),
            file.linear(own + layout.widened, inner, width),
            config.activation,
            file.linear(own + layout.narrowed, width, inner),
            file.norm(own + layout.narrowed_norm, width, config.epsilon),
        )

    def __call__(
        self, hidden: Tensor, rows: Sequence[_Row], heads: int, softmax: Softmax
    ) -> Tensor:
        """``(tokens, width)`` in and out."""
        tokens, width = hidden.shape
        each = self.mixing(hidden).view(tokens, 3, heads, width // heads)
        mixed = torch.zeros_like(hidden).view(tokens, heads, width // heads)
        scale = (width // heads) ** -0.5
        for row in rows:
            query, key, value = each[row.place].permute(1, 2, 0, 3)
            weights, total = softmax(_scores(query, key, scale, row.bias))
            found = torch.bmm(weights, value)
            mixed[row.place] = (found if total is None else found / total).transpose(0, 1)
        hidden = self.mixed_norm(self.mixed.added(mixed.view(tokens, width), hidden))
        return self.narrowed_norm(self.narrowed.added(self._widen(hidden), hidden))

    def _widen(self, hidden: Tensor) -> Tensor:
        if self.activation == "gelu":
            return self.widened.gelu(hidden)
        return _ACTIVATIONS[self.activation](self.widened(hidden))


def _scores(query: Tensor, key: Tensor, scale: float, bias: Tensor | None) -> Tensor:
    if bias is not None:
        return torch.baddbmm(bias, query, key.transpose(1, 2), alpha=scale)
    heads, length, _ = query.shape
    scores = query.new_empty(heads, length, length)
    return scores.baddbmm_(query, key.transpose(1, 2), beta=0, alpha=scale)


def _unshifted(scores: Tensor) -> tuple[Tensor, Tensor]:
    """``exp`` of the scores, written over them, and what it is to be divided by."""
    weights = scores.exp_()
    return weights, weights.sum(-1, keepdim=True)


def _shifted(scores: Tensor) -> tuple[Tensor, None]:
    return scores.softmax(-1), None


def _buckets(length: int) -> Tensor:
    """The bucket ``(length, length)`` of each distance: MPNet's (Raffel et al. 2020, 2.1).

    Half of the 32 are for what stands behind; of each half, half are for one distance each and the
    others grow by a factor.
    """
    at = torch.arange(length)
    distance = at[:, None] - at[None, :]
    behind, near = (distance < 0) * 16, distance.abs()
    far = 8 + (torch.log(near.float() / 8) / math.log(_FARTHEST / 8) * 8).long()
    return behind + torch.where(near < 8, near, far.clamp(max=15))
