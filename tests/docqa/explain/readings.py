"""Readings with the logits that a test wishes for, and what is printed of them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from rich.console import Console

from docqa import AnswerSettings
from docqa.explain.explanation import Explanation
from docqa.explain.terminal import show
from docqa.index.hit import Hit
from docqa.ingest.document import Document
from docqa.ingest.windows import Window
from docqa.ranking.reading import Reading, in_memory
from docqa.ranking.span_search import Logits

PLAIN = AnswerSettings(prior_weight=0.0)
TEXTS = ["Ada wrote the first program.", "Grace found a moth in 1947."]


def made(
    texts: Sequence[str],
    likely: Sequence[dict[str, float]],
    *,
    prominences: Sequence[float] | None = None,
    nulls: Sequence[float] | None = None,
    path: str = "/d/{}.txt",
    searched: bool = False,
) -> Reading:
    """A reading of documents of one window each, with the logits of its tokens as wished.

    Tokens are runs of letters and single signs. ``likely`` names tokens of each window with the
    start and end logit that they have; all others have -5.
    """
    documents = [
        Document(path.format(n), "text", text, (), "", 0, 0) for n, text in enumerate(texts)
    ]
    offsets = [
        np.array([m.span() for m in re.finditer(r"[^\W_]+|\S", text)], np.int32) for text in texts
    ]
    width = max(map(len, offsets))
    allowed = torch.zeros(len(texts), width, dtype=torch.bool)
    start = torch.full((len(texts), width), -5.0)
    for w, at in enumerate(offsets):
        allowed[w, : len(at)] = True
        for i, (low, high) in enumerate(at.tolist()):
            start[w, i] = likely[w].get(texts[w][low:high], -5.0)
    null = torch.tensor([0.0] * len(texts) if nulls is None else list(nulls)) / 2
    hits = [
        Hit(
            n,
            n,
            path.format(n),
            None,
            Window(0, len(text), np.zeros(len(at), np.int32), at),
            text,
            0.0,
            prominence,
        )
        for n, (text, at, prominence) in enumerate(
            zip(texts, offsets, prominences or [0.0] * len(texts), strict=True)
        )
    ]
    return Reading(
        "Who?",
        hits,
        Logits(start, start.clone(), allowed, null, null),
        in_memory(documents.__getitem__),
        searched=searched,
    )


def printed(explanation: Explanation, **arguments: Any) -> str:
    stream = io.StringIO()
    show(explanation, Console(file=stream, width=100, highlight=False, **arguments))
    return stream.getvalue()


def strict_json(text: str) -> dict[str, Any]:
    """JSON as the standard has it: without NaN and Infinity."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    value = json.loads(text, parse_constant=refuse)
    assert isinstance(value, dict)
    return value
