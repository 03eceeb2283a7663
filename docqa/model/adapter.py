"""Low-rank adapters: what was learned, beside a base that stays as it is.

An adapter (Hu et al. 2022, "LoRA") adds the product of two narrow matrices to each matrix of the
base's layers. It is a tenth of the base's size, so it can be sent around where the base is had from
elsewhere. To be asked, both are made into one ordinary reader, once, in the user's cache.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import shutil
from pathlib import Path
from typing import Any

import torch

from docqa.errors import ModelError
from docqa.index.models.cache import cache_folder, made_once
from docqa.index.models.folders import load_quietly, model_folder
from docqa.model.rows import PairEncoder
from docqa.model.saved import save_reader
from docqa.settings import READER_SETTINGS

_log = logging.getLogger(__name__)

CONFIG = "adapter_config.json"
_HEAD = "qa_outputs"
# What is learned goes into the weights so many times: the rate then suits all ranks.
_SCALE = 2


def with_adapter(model: Any, base: str, rank: int) -> Any:
    """Return a model whose weights stay as they are, with an adapter and a head that are trained.

    Args:
        model: a question-answering model of transformers.
        base: where others get its base: a name on the hub, or a folder.
        rank: the width of the adapter's matrices.
    """
    from peft import LoraConfig, get_peft_model

    matrices = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name != _HEAD
    ]
    config = LoraConfig(
        r=rank, lora_alpha=_SCALE * rank, target_modules=matrices, modules_to_save=[_HEAD]
    )
    adapted = get_peft_model(model, config)
    adapted.peft_config["default"].base_model_name_or_path = base
    return adapted


def merged(model: Any) -> Any:
    """Return a copy of a model of transformers with what its adapter learned in its weights.

    A model without an adapter is copied as it is.
    """
    whole = copy.deepcopy(model)
    return whole.merge_and_unload() if hasattr(whole, "merge_and_unload") else whole


def save_adapter(model: Any, folder: Path) -> None:
    """Write the adapter of a model in float16."""
    half = copy.deepcopy(model).to("cpu", torch.float16)
    half.save_pretrained(folder)


def reader_folder(name: str) -> Path:
    """Return the folder of a reader; of an adapter, of the reader that it makes of its base.

    Args:
        name: a folder, or a name on the hub.

    Raises:
        ModelError: it can't be found, or its base can't, or peft is not installed.
    """
    folder = model_folder(name)
    if not (folder / CONFIG).exists():
        return folder
    try:
        made = cache_folder() / "readers" / _fingerprint(folder)
        return made_once(made, lambda into: _merge(folder, into))
    except OSError as error:
        raise ModelError(
            f"can't make a reader of the adapter in {str(folder)!r}: {error}"
        ) from error


def _fingerprint(folder: Path) -> str:
    """Return what names a reader in the cache: the hash of the adapter's files."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.iterdir() if file.is_file()):
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _merge(folder: Path, into: Path) -> None:
    """Write the reader that an adapter makes of its base."""
    try:
        from peft import PeftConfig, PeftModel
    except ImportError as error:
        raise ModelError("a reader with an adapter needs peft: pip install peft") from error
    from safetensors import SafetensorError
    from transformers import AutoModelForQuestionAnswering

    load_quietly()
    _log.info("making a reader of the adapter in %s, once, in %s", folder, into.parent.parent)
    try:
        config = PeftConfig.from_pretrained(str(folder))
        base = model_folder(config.base_model_name_or_path)
        model = AutoModelForQuestionAnswering.from_pretrained(
            base, dtype=torch.float32, local_files_only=True
        )
        longest = PairEncoder(base, model).max_tokens
        whole = PeftModel.from_pretrained(model, folder).merge_and_unload()
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"can't load the adapter in {str(folder)!r}: {error}") from error
    save_reader(whole, base, longest, into)
    if (folder / READER_SETTINGS).exists():
        shutil.copyfile(folder / READER_SETTINGS, into / READER_SETTINGS)
