"""The swift BERT gives what transformers' own gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from docqa.encode import PairEncoder
from docqa.forward import forward_rows
from docqa.swift_bert import SwiftBert

LENGTHS = (3, 40, 17, 1, 62)


def model_of(folder: Path, kind: str) -> torch.nn.Module:
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
    )
    return transformers.AutoModelForQuestionAnswering.from_config(config).eval()


@torch.inference_mode()
def both_ways(model: torch.nn.Module, folder: Path) -> list[torch.Tensor]:
    encoder = PairEncoder(folder, model)
    random = np.random.default_rng(0)
    question = random.integers(5, 30, 4).astype(np.int32)
    rows = [
        encoder.template.row(question, random.integers(5, 30, length).astype(np.int32))
        for length in LENGTHS
    ]
    results = []
    for reader, packed in ((model, False), (SwiftBert(model), True)):
        start, end = forward_rows(reader, encoder, rows, "cpu", packed)
        real = torch.arange(start.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
        results.append(torch.cat([start[real], end[real]]))
    return results


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_swift_is_plain(kind: str, tiny_reader: Path) -> None:
    plain, swift = both_ways(model_of(tiny_reader, kind), tiny_reader)
    torch.testing.assert_close(swift, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [300.0, -300.0])
def test_scores_that_overflow(scale: float, tiny_reader: Path) -> None:
    model = model_of(tiny_reader, "bert")
    with torch.no_grad():
        for layer in model.base_model.encoder.layer:
            attention = layer.attention.self
            attention.query.bias.fill_(scale)
            attention.key.bias.fill_(1.0)
    plain, swift = both_ways(model, tiny_reader)
    assert swift.isfinite().all()
    torch.testing.assert_close(swift, plain, rtol=1e-3, atol=1e-3)


def test_only_what_is_laid_out_as_bert(tiny_reader: Path) -> None:
    assert SwiftBert.can_read(model_of(tiny_reader, "bert"), "cpu")
    assert not SwiftBert.can_read(model_of(tiny_reader, "bert"), "cuda")
    assert not SwiftBert.can_read(model_of(tiny_reader, "electra"), "cpu")
