"""Tokens a second in training: rows packed and padded, and what dropout costs, there and back.

    python benchmarks/train.py --steps 8

Rows of question and window of made-up words, with the lengths of SQuAD's, go through docqa's reader
and back, without the optimiser. All ways get the same rows in the same order, in turns. Prints a
JSON line for each.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from docqa.index.models.device import pick_dtype
from docqa.model.packed_attention import pack_rows
from docqa.model.rows import PairEncoder, Row
from docqa.model.span_head import row_logits
from docqa.settings import DEFAULT_READER
from docqa.training.dropout import cheapen_dropout
from docqa.training.settings import TrainSettings
from docqa.training.trained_model import load_base

ROWS = 20
QUESTION = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=8)
    args = parser.parse_args()
    folder = Path(DEFAULT_READER)
    random = np.random.default_rng(0)
    dropouts = {
        "padded": 0.0,
        "packed": 0.0,
        "packed, torch's dropout": 0.1,
        "packed, dropout": 0.1,
    }
    seconds = dict.fromkeys(dropouts, 0.0)
    tokens = dict.fromkeys(dropouts, 0)
    models = {}
    for kind, dropout in dropouts.items():
        model = load_base(folder, TrainSettings(base=str(folder), dropout=dropout)).train()
        if kind == "packed, dropout":
            cheapen_dropout(model)
        if kind != "padded" and not pack_rows(model, "cpu"):
            raise SystemExit("rows are not packed here")
        models[kind] = model
    encoder = PairEncoder(folder, models["padded"])
    for step in range(args.steps + 1):
        rows = batch(encoder, random)
        for kind, model in models.items():
            began = time.perf_counter()
            with torch.autocast("cpu", enabled=pick_dtype("auto", "cpu") is torch.bfloat16):
                start, end = row_logits(model, encoder, rows, "cpu", kind != "padded")
            (start.logsumexp(1).sum() + end.logsumexp(1).sum()).backward()
            model.zero_grad(set_to_none=True)
            if step:  # the first is for warming up
                seconds[kind] += time.perf_counter() - began
                tokens[kind] += sum(map(len, rows))
    rates = {kind: tokens[kind] / seconds[kind] for kind in seconds}
    for kind, rate in rates.items():
        row = {"tokens_per_second": round(rate), "of_packed": round(rate / rates["packed"], 3)}
        print(json.dumps({"rows": kind, **row}))


def batch(encoder: PairEncoder, random: np.random.Generator) -> list[Row]:
    """Rows of 60 to 320 tokens, as long as questions on SQuAD's paragraphs are, longest first."""
    lengths = np.clip(random.normal(180, 50, ROWS), 60, 320).astype(int)

    def words(count: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        return random.integers(1000, 20_000, count).astype(np.int32)

    return [
        encoder.template.row(words(QUESTION), words(length)) for length in sorted(lengths)[::-1]
    ]


if __name__ == "__main__":
    main()
