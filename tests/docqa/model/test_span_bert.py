"""The swift BERT gives what transformers' own gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from docqa.index.models.bert_layers import SwiftEncoder
from docqa.model.row_logits import forward_rows
from docqa.model.rows import PairEncoder
from docqa.model.span_bert import SwiftBert
from tests.docqa.random_models import random_model, random_rows


@torch.inference_mode()
def both_ways(model: torch.nn.Module, folder: Path) -> list[torch.Tensor]:
    encoder = PairEncoder(folder, model)
    rows = random_rows(encoder)
    results = []
    for reader, packed in ((model, False), (SwiftBert(model), True)):
        start, end = forward_rows(reader, encoder, rows, "cpu", packed)
        real = torch.arange(start.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
        results.append(torch.cat([start[real], end[real]]))
    return results


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_swift_is_plain(kind: str, tiny_reader: Path) -> None:
    plain, swift = both_ways(random_model(tiny_reader, kind).eval(), tiny_reader)
    torch.testing.assert_close(swift, plain, rtol=1e-4, atol=1e-5)


def test_swift_is_plain_in_bfloat16(tiny_reader: Path) -> None:
    model = random_model(tiny_reader, "bert").eval().to(torch.bfloat16)
    plain, swift = both_ways(model, tiny_reader)
    torch.testing.assert_close(swift, plain, rtol=0.05, atol=0.02)


@pytest.mark.parametrize("scale", [300.0, -300.0])
def test_scores_that_overflow(scale: float, tiny_reader: Path) -> None:
    model = random_model(tiny_reader, "bert").eval()
    with torch.no_grad():
        for layer in model.base_model.encoder.layer:
            attention = layer.attention.self
            attention.query.bias.fill_(scale)
            attention.key.bias.fill_(1.0)
    plain, swift = both_ways(model, tiny_reader)
    assert swift.isfinite().all()
    torch.testing.assert_close(swift, plain, rtol=1e-3, atol=1e-3)


def test_only_what_is_laid_out_as_bert(tiny_reader: Path) -> None:
    assert SwiftEncoder.can_read(random_model(tiny_reader, "bert").eval(), "cpu")
    assert not SwiftEncoder.can_read(random_model(tiny_reader, "bert").eval(), "cuda")
    assert not SwiftEncoder.can_read(random_model(tiny_reader, "electra").eval(), "cpu")
