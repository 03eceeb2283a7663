"""docqa's own layers give what transformers gives; read without it, bit for bit the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from docqa import ModelError
from docqa.index.models.encoder import EncoderConfig
from docqa.index.models.weights import NotPlainError
from docqa.model.rows import PairEncoder
from docqa.model.span_head import SpanHead, load_reader, load_span_head, row_logits
from docqa.settings import DEFAULT_READER
from tests.docqa.random_models import random_model, random_rows

KINDS = ["bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert", "mpnet"]


def own_layers(model: Any) -> SpanHead:
    """A model of transformers through docqa's layers."""
    config = EncoderConfig.of(model.config.to_dict())
    return SpanHead(config, model.state_dict(), model.dtype)


@torch.inference_mode()
def logits(model: Any, folder: Path, packed: bool) -> torch.Tensor:
    """The logits of random rows."""
    encoder = PairEncoder(folder, model)
    rows = random_rows(encoder)
    start, end = row_logits(model, encoder, rows, "cpu", packed)
    real = torch.arange(start.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
    return torch.cat([start[real], end[real]])


def both_ways(model: nn.Module, folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    return logits(model, folder, packed=False), logits(own_layers(model), folder, packed=True)


@pytest.mark.parametrize("kind", KINDS)
def test_own_layers_give_what_transformers_gives(kind: str, tiny_reader: Path) -> None:
    plain, own = both_ways(random_model(tiny_reader, kind).eval(), tiny_reader)
    torch.testing.assert_close(own, plain, rtol=1e-4, atol=1e-5)


def test_distances_of_mpnet_beyond_the_first_bucket_count(tiny_reader: Path) -> None:
    model: Any = random_model(tiny_reader, "mpnet").eval()
    with torch.no_grad():
        model.mpnet.encoder.relative_attention_bias.weight.normal_(std=2.0)
    plain, own = both_ways(model, tiny_reader)
    torch.testing.assert_close(own, plain, rtol=1e-4, atol=1e-5)


def test_embeddings_narrower_than_the_layers(tiny_reader: Path) -> None:
    model = random_model(tiny_reader, "electra", embedding_size=16).eval()
    plain, own = both_ways(model, tiny_reader)
    torch.testing.assert_close(own, plain, rtol=1e-4, atol=1e-5)


def test_another_activation(tiny_reader: Path) -> None:
    plain, own = both_ways(random_model(tiny_reader, "bert", hidden_act="relu").eval(), tiny_reader)
    torch.testing.assert_close(own, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "mpnet"])
def test_bfloat16(kind: str, tiny_reader: Path) -> None:
    model = random_model(tiny_reader, kind).eval().to(torch.bfloat16)
    plain, own = both_ways(model, tiny_reader)
    torch.testing.assert_close(own, plain, rtol=0.05, atol=0.02)


@pytest.mark.parametrize("scale", [300.0, -300.0])
def test_scores_that_overflow(scale: float, tiny_reader: Path) -> None:
    model: Any = random_model(tiny_reader, "bert").eval()
    with torch.no_grad():
        for layer in model.base_model.encoder.layer:
            attention = layer.attention.self
            attention.query.bias.fill_(scale)
            attention.key.bias.fill_(1.0)
    plain, own = both_ways(model, tiny_reader)
    assert own.isfinite().all()
    torch.testing.assert_close(own, plain, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shipped", [True, False])
def test_a_model_read_without_transformers_is_the_same_bit_for_bit(
    shipped: bool, dtype: torch.dtype, tiny_reader: Path
) -> None:
    folder = Path(DEFAULT_READER) if shipped else tiny_reader
    model = load_span_head(folder, dtype).eval()
    loaded = logits(own_layers(model), folder, packed=True)
    assert torch.equal(logits(SpanHead.read(folder, dtype), folder, packed=True), loaded)


def test_embeddings_and_head_are_those_of_transformers_bit_for_bit(tiny_reader: Path) -> None:
    model: Any = load_span_head(tiny_reader, torch.float32).eval()
    read = SpanHead.read(tiny_reader, torch.float32)
    ids = torch.arange(5, 30)
    segments, positions = (ids > 12).long(), torch.arange(len(ids))
    with torch.inference_mode():
        embedded = model.bert.embeddings(ids[None], segments[None], positions[None])[0]
        hidden = read._encoder._layers(embedded, [len(ids)])
        expected = model.qa_outputs(hidden)
        found = read(
            input_ids=ids[None],
            token_type_ids=segments[None],
            position_ids=positions[None],
            row_lengths=[len(ids)],
        )
    assert torch.equal(found.start_logits[0], expected[:, 0])
    assert torch.equal(found.end_logits[0], expected[:, 1])


@pytest.fixture
def folder(tmp_path: Path, tiny_reader: Path) -> Path:
    """A copy of the tiny reader."""
    return Path(shutil.copytree(tiny_reader, tmp_path / "reader"))


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "deberta"},
        {"model_type": None},
        {"hidden_act": "mish"},
        {"position_embedding_type": "relative_key"},
        {"is_decoder": True},
        {"quantization_config": {"bits": 4}},
        {"auto_map": {"AutoModel": "other.py"}},
        {"hidden_size": 33},
        {"hidden_size": "wide"},
        {"num_hidden_layers": 3},
        {"vocab_size": 7},
        {"type_vocab_size": 1},
    ],
)
def test_what_a_configuration_leaves_open_is_left_to_transformers(
    change: dict[str, Any], folder: Path
) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(NotPlainError):
        SpanHead.read(folder, torch.float32)


@pytest.mark.parametrize("name", ["adapter_config.json", "model.safetensors.index.json"])
def test_weights_of_several_files_are_left_to_transformers(name: str, folder: Path) -> None:
    (folder / name).write_text("{}")
    with pytest.raises(NotPlainError):
        SpanHead.read(folder, torch.float32)


def test_weights_in_another_format_go_through_docqa_s_layers_too(
    folder: Path, tiny_reader: Path
) -> None:
    model = load_span_head(folder, torch.float32)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    found, packed = load_reader(folder, "cpu", torch.float32)
    assert packed
    assert isinstance(found, SpanHead)
    read = SpanHead.read(tiny_reader, torch.float32)
    assert torch.equal(logits(found, folder, packed=True), logits(read, folder, packed=True))


@pytest.mark.parametrize("kept", [0, 100, -1000])
def test_weights_that_are_cut_off_are_a_model_error(kept: int, folder: Path) -> None:
    """safetensors' own error came through, which is none of those that were expected."""
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ModelError, match="can't load the reader"):
        load_reader(folder, "cpu", torch.float32)


def test_a_model_without_a_span_head_is_a_model_error(folder: Path) -> None:
    model: Any = load_span_head(folder, torch.float32)
    model.bert.save_pretrained(folder)
    with pytest.raises(ModelError, match="fine-tuned for question answering"):
        load_reader(folder, "cpu", torch.float32)


def test_a_model_on_another_device_is_transformers_own(tiny_reader: Path) -> None:
    model, packed = load_reader(tiny_reader, "meta", torch.float32)
    assert not packed
    assert model.device.type == "meta"
