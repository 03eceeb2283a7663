"""Models with a span head: rows in, the start and end logits of their tokens out.

There are two kinds, called alike: docqa's own layers (:class:`SpanHead`), which read packed rows on
a CPU, and any question-answering model of transformers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from docqa.errors import ModelError
from docqa.index.models.encoder import Encoder, EncoderConfig
from docqa.index.models.folders import load_quietly
from docqa.index.models.weights import NotPlainError, WeightFile, read_object, read_weights
from docqa.model.packed_attention import pack_rows
from docqa.model.rows import PairEncoder, Row


@dataclass(frozen=True, slots=True)
class SpanLogits:
    """Logits, ``(1, tokens)`` each, as transformers names them."""

    start_logits: Tensor
    end_logits: Tensor


class SpanHead:
    """A span head over docqa's own layers; reads packed rows.

    Args:
        config: of the encoder.
        weights: by name, those of the head included.
        dtype: to compute in.

    Raises:
        NotPlainError: weights are missing or of other shapes.
    """

    def __init__(
        self, config: EncoderConfig, weights: Mapping[str, Tensor], dtype: torch.dtype
    ) -> None:
        self.config = config
        self._encoder = Encoder(config, weights, dtype)
        self._head = WeightFile(weights, "", dtype).pair("qa_outputs", 2, config.width)

    @classmethod
    def read(cls, folder: Path, dtype: torch.dtype) -> SpanHead:
        """Read a model from its folder, without transformers.

        Raises:
            NotPlainError: docqa's layers can't compute it, or its files are not as they should be.
        """
        config = EncoderConfig.of(read_object(folder / "config.json"))
        return cls(config, read_weights(folder), dtype)

    def forward(
        self,
        *,
        input_ids: Tensor,
        position_ids: Tensor,
        token_type_ids: Tensor | None = None,
        row_lengths: Sequence[int],
    ) -> SpanLogits:
        """Return the logits of packed rows.

        Args:
            input_ids, position_ids, token_type_ids: ``(1, tokens)`` each.
            row_lengths: of the rows, in tokens.
        """
        segments = None if token_type_ids is None else token_type_ids[0]
        hidden = self._encoder(input_ids[0], segments, position_ids[0], row_lengths)
        logits = F.linear(hidden, *self._head)
        return SpanLogits(logits[None, :, 0], logits[None, :, 1])

    __call__ = forward


def load_reader(folder: Path, device: str, dtype: torch.dtype) -> tuple[Any, bool]:
    """Load a question-answering model, by the fastest way that computes it.

    Returns:
        The model, and whether it reads packed rows.

    Raises:
        ModelError: it can't be loaded, or has no span head.
    """
    if device == "cpu":
        try:
            return SpanHead.read(folder, dtype), True
        except NotPlainError:
            pass  # transformers loads it, or says what is wrong
    model = load_span_head(folder, dtype).to(device).eval()
    if device == "cpu":
        try:
            config = EncoderConfig.of(model.config.to_dict())
            return SpanHead(config, model.state_dict(), dtype), True
        except NotPlainError:
            pass  # transformers computes it, too
    return model, pack_rows(model, device)


def load_span_head(folder: Path, dtype: torch.dtype) -> Any:
    """Load a question-answering model of transformers.

    Raises:
        ModelError: it can't be loaded, or has no span head.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForQuestionAnswering

    load_quietly()
    try:
        model, report = AutoModelForQuestionAnswering.from_pretrained(
            folder, dtype=dtype, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"can't load the reader in {str(folder)!r}: {error}") from error
    if report["missing_keys"]:
        raise ModelError(
            f"the weights in {str(folder)!r} have no {sorted(report['missing_keys'])[0]}: "
            "was this model fine-tuned for question answering?"
        )
    return model


def row_logits(
    model: Any, encoder: PairEncoder, rows: Sequence[Row], device: str, packed: bool
) -> tuple[Tensor, Tensor]:
    """Return start and end logits ``(rows, tokens)`` of rows, float32, padded on the right.

    Args:
        rows: go through the model at once.
        packed: whether the model reads packed rows.
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
