"""Drawn questions as rows for the model, with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from docqa.ingest.windows import IntArray
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
    read = [_ReadQuestion.of(one, data, encoder) for one in drawn if one.windows]
    parts: list[list[_ReadQuestion]] = []
    filled = 0
    for one in sorted(read, key=lambda one: max(map(len, one.rows)), reverse=True):
        tokens = sum(map(len, one.rows))
        if not parts or filled + tokens > most_tokens:
            parts.append([])
            filled = 0
        parts[-1].append(one)
        filled += tokens
    return [_batch(part, encoder, normalize) for part in parts]


@dataclass(frozen=True)
class _ReadQuestion:
    """A drawn question as it is read.

    Attributes:
        rows: of its windows.
        first_tokens: where each row's window starts in it.
    """

    drawn: Drawn
    rows: Sequence[Row]
    first_tokens: Sequence[int]

    @classmethod
    def of(cls, drawn: Drawn, data: Examples, encoder: PairEncoder) -> _ReadQuestion:
        question = drawn.example.ids
        rows, firsts = [], []
        for at in drawn.windows:
            heading = _heading_ids(drawn, at, data, encoder)
            ids = data.tokens[at.article].ids[at.first : at.last]
            rows.append(encoder.template.row(question, np.concatenate([heading, ids])))
            firsts.append(encoder.template.window_start(len(question)) + len(heading))
        return cls(drawn, rows, firsts)


def _batch(read: Sequence[_ReadQuestion], encoder: PairEncoder, normalize: Normalize) -> Batch:
    windows = [(one.drawn, window) for one in read for window in one.drawn.windows]
    rows = [row for one in read for row in one.rows]
    firsts = [first for one in read for first in one.first_tokens]
    shape = (len(rows), max(map(len, rows)))
    starts, ends, counted = (np.zeros(shape, np.bool_) for _ in range(3))
    groups = np.arange(len(rows))
    if normalize == "question":
        groups = np.repeat(np.arange(len(read)), [len(one.rows) for one in read])
    nulls = []
    for n, ((one, window), first) in enumerate(zip(windows, firsts, strict=True)):
        size = window.last - window.first
        beside = len(rows[n]) - encoder.template.special - len(one.example.ids)
        null = encoder.cls_position(len(one.example.ids), beside)
        assert null is not None, "prepare_run refuses models without CLS"
        nulls.append(null)
        if normalize == "window":
            counted[n, : len(rows[n])] = True
        else:
            counted[n, first : first + size] = True
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


def _heading_ids(
    drawn: Drawn, window: TokenRange, data: Examples, encoder: PairEncoder
) -> IntArray:
    """Return the tokens in front of a window: none where none are drawn or they don't fit."""
    if not drawn.headings:
        return np.empty(0, np.int32)
    ids = encoder.heading_ids(data.heading_line(window))
    room = encoder.room(drawn.example.ids) - (window.last - window.first)
    return ids if len(ids) <= room else ids[:0]
