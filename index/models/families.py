"""What is known of each family of models: one row of a table for each.

A family is named by ``model_type`` in a model's ``config.json``. A new one gets a row here, and
whoever can't be described by a row is computed by transformers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of an encoder's weights and settings.

    Attributes:
        prefix: stands before all names where the file holds a head too.
        words, positions, segments: tables of embeddings; None where there is no such table.
        embedded_norm: the norm of their sum.
        projected: makes embeddings as wide as the layers; only where ``embedding_size`` differs.
        layer: stands before the names in a layer; ``{}`` is its number.
        query, key, value: the products that attention compares and mixes.
        mixed, mixed_norm: the product of what attention found, and the norm after it.
        widened, narrowed, narrowed_norm: the products around the activation, and the norm.
        distances: a bias of attention scores by distance; None where there is none.
        width, inner, heads, layers, activation: settings in ``config.json``.
        epsilon: the setting of the norms' epsilon, or the number itself.
    """

    prefix: str = "bert."
    words: str = "embeddings.word_embeddings"
    positions: str = "embeddings.position_embeddings"
    segments: str | None = "embeddings.token_type_embeddings"
    embedded_norm: str = "embeddings.LayerNorm"
    projected: str | None = None
    layer: str = "encoder.layer.{}."
    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    mixed: str = "attention.output.dense"
    mixed_norm: str = "attention.output.LayerNorm"
    widened: str = "intermediate.dense"
    narrowed: str = "output.dense"
    narrowed_norm: str = "output.LayerNorm"
    distances: str | None = None
    width: str = "hidden_size"
    inner: str = "intermediate_size"
    heads: str = "num_attention_heads"
    layers: str = "num_hidden_layers"
    activation: str = "hidden_act"
    epsilon: str | float = "layer_norm_eps"


@dataclass(frozen=True, slots=True)
class Family:
    """What can be done with the models of a family.

    Attributes:
        layout: what :class:`docqa.index.models.encoder.Encoder` needs to compute them on a CPU;
            None where it can't.
        packs: whether transformers' own model reads packed rows: it takes position ids, computes
            all but attention token by token, and leaves attention to a function that can be
            exchanged (:mod:`docqa.model.packed_attention`).
        shifted: whether positions count from the padding token's id plus one, not from 0.
    """

    layout: Layout | None = None
    packs: bool = False
    shifted: bool = False


_BERT = Layout()
_ROBERTA = replace(_BERT, prefix="roberta.")
_FAMILIES = {
    "bert": Family(_BERT, packs=True),
    "roberta": Family(_ROBERTA, packs=True, shifted=True),
    "xlm-roberta": Family(_ROBERTA, packs=True, shifted=True),
    "camembert": Family(_ROBERTA, packs=True, shifted=True),
    "electra": Family(
        replace(_BERT, prefix="electra.", projected="embeddings_project"), packs=True
    ),
    "distilbert": Family(
        Layout(
            prefix="distilbert.",
            segments=None,
            layer="transformer.layer.{}.",
            query="attention.q_lin",
            key="attention.k_lin",
            value="attention.v_lin",
            mixed="attention.out_lin",
            mixed_norm="sa_layer_norm",
            widened="ffn.lin1",
            narrowed="ffn.lin2",
            narrowed_norm="output_layer_norm",
            width="dim",
            inner="hidden_dim",
            heads="n_heads",
            layers="n_layers",
            activation="activation",
            epsilon=1e-12,
        )
    ),
    "mpnet": Family(
        Layout(
            prefix="mpnet.",
            segments=None,
            query="attention.attn.q",
            key="attention.attn.k",
            value="attention.attn.v",
            mixed="attention.attn.o",
            mixed_norm="attention.LayerNorm",
            distances="encoder.relative_attention_bias",
        ),
        shifted=True,
    ),
    "longformer": Family(shifted=True),
}


def family(model_type: str | None) -> Family:
    """Return what is known of a family; of an unknown one, that nothing is."""
    return _FAMILIES.get(model_type or "", Family())


def first_position(config: Any) -> int:
    """Return the position id of a row's first token.

    Args:
        config: a model's, of transformers or :class:`docqa.index.models.encoder.EncoderConfig`.
    """
    return int(config.pad_token_id) + 1 if family(config.model_type).shifted else 0
