"""Adapters: trained beside a base, written apart from it, and asked as an ordinary reader."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("peft")

from docqa import ModelError, Reader
from docqa.index.models import cache
from docqa.model.adapter import merged, reader_folder, save_adapter, with_adapter
from docqa.model.rows import PairEncoder
from docqa.model.saved import save_reader

CONTEXT = "the tenant signs the lease in paris . the rent is 30 a month ."


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache.cache_folder()


@pytest.fixture
def adapted(tiny_reader: Path) -> object:
    """The tiny reader with an adapter that has learned something."""
    from transformers import AutoModelForQuestionAnswering

    model = AutoModelForQuestionAnswering.from_pretrained(tiny_reader)
    model = with_adapter(model, str(tiny_reader), 2)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    return model


def logits(folder: Path) -> list[float]:
    found = Reader(str(folder)).read("who signs ?", CONTEXT, top_k=5)
    return [answer.score for answer in found]


def test_only_the_adapter_and_the_head_are_trained(adapted: torch.nn.Module) -> None:
    trained = {name for name, one in adapted.named_parameters() if one.requires_grad}
    assert trained
    assert all("lora_" in name or "qa_outputs.modules_to_save" in name for name in trained)
    matrices = sum(isinstance(one, torch.nn.Linear) for one in merged(adapted).modules()) - 1
    assert sum("lora_A" in name for name in trained) == matrices


def test_an_adapter_alone_is_the_reader_that_was_trained(
    adapted: torch.nn.Module, tiny_reader: Path, tmp_path: Path, cached: Path
) -> None:
    save_adapter(adapted, tmp_path / "adapter")
    encoder = PairEncoder(tiny_reader, merged(adapted))
    save_reader(merged(adapted), tiny_reader, encoder.max_tokens, tmp_path / "whole")
    assert (tmp_path / "adapter" / "adapter_config.json").exists()
    assert not (tmp_path / "adapter" / "model.safetensors").exists()
    folder = reader_folder(str(tmp_path / "adapter"))
    assert cached in folder.parents
    whole, made = (load_file(at / "model.safetensors") for at in (tmp_path / "whole", folder))
    assert whole.keys() == made.keys()
    for name, weight in whole.items():
        np.testing.assert_allclose(weight.float(), made[name].float(), atol=2e-3, err_msg=name)
    assert logits(tmp_path / "adapter") == pytest.approx(logits(tmp_path / "whole"), abs=0.02)
    assert logits(tmp_path / "whole") != pytest.approx(logits(tiny_reader), abs=0.02)


def test_it_is_made_once_and_anew_when_a_setting_changes(
    adapted: torch.nn.Module, tmp_path: Path, cached: Path
) -> None:
    own = tmp_path / "adapter"
    save_adapter(adapted, own)
    first = reader_folder(str(own))
    written = (first / "model.safetensors").stat().st_mtime_ns
    assert reader_folder(str(own)) == first
    assert (first / "model.safetensors").stat().st_mtime_ns == written
    (own / "docqa.json").write_text(json.dumps({"length_weight": 0.25}))
    second = reader_folder(str(own))
    assert second != first
    assert Reader(str(own)).settings.length_weight == 0.25


def test_a_base_that_is_not_there_is_named_and_nothing_is_left(
    adapted: torch.nn.Module, tmp_path: Path, cached: Path
) -> None:
    own = tmp_path / "adapter"
    save_adapter(adapted, own)
    config = json.loads((own / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "./no-such-base"
    (own / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="no-such-base"):
        reader_folder(str(own))
    assert not list((cached / "readers").iterdir())


def test_a_damaged_adapter_is_an_error(
    adapted: torch.nn.Module, tmp_path: Path, cached: Path
) -> None:
    own = tmp_path / "adapter"
    save_adapter(adapted, own)
    (own / "adapter_model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="can't load the adapter"):
        Reader(str(own))


def test_a_cache_that_can_not_be_written_is_an_error(
    adapted: torch.nn.Module, tmp_path: Path, cached: Path
) -> None:
    own = tmp_path / "adapter"
    save_adapter(adapted, own)
    shutil.rmtree(cached, ignore_errors=True)
    cached.parent.mkdir(exist_ok=True)
    cached.write_text("a file in the way")
    with pytest.raises(ModelError, match="can't make a reader"):
        reader_folder(str(own))
