"""Rows in, start and end logits out: packed where that is faster, else padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from docqa.model.rows import PairEncoder, Row


def forward_rows(
    model: Any, encoder: PairEncoder, rows: Sequence[Row], device: str, packed: bool
) -> tuple[Tensor, Tensor]:
    """Start and end logits ``(rows, tokens)`` of rows, float32, padded on the right.

    Args:
        rows: go through the model at once.
        packed: whether the model reads packed rows (:func:`packed_attention.pack_rows`).
    """
    if not packed:
        output = model(**encoder.padded(rows, device))
        return output.start_logits.float(), output.end_logits.float()
    lengths = [len(row) for row in rows]
    output = model(**encoder.packed(rows, device), row_lengths=lengths)
    start, end = (
        pad_sequence(list(torch.split(logits[0].float(), lengths)), batch_first=True)
        for logits in (output.start_logits, output.end_logits)
    )
    return start, end
