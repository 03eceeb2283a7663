"""Drawn questions as rows for the model, with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from docqa.model.rows import PairEncoder, Row
from docqa.training.examples import Examples, TokenRange
from docqa.training.loss import Targets
from docqa.training.sampling import Drawn
from docqa.training.settings import Normalize


@dataclass(frozen=True)
class Batch:
    """Rows that are read before the loss of their questions is taken.

    Attributes:
        rows: in the order of ``questions``, each one's windows one after another.
        windows: what each row was made of.
        targets: ``(rows, tokens)``, as wide as the longest row.
        first_tokens: ``(rows,)`` where each row's window starts in it.
        nulls: ``(rows,)`` where each row's CLS is.
    """

    rows: Sequence[Row]
    windows: Sequence[tuple[Drawn, TokenRange]]
    targets: Targets
    first_tokens: Sequence[int]
    nulls: Sequence[int]

    @property
    def tokens(self) -> int:
        return sum(len(row) for row in self.rows)

    @property
    def groups(self) -> int:
        """Return how many softmaxes there are, each with its loss."""
        return int(self.targets.groups.max()) + 1


def make_batches(
    drawn: Sequence[Drawn],
    data: Examples,
    encoder: PairEncoder,
    normalize: Normalize,
    most_tokens: int,
) -> list[Batch]:
    """Return batches of similar lengths, of at most ``most_tokens`` tokens or of one question."""

    def length(one: Drawn) -> int:
        return max(window.last - window.first for window in one.windows)

    parts: list[list[Drawn]] = []
    filled = 0
    for one in sorted((one for one in drawn if one.windows), key=length, reverse=True):
        tokens = sum(
            encoder.template.special + len(one.example.ids) + window.last - window.first
            for window in one.windows
        )
        if not parts or filled + tokens > most_tokens:
            parts.append([])
            filled = 0
        parts[-1].append(one)
        filled += tokens
    return [_batch(part, data, encoder, normalize) for part in parts]


def _batch(
    drawn: Sequence[Drawn], data: Examples, encoder: PairEncoder, normalize: Normalize
) -> Batch:
    windows = [(one, window) for one in drawn for window in one.windows]
    token_ids = [data.tokens[at.article].ids[at.first : at.last] for _, at in windows]
    rows = [
        encoder.template.row(one.example.ids, ids)
        for (one, _), ids in zip(windows, token_ids, strict=True)
    ]
    shape = (len(rows), max(map(len, rows)))
    starts, ends, counted = (np.zeros(shape, np.bool_) for _ in range(3))
    groups = np.arange(len(rows))
    if normalize == "question":
        groups = np.repeat(np.arange(len(drawn)), [len(one.windows) for one in drawn])
    firsts, nulls = [], []
    for n, ((one, window), ids) in enumerate(zip(windows, token_ids, strict=True)):
        first = encoder.template.window_start(len(one.example.ids))
        null = encoder.cls_position(one.example.ids, ids)
        assert null is not None, "prepare_run refuses models without CLS"
        firsts.append(first)
        nulls.append(null)
        if normalize == "window":
            counted[n, : len(rows[n])] = True
        else:
            counted[n, first : first + len(ids)] = True
            counted[n, null] = True
        gold = one.example.gold
        if gold is not None and window.holds(gold):
            starts[n, first + gold.first - window.first] = True
            ends[n, first + gold.last - 1 - window.first] = True
    answered = np.zeros(groups[-1] + 1, np.bool_)
    np.logical_or.at(answered, groups, starts.any(axis=1))
    for n in np.flatnonzero(~answered[groups]).tolist():
        starts[n, nulls[n]] = ends[n, nulls[n]] = True
    targets = Targets(*map(torch.from_numpy, (starts, ends, counted, groups)))
    return Batch(rows, windows, targets, firsts, nulls)
