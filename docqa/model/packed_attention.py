"""Rows of different lengths through an encoder in one sequence, without padding and without masks.

On a CPU a masked product costs as much for what it hides as for what it shows, and masking itself
costs more: reading packed rows takes half the time of reading padded ones, there and back
(``benchmarks/train.py``). The rows stand one after another in one sequence, and attention goes
over each of them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from docqa.index.models.families import family

NAME = "docqa_packed"


def pack_rows(model: Any, device: str) -> bool:
    """Have a model of transformers read packed rows where that is faster.

    Returns:
        Whether it reads packed rows now.
    """
    config = model.config
    dropout = getattr(config, "attention_probs_dropout_prob", 0.0) if model.training else 0.0
    if device != "cpu" or not family(config.model_type).packs or dropout:
        return False
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)
    model.set_attn_implementation(NAME)
    return True


def _attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    row_lengths: Sequence[int],
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it, ``(1, heads, tokens, dimension)`` each."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    with torch.autocast(query.device.type, enabled=False):
        mixed: Tensor = _PackedAttention.apply(  # type: ignore[no-untyped-call]
            query[0], key[0], value[0], row_lengths, scale
        )
    return mixed.transpose(0, 1).unsqueeze(0), None


class _PackedAttention(torch.autograd.Function):
    """``softmax(Q K^T scale) V`` of each row, and its gradient.

    Written out, so that the rows' gradients go straight into their places: left to autograd they
    would be cut out and put together again, at the price of a third of the time.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, lengths: Sequence[int], scale: float
    ) -> Tensor:
        mixed = torch.empty_like(value)
        weights = []
        for row in _rows(lengths):
            weight = torch.bmm(query[:, row] * scale, key[:, row].transpose(1, 2)).softmax(dim=-1)
            mixed[:, row] = torch.bmm(weight, value[:, row])
            weights.append(weight)
        ctx.save_for_backward(query, key, value, *weights)
        ctx.lengths, ctx.scale = lengths, scale
        return mixed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        query, key, value, *weights = ctx.saved_tensors
        to_query, to_key, to_value = (torch.empty_like(x) for x in (query, key, value))
        for row, weight in zip(_rows(ctx.lengths), weights, strict=True):
            here = gradient[:, row]
            to_value[:, row] = torch.bmm(weight.transpose(1, 2), here)
            to_weight = torch.bmm(here, value[:, row].transpose(1, 2))
            to_scores = torch._softmax_backward_data(to_weight, weight, -1, weight.dtype)
            to_query[:, row] = torch.bmm(to_scores, key[:, row]) * ctx.scale
            to_key[:, row] = torch.bmm(to_scores.transpose(1, 2), query[:, row]) * ctx.scale
        return to_query, to_key, to_value, None, None


def _rows(lengths: Sequence[int]) -> list[slice]:
    rows, start = [], 0
    for length in lengths:
        rows.append(slice(start, start + length))
        start += length
    return rows
