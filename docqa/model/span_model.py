"""The reader's model: a question and windows in, start and end logits of their tokens out.

Any Hugging Face question-answering encoder. Each window goes in as ``[CLS] question [SEP] window
[SEP]`` in the model's own template, with segment ids where the model has them (Devlin et al.
2019, section 4.2). Nothing here chooses an answer: see ``docqa.ranking.span_search``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from docqa.errors import QuestionError
from docqa.index.models.batches import batches
from docqa.index.models.device import Device, DType, on_device, pick_device, pick_dtype
from docqa.index.models.tokenizer import ModelTokenizer
from docqa.ingest.windows import (
    IntArray,
    Tokens,
    Window,
    WindowSettings,
    plain_tokenizer,
    split,
    tokenize,
)
from docqa.model.adapter import reader_folder
from docqa.model.rows import PairEncoder, length_batches
from docqa.model.span_head import load_reader, row_logits
from docqa.question import check_question
from docqa.ranking.reading import Job
from docqa.ranking.span_search import NO_SPAN, Logits
from docqa.settings import AnswerSettings


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
        folder = reader_folder(name)
        self.name = name
        self.answer_settings = AnswerSettings.of_reader(folder)
        self.device = pick_device(device)
        self.dtype = pick_dtype(dtype, self.device)
        self._model, self._packed = load_reader(folder, self.device, self.dtype)
        self._encoder = PairEncoder(folder, self._model)
        self.tokenizer = self._encoder.tokenizer
        self.max_tokens = self._encoder.max_tokens
        self._turn = threading.Lock()  # torch's modules are not called by two threads at once

    def question_ids(self, question: str, most: int | None = None) -> IntArray:
        """Return a question's token ids.

        Args:
            most: the most tokens it may have; half of what the model takes if not given.

        Raises:
            QuestionError: it is empty, is not valid Unicode, or has more tokens.
        """
        check_question(question)
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
        return self._encoder.room(question)

    def windows(self, text: str, question: IntArray, settings: WindowSettings) -> list[Window]:
        """A text of any length, cut into windows that fit beside the question."""
        size = min(settings.size, self.room(question))
        settings = WindowSettings(size, min(settings.overlap, size // 2))
        return list(split(tokenize(text, self.tokenizer), settings))

    def under(self, window: Window, line: str, question: IntArray) -> Window:
        """Return a window with its heading line, where that fits beside window and question.

        Args:
            line: from :func:`docqa.ingest.outline.heading_lines`.
        """
        headed = replace(window, heading_ids=self._encoder.heading_ids(line))
        return headed if len(headed.read_ids) <= self.room(question) else window

    def fit(self, window: Window, question: IntArray) -> list[Window]:
        """A window as it is, or cut into windows that fit beside a long question."""
        room = self.room(question)
        if len(window.token_ids) <= room:
            return [window]
        offsets = window.token_offsets + window.start
        tokens = Tokens(window.token_ids, offsets, np.ones(len(offsets), np.bool_))
        return list(split(tokens, WindowSettings(room, room // 4)))

    @torch.inference_mode()
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
        rows = [
            self._encoder.template.row(job.question, window.read_ids)
            for job in jobs
            for window in job.windows
        ]
        layout = _Layout.of(jobs, self._encoder, self.device)
        found = self._blank(jobs)
        order = sorted(range(len(rows)), key=lambda n: -len(rows[n]))
        for batch in length_batches(order, rows, batches(self.device).reader_tokens):
            with self._turn:
                start, end = row_logits(
                    self._model, self._encoder, [rows[n] for n in batch], self.device, self._packed
                )
            layout.place(found, batch, start, end)
            if read is not None:
                read(len(batch))
        return list(_by_job(found, jobs))

    def _blank(self, jobs: Sequence[Job]) -> Logits:
        """The logits of all windows of all jobs, before any has been read."""
        windows = [window for job in jobs for window in job.windows]
        shape = (len(windows), max((len(window.token_ids) for window in windows), default=0))

        def filled(*size: int) -> Tensor:
            return torch.full(size, NO_SPAN, dtype=torch.float32, device=self.device)

        allowed = np.zeros(shape, np.bool_)
        for w, window in enumerate(windows):
            offsets = window.token_offsets
            allowed[w, : len(offsets)] = offsets[:, 1] > offsets[:, 0]
        return Logits(
            filled(*shape),
            filled(*shape),
            on_device(torch.from_numpy(allowed), self.device),
            filled(shape[0]),
            filled(shape[0]),
        )


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where in each row of all jobs its window and its CLS stand, on the model's device.

    Attributes:
        firsts: the window's first token.
        tokens: how many it has.
        nulls: CLS; -1 where there is none.
    """

    firsts: Tensor
    tokens: Tensor
    nulls: Tensor

    @classmethod
    def of(cls, jobs: Sequence[Job], encoder: PairEncoder, device: str) -> _Layout:
        rows = []
        for job in jobs:
            first = encoder.template.window_start(len(job.question))
            for window in job.windows:
                heading, tokens = len(window.heading_ids), len(window.token_ids)
                null = encoder.cls_position(len(job.question), heading + tokens)
                rows.append((first + heading, tokens, -1 if null is None else null))
        columns = on_device(torch.tensor(rows, dtype=torch.long).reshape(-1, 3).T, device)
        return cls(*columns)

    def place(self, into: Logits, batch: Sequence[int], start: Tensor, end: Tensor) -> None:
        """Take from a batch's logits those of the windows' own tokens, and those of CLS."""
        rows = on_device(torch.tensor(batch), str(start.device))
        column = torch.arange(into.start.shape[1], device=start.device)
        columns = (self.firsts[rows, None] + column).clamp_max(start.shape[1] - 1)
        outside = column >= self.tokens[rows, None]
        null = self.nulls[rows]
        for logits, of_tokens, of_cls in (
            (start, into.start, into.null_start),
            (end, into.end, into.null_end),
        ):
            of_tokens[rows] = logits.gather(1, columns).masked_fill(outside, NO_SPAN)
            at_cls = logits.gather(1, null.clamp_min(0)[:, None]).squeeze(1)
            of_cls[rows] = at_cls.masked_fill(null < 0, NO_SPAN)


def _by_job(logits: Logits, jobs: Sequence[Job]) -> Iterator[Logits]:
    """The part of each job, as wide as its longest window."""
    first = 0
    for job in jobs:
        part = slice(first, first + len(job.windows))
        width = max((len(window.token_ids) for window in job.windows), default=0)
        yield Logits(
            logits.start[part, :width],
            logits.end[part, :width],
            logits.allowed[part, :width],
            logits.null_start[part],
            logits.null_end[part],
        )
        first = part.stop


def load_tokenizer(name: str) -> Tokenizer:
    """Load a reader's tokenizer without its model, as an index keeps it.

    Raises:
        ModelError: it can't be had, or is not a fast one.
    """
    return plain_tokenizer(ModelTokenizer.load(reader_folder(name)).backend)
