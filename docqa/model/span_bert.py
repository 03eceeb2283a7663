"""BERT with a span head on a CPU, through the swift layers of :mod:`models.bert_layers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from docqa.index.models.bert_layers import SwiftEncoder


@dataclass(frozen=True)
class Output:
    """Logits, ``(1, tokens)`` each, as transformers names them."""

    start_logits: Tensor
    end_logits: Tensor


class SwiftBert:
    """A question-answering model that reads packed rows.

    Args:
        model: of transformers, with a span head; see :meth:`SwiftEncoder.can_read`.
    """

    def __init__(self, model: Any) -> None:
        self._embeddings = model.base_model.embeddings
        self._layers = SwiftEncoder(model)
        self._spans = model.qa_outputs

    def __call__(self, *, row_lengths: Sequence[int], **inputs: Tensor) -> Output:
        """Start and end logits of packed rows.

        Args:
            row_lengths: of the rows, in tokens; together as many as ``inputs`` holds.
            inputs: ``(1, tokens)`` each: what the model's embeddings take.
        """
        logits = self._spans(self._layers(self._embeddings(**inputs)[0], row_lengths))
        return Output(logits[None, :, 0], logits[None, :, 1])
