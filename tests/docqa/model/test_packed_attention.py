"""Packed rows give what padded rows give, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from docqa.model.packed_attention import pack_rows
from docqa.model.rows import PairEncoder
from docqa.model.span_head import row_logits
from tests.docqa.random_models import random_model, random_rows


@pytest.mark.parametrize("kind", ["bert", "electra", "roberta"])
def test_packed_is_padded(kind: str, tiny_reader: Path) -> None:
    model = random_model(tiny_reader, kind)
    encoder = PairEncoder(tiny_reader, model)
    rows = random_rows(encoder)
    results = []
    for packed in (False, True):
        assert not packed or pack_rows(model, "cpu")
        start, end = row_logits(model, encoder, rows, "cpu", packed)
        model.zero_grad()
        real = torch.arange(start.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
        loss = (start * end)[real].sum()
        loss.backward()
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        results.append((start[real], end[real], *gradients))
    for padded, packed_ in zip(*results, strict=True):
        torch.testing.assert_close(packed_, padded, rtol=1e-4, atol=1e-5)


def test_only_where_it_is_known_to_hold(tiny_reader: Path) -> None:
    model = random_model(tiny_reader, "bert")
    assert not pack_rows(model, "cuda")
    model.config.attention_probs_dropout_prob = 0.1
    assert not pack_rows(model.train(), "cpu")
    assert pack_rows(model.eval(), "cpu")
    model.config.model_type = "deberta"
    assert not pack_rows(model, "cpu")
