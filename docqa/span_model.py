"""The reader's model: a question and windows in, start and end logits of their tokens out.

Any Hugging Face question-answering encoder. Each window goes in as ``[CLS] question [SEP] window
[SEP]`` in the model's own template, with segment ids where the model has them (Devlin et al.
2019, section 4.2). Nothing here chooses an answer: see ``docqa.spans``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from docqa.errors import ModelError, QuestionError
from docqa.settings import AnswerSettings
from docqa.spans import NO_SPAN, Logits
from index.device import Device, DType, pick_device, pick_dtype
from index.models import load_quietly, model_folder
from ingest.windows import (
    IntArray,
    Tokens,
    Window,
    WindowSettings,
    plain_tokenizer,
    split,
    tokenize,
)

# Tokens (padding included) that go through the model at once.
_BATCH_TOKENS = {"cuda": 65_536, "mps": 16_384, "cpu": 4_096}
# These count positions from the padding token's id on.
_SHIFTED = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet", "longformer"})
# Where a tokenizer names no limit it says 10**30.
_NO_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Job:
    """One question (its token ids) and the windows to be read for it."""

    question: IntArray
    windows: Sequence[Window]


class SpanModel:
    """A question-answering model with its tokenizer, loaded.

    Args:
        name: a folder, or a model's name on the hub.
        device: where it runs.
        dtype: in which precision; ``auto`` is bfloat16 where the hardware is good at it.

    Attributes:
        device, dtype: as chosen.
        tokenizer: its fast tokenizer, which only tokenizes (:func:`plain_tokenizer`).
        answer_settings: stored beside the model, else the defaults.
        max_tokens: the most tokens that fit through at once.

    Raises:
        ModelError: it can't be found or loaded, or has no fast tokenizer or no span head.
    """

    def __init__(self, name: str, device: Device = "auto", dtype: DType = "auto") -> None:
        folder = model_folder(name)
        self.name = name
        self.answer_settings = AnswerSettings.of_reader(folder)
        self.device = pick_device(device)
        self.dtype = pick_dtype(dtype, self.device)
        fast = _fast_tokenizer(folder)
        self._model = _span_head(folder, self.dtype).to(self.device).eval()
        self.tokenizer = plain_tokenizer(fast.backend_tokenizer)
        self.pad_id = int(fast.pad_token_id or 0)
        self.cls_id = fast.cls_token_id
        self._template = _Template.of(fast.backend_tokenizer)
        self.max_tokens = _max_tokens(fast, self._model.config)
        types = getattr(self._model.config, "type_vocab_size", None)
        accepted = inspect.signature(self._model.forward).parameters
        self._has_segments = "token_type_ids" in accepted and (types is None or types > 1)

    def question_ids(self, question: str, most: int | None = None) -> IntArray:
        """A question's token ids.

        Args:
            most: the most tokens it may have; half of what the model takes if not given.

        Raises:
            QuestionError: it is empty, or has more tokens.
        """
        ids = tokenize(question, self.tokenizer).ids
        if len(ids) == 0:
            raise QuestionError("the question is empty")
        most = most or self.max_tokens // 2
        if len(ids) > most:
            raise QuestionError(
                f"the question has {len(ids)} tokens, the reader takes at most {most}: "
                "ask something shorter"
            )
        return ids

    def room(self, question: IntArray) -> int:
        """How many tokens of a window fit beside a question."""
        return self.max_tokens - len(question) - self._template.special

    def windows(self, text: str, question: IntArray, settings: WindowSettings) -> list[Window]:
        """A text of any length, cut into windows that fit beside the question."""
        size = min(settings.size, self.room(question))
        settings = WindowSettings(size, min(settings.overlap, size // 2))
        return list(split(tokenize(text, self.tokenizer), settings))

    def fit(self, window: Window, question: IntArray) -> list[Window]:
        """A window as it is, or cut into windows that fit beside a long question."""
        room = self.room(question)
        if len(window.token_ids) <= room:
            return [window]
        offsets = window.token_offsets + window.start
        tokens = Tokens(window.token_ids, offsets, np.ones(len(offsets), np.bool_))
        return list(split(tokens, WindowSettings(room, room // 4)))

    def logits(
        self, jobs: Sequence[Job], read: Callable[[int], None] | None = None
    ) -> list[Logits]:
        """Read all windows of all jobs.

        Windows of all jobs are sorted by length and cut into batches by tokens, so that padding
        is a few per cent.

        Args:
            jobs: every window must fit beside its question (:meth:`room`).
            read: told after each batch how many windows it held.

        Returns:
            For each job its logits, float32, on the model's device.
        """
        places = [(j, w) for j, job in enumerate(jobs) for w in range(len(job.windows))]
        rows = [
            self._template.row(jobs[j].question, jobs[j].windows[w].token_ids) for j, w in places
        ]
        results = [self._blank(job) for job in jobs]
        order = sorted(range(len(rows)), key=lambda n: -len(rows[n]))
        for batch in _batches(order, rows, _BATCH_TOKENS[torch.device(self.device).type]):
            start, end = self._forward([rows[n] for n in batch])
            for at, n in enumerate(batch):
                j, w = places[n]
                self._place(results[j], w, jobs[j], start[at], end[at])
            if read is not None:
                read(len(batch))
        return results

    def _blank(self, job: Job) -> Logits:
        widest = max((len(window.token_ids) for window in job.windows), default=0)
        shape = (len(job.windows), widest)

        def filled(*size: int) -> Tensor:
            return torch.full(size, NO_SPAN, dtype=torch.float32, device=self.device)

        allowed = np.zeros(shape, np.bool_)
        for w, window in enumerate(job.windows):
            offsets = window.token_offsets
            allowed[w, : len(offsets)] = offsets[:, 1] > offsets[:, 0]
        return Logits(
            filled(*shape),
            filled(*shape),
            torch.from_numpy(allowed).to(self.device),
            filled(shape[0]),
            filled(shape[0]),
        )

    def _place(self, into: Logits, w: int, job: Job, start: Tensor, end: Tensor) -> None:
        tokens = len(job.windows[w].token_ids)
        first = self._template.window_start(len(job.question))
        into.start[w, :tokens] = start[first : first + tokens]
        into.end[w, :tokens] = end[first : first + tokens]
        null = self._template.position_of(self.cls_id, len(job.question), tokens)
        if null is not None:
            into.null_start[w] = start[null]
            into.null_end[w] = end[null]

    @torch.inference_mode()
    def _forward(self, rows: Sequence[_Row]) -> tuple[Tensor, Tensor]:
        """Logits ``(rows, tokens)`` of start and end, float32, padded on the right."""
        longest = max(len(row) for row in rows)
        ids = np.full((len(rows), longest), self.pad_id, np.int64)
        mask = np.zeros_like(ids)
        segments = np.zeros_like(ids)
        for n, row in enumerate(rows):
            ids[n, : len(row)] = row.ids
            mask[n, : len(row)] = 1
            segments[n, : len(row)] = row.segments
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self._has_segments:
            inputs["token_type_ids"] = segments
        output = self._model(
            **{name: torch.from_numpy(value).to(self.device) for name, value in inputs.items()}
        )
        return output.start_logits.float(), output.end_logits.float()


@dataclass(frozen=True, slots=True)
class _Row:
    ids: IntArray
    segments: IntArray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class _Template:
    """What a model's tokenizer puts before, between and after a question and a context."""

    ids: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    segments: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    question_segment: int
    window_segment: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> _Template:
        """Read the template off an encoded pair."""
        copy = Tokenizer.from_str(tokenizer.to_str())
        copy.no_truncation()
        copy.no_padding()
        encoding = copy.encode("a", "a")
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
        return sum(len(part) for part in self.ids)

    def window_start(self, question: int) -> int:
        """Where the window's first token stands, beside a question of so many tokens."""
        return len(self.ids[0]) + question + len(self.ids[1])

    def position_of(self, token: int | None, question: int, window: int) -> int | None:
        """Where a special token stands, or None where the template has none such."""
        befores = (0, len(self.ids[0]) + question, self.window_start(question) + window)
        for before, part in zip(befores, self.ids, strict=True):
            if token in part:
                return before + part.index(token)
        return None

    def row(self, question: IntArray, window: IntArray) -> _Row:
        before, between, after = self.ids
        types_before, types_between, types_after = self.segments
        return _Row(
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


def _batches(order: Sequence[int], rows: Sequence[_Row], most: int) -> list[list[int]]:
    """Rows (longest first) in batches of at most ``most`` tokens, padding included."""
    batches: list[list[int]] = []
    widest = 0
    for n in order:
        if not batches or (len(batches[-1]) + 1) * widest > most:
            batches.append([])
            widest = len(rows[n])
        batches[-1].append(n)
    return batches


def load_tokenizer(name: str) -> Tokenizer:
    """A reader's tokenizer without its model, as an index keeps it.

    Raises:
        ModelError: it can't be had, or is not a fast one.
    """
    return plain_tokenizer(_fast_tokenizer(model_folder(name)).backend_tokenizer)


def _fast_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"can't load the tokenizer in {str(folder)!r}: {error}") from error
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise ModelError(f"{str(folder)!r} has no fast tokenizer (tokenizer.json)")
    return tokenizer


def _span_head(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForQuestionAnswering

    load_quietly()
    try:
        model, report = AutoModelForQuestionAnswering.from_pretrained(
            folder, dtype=dtype, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"can't load the reader in {str(folder)!r}: {error}") from error
    if report["missing_keys"]:
        raise ModelError(
            f"the weights in {str(folder)!r} have no {sorted(report['missing_keys'])[0]}: "
            "was this model fine-tuned for question answering?"
        )
    return model


def _max_tokens(tokenizer: Any, config: Any) -> int:
    """What the tokenizer and the model's table of positions both allow."""
    limits = [int(tokenizer.model_max_length)]
    positions = getattr(config, "max_position_embeddings", None)
    if positions:
        shift = int(config.pad_token_id) + 1 if config.model_type in _SHIFTED else 0
        limits.append(int(positions) - shift)
    limit = min(limits)
    return limit if limit < _NO_LIMIT else 512
