"""A reader written as an ordinary Hugging Face folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from docqa.index.models.folders import load_quietly
from docqa.index.models.tokenizer import load_fast_tokenizer

DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")


def save_reader(model: Any, base: Path, max_tokens: int, folder: Path) -> None:
    """Write a model in float16, and its tokenizer.

    Its dropout is the base's again, for whoever fine-tunes it next.

    Args:
        model: of transformers; its weights are converted in place.
        base: whose tokenizer it has.
        max_tokens: the most that it reads at once.
    """
    from transformers import AutoConfig

    load_quietly()
    half = model.to("cpu", torch.float16)
    usual = AutoConfig.from_pretrained(base, local_files_only=True)
    for name in DROPOUTS:
        if hasattr(usual, name):
            setattr(half.config, name, getattr(usual, name))
    half.save_pretrained(folder)
    tokenizer = load_fast_tokenizer(base)
    tokenizer.model_max_length = max_tokens
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)
