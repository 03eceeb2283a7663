"""Packed rows give what padded rows give, there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from docqa.encode import PairEncoder
from docqa.forward import forward_rows
from docqa.packed import pack_rows

LENGTHS = (3, 40, 17, 1, 62)


def model_and_encoder(folder: Path, kind: str) -> tuple[torch.nn.Module, PairEncoder]:
    import transformers

    bert = transformers.AutoConfig.from_pretrained(folder)
    torch.manual_seed(1)
    config = transformers.CONFIG_MAPPING[kind](
        vocab_size=bert.vocab_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=140,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = transformers.AutoModelForQuestionAnswering.from_config(config)
    return model, PairEncoder(folder, model)


@pytest.mark.parametrize("kind", ["bert", "electra", "roberta"])
def test_packed_is_padded(kind: str, tiny_reader: Path) -> None:
    model, encoder = model_and_encoder(tiny_reader, kind)
    random = np.random.default_rng(0)
    question = random.integers(5, 30, 4).astype(np.int32)
    rows = [
        encoder.template.row(question, random.integers(5, 30, length).astype(np.int32))
        for length in LENGTHS
    ]
    results = []
    for packed in (False, True):
        assert not packed or pack_rows(model, "cpu")
        start, end = forward_rows(model, encoder, rows, "cpu", packed)
        model.zero_grad()
        real = torch.arange(start.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
        loss = (start * end)[real].sum()
        loss.backward()
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        results.append((start[real], end[real], *gradients))
    for padded, packed_ in zip(*results, strict=True):
        torch.testing.assert_close(packed_, padded, rtol=1e-4, atol=1e-5)


def test_only_where_it_is_known_to_hold(tiny_reader: Path) -> None:
    model, _ = model_and_encoder(tiny_reader, "bert")
    assert not pack_rows(model, "cuda")
    model.config.attention_probs_dropout_prob = 0.1
    assert not pack_rows(model.train(), "cpu")
    assert pack_rows(model.eval(), "cpu")
    model.config.model_type = "deberta"
    assert not pack_rows(model, "cpu")
