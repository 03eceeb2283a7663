"""Small models of a kind with random weights, and rows of made-up tokens for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from docqa.model.rows import PairEncoder, Row

LENGTHS = (3, 40, 17, 1, 62)


def random_model(folder: Path, kind: str, **settings: Any) -> torch.nn.Module:
    """A model of transformers with a span head, and the vocabulary of the reader in a folder."""
    import transformers

    bert = transformers.AutoConfig.from_pretrained(folder)
    torch.manual_seed(1)
    config = transformers.CONFIG_MAPPING[kind](
        **{
            "vocab_size": bert.vocab_size,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "max_position_embeddings": 140,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        }
        | settings
    )
    return transformers.AutoModelForQuestionAnswering.from_config(config)


def random_rows(encoder: PairEncoder) -> list[Row]:
    """A question with windows of :data:`LENGTHS` tokens."""
    random = np.random.default_rng(0)
    question = random.integers(5, 30, 4).astype(np.int32)
    return [
        encoder.template.row(question, random.integers(5, 30, length).astype(np.int32))
        for length in LENGTHS
    ]


def without_cls(folder: Path) -> None:
    """Take CLS from a reader's tokenizer: its rows are question, SEP, window, SEP."""
    file = folder / "tokenizer.json"
    values = json.loads(file.read_text())
    sep = {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
    first = {"Sequence": {"id": "A", "type_id": 0}}
    second = {"Sequence": {"id": "B", "type_id": 1}}
    values["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [first, sep],
        "pair": [first, sep, second, sep],
        "special_tokens": {"[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}},
    }
    file.write_text(json.dumps(values))


def random_encoder(reader: Path, folder: Path) -> None:
    """Write a random BERT without a head, with the tokenizer of a reader."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(reader)
    torch.manual_seed(2)
    transformers.BertModel(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(reader).save_pretrained(folder)
