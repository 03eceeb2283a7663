"""Rows, a model's input: ``[CLS] question [SEP] window [SEP]``, with segment ids, in batches.

The template (which special tokens stand where, and which side is which segment) is the model's own,
read off its tokenizer (Devlin et al. 2019, section 4.2). Asking and training make their rows here.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor

from docqa.errors import ModelError
from docqa.index.models.device import on_device
from docqa.index.models.families import first_position
from docqa.index.models.tokenizer import ModelTokenizer
from docqa.ingest.windows import IntArray, plain_tokenizer, tokenize

# The limit of a model of which no file names any; a greater one names none.
_USUAL_LIMIT = 512
_NO_LIMIT = 100_000
_LONGEST_HEADING = 32


class PairEncoder:
    """Makes a model's input of questions and windows.

    Args:
        folder: of the model; it must hold a fast tokenizer.
        model: whose input it is: of transformers, or a
            :class:`docqa.model.span_head.SpanHead`.

    Attributes:
        tokenizer: the model's fast tokenizer, which only tokenizes (:func:`plain_tokenizer`).
        template: what stands around question and window.
        max_tokens: the most tokens in a row.

    Raises:
        ModelError: the tokenizer can't be loaded, is not a fast one, or puts the context first.
    """

    def __init__(self, folder: Path, model: Any) -> None:
        own = ModelTokenizer.load(folder)
        self.tokenizer = plain_tokenizer(own.backend)
        self.template = Template.of(own.backend)
        self._first_position = first_position(model.config)
        self.max_tokens = _max_tokens(own.max_tokens, model.config)
        self._pad_id = own.pad_id
        self._cls_id = own.cls_id
        types = getattr(model.config, "type_vocab_size", None)
        accepted = inspect.signature(model.forward).parameters
        self._has_segments = "token_type_ids" in accepted and (types is None or types > 1)

    def room(self, question: IntArray) -> int:
        """Return the number of a window's tokens that fit beside a question."""
        return self.max_tokens - len(question) - self.template.special

    def heading_ids(self, line: str) -> IntArray:
        """Return the tokens of a heading line as they stand in front of a window.

        Args:
            line: from :func:`docqa.ingest.outline.heading_lines`.

        Returns:
            ``(tokens,)``: the line, at its end a colon; at most 32 tokens, the last ones.
        """
        return tokenize(f"{line}:", self.tokenizer).ids[-_LONGEST_HEADING:]

    def cls_position(self, question: int, window: int) -> int | None:
        """Return where CLS stands in a row; None where the model has no such token.

        Args:
            question, window: the numbers of their tokens, headings counted to the window.
        """
        return self.template.position_of(self._cls_id, question, window)

    def padded(self, rows: Sequence[Row], device: str) -> dict[str, Tensor]:
        """Return rows as a model's arguments, ``(rows, tokens)`` each, padded on the right."""
        longest = max(len(row) for row in rows)
        ids = np.full((len(rows), longest), self._pad_id, np.int64)
        mask = np.zeros_like(ids)
        segments = np.zeros_like(ids)
        for n, row in enumerate(rows):
            ids[n, : len(row)] = row.ids
            mask[n, : len(row)] = 1
            segments[n, : len(row)] = row.segments
        return self._arguments(device, input_ids=ids, attention_mask=mask, token_type_ids=segments)

    def packed(self, rows: Sequence[Row], device: str) -> dict[str, Tensor]:
        """Return rows as a model's arguments, ``(1, tokens)`` each: one row after another."""
        ids = np.concatenate([row.ids for row in rows])
        segments = np.concatenate([row.segments for row in rows])
        positions = np.concatenate([np.arange(len(row)) for row in rows]) + self._first_position
        return self._arguments(
            device,
            input_ids=ids[None].astype(np.int64),
            position_ids=positions[None],
            token_type_ids=segments[None].astype(np.int64),
        )

    def _arguments(self, device: str, **arrays: npt.NDArray[np.int64]) -> dict[str, Tensor]:
        if not self._has_segments:
            del arrays["token_type_ids"]
        return {name: on_device(torch.from_numpy(array), device) for name, array in arrays.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the ids and the segments of its tokens, ``(tokens,)`` each."""

    ids: IntArray
    segments: IntArray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Template:
    """What a model's tokenizer puts before, between and after a question and a context.

    Attributes:
        ids, segments: of the special tokens in each of the three places.
        question_segment, window_segment: of the tokens of question and window.
    """

    ids: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    segments: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    question_segment: int
    window_segment: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Template:
        """Read the template off an encoded pair.

        Args:
            tokenizer: without truncation and padding.

        Raises:
            ModelError: it puts the context first.
        """
        encoding = tokenizer.encode("a", "a")
        sides = encoding.sequence_ids
        if 0 not in sides or 1 not in sides or sides.index(1) < sides.index(0):
            raise ModelError("its tokenizer does not put a question before its context")
        cuts = (sides.index(0), _after(sides, 0), sides.index(1), _after(sides, 1))
        parts = (slice(0, cuts[0]), slice(cuts[1], cuts[2]), slice(cuts[3], len(sides)))
        ids, types = encoding.ids, encoding.type_ids
        return cls(
            (tuple(ids[parts[0]]), tuple(ids[parts[1]]), tuple(ids[parts[2]])),
            (tuple(types[parts[0]]), tuple(types[parts[1]]), tuple(types[parts[2]])),
            types[cuts[0]],
            types[cuts[2]],
        )

    @cached_property
    def special(self) -> int:
        """The number of special tokens in a row."""
        return sum(len(part) for part in self.ids)

    def window_start(self, question: int) -> int:
        """Return where the window's first token stands.

        Args:
            question: the number of the question's tokens.
        """
        return len(self.ids[0]) + question + len(self.ids[1])

    def position_of(self, token: int | None, question: int, window: int) -> int | None:
        """Return where a special token stands, or None where the template has no such token.

        Args:
            token: the special token's id.
            question, window: the numbers of their tokens.
        """
        befores = (0, len(self.ids[0]) + question, self.window_start(question) + window)
        for before, part in zip(befores, self.ids, strict=True):
            if token in part:
                return before + part.index(token)
        return None

    def row(self, question: IntArray, window: IntArray) -> Row:
        """Return the row of a question and a window, given by their tokens' ids."""
        before, between, after = self.ids
        types_before, types_between, types_after = self.segments
        return Row(
            np.concatenate([before, question, between, window, after]).astype(np.int32),
            np.concatenate(
                [
                    types_before,
                    np.full(len(question), self.question_segment),
                    types_between,
                    np.full(len(window), self.window_segment),
                    types_after,
                ]
            ).astype(np.int32),
        )


def _after(sides: list[int | None], side: int) -> int:
    return len(sides) - sides[::-1].index(side)


def length_batches(order: Sequence[int], rows: Sequence[Row], most: int) -> list[list[int]]:
    """Return the places of rows in batches of at most ``most`` tokens, padding included.

    Args:
        order: the places, those of the longest rows first.
    """
    batches: list[list[int]] = []
    widest = 0
    for n in order:
        if not batches or (len(batches[-1]) + 1) * widest > most:
            batches.append([])
            widest = len(rows[n])
        batches[-1].append(n)
    return batches


def _max_tokens(limit: int, config: Any) -> int:
    """What the tokenizer and the model's table of positions both allow."""
    positions = getattr(config, "max_position_embeddings", None)
    if positions:
        limit = min(limit, int(positions) - first_position(config))
    return limit if limit < _NO_LIMIT else _USUAL_LIMIT
