"""A teacher's start and end logits for the paragraphs that questions were asked of.

A teacher is large, so it reads each question once, before training, and what it said is kept in a
file. It may have another tokenizer: its logits are carried over by the characters at which tokens
start and end. And it may be far less sure than it could be, or more, by how long it was trained; so
its logits are scaled to make the marked answers likeliest (temperature scaling, Guo et al. 2017,
section 4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from docqa.errors import TrainError
from docqa.index.files import replaced
from docqa.index.models.weights_hash import weights_sha256
from docqa.ingest.windows import IntArray
from docqa.model.adapter import reader_folder
from docqa.model.span_model import SpanModel
from docqa.ranking.reading import Job
from docqa.reader import READ_WINDOW
from docqa.training.batch import Batch
from docqa.training.examples import Example, Examples
from docqa.training.run_folder import make_folder

# Questions that the teacher reads together.
_TOGETHER = 256
_NO_LOGIT = -np.inf
# Tried on so many examples to make the marked answers likeliest.
_SCALES = np.geomspace(1 / 4, 4, 33)
_SCALED_BY = 1000

_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TeacherLogits:
    """What a teacher said of each example.

    Attributes:
        bounds: ``(examples + 1,)`` where each example's part of ``logits`` begins.
        logits: ``(tokens, 2)`` start and end, float16: for each example those of CLS, then those
            of its paragraph's tokens; ``-inf`` where the teacher has no token of such a place.
    """

    bounds: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float16]

    def of(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the teacher's start and end logits ``(rows, tokens)``, and which groups have any.

        A group has them where a window of it holds an answer.
        """
        shape = tuple(batch.targets.counted.shape)
        start, end = np.full(shape, _NO_LOGIT, np.float32), np.full(shape, _NO_LOGIT, np.float32)
        groups = batch.targets.groups.numpy()
        taught = np.zeros(batch.groups, np.bool_)
        for n, (drawn, window) in enumerate(batch.windows):
            example = drawn.example
            low, high = self.bounds[example.number : example.number + 2]
            cls, tokens = self.logits[low], self.logits[low + 1 : high]
            first = max(window.first, example.paragraph.first)
            last = min(window.last, example.paragraph.last)
            if window.article == example.paragraph.article and first < last:
                at = batch.first_tokens[n] + first - window.first
                part = tokens[first - example.paragraph.first : last - example.paragraph.first]
                start[n, at : at + len(part)] = part[:, 0]
                end[n, at : at + len(part)] = part[:, 1]
            start[n, batch.nulls[n]], end[n, batch.nulls[n]] = cls
            if example.gold is not None and window.holds(example.gold):
                taught[groups[n]] = True
        return torch.from_numpy(start), torch.from_numpy(end), torch.from_numpy(taught)

    def calibrated(self, examples: Sequence[Example]) -> TeacherLogits:
        """Return the logits times the number that makes the marked answers likeliest."""
        chosen = examples[:: -(-len(examples) // _SCALED_BY)]
        losses = sum((self._losses(example) for example in chosen), np.zeros(len(_SCALES)))
        scale = _SCALES[losses.argmin()]
        return TeacherLogits(self.bounds, (self.logits * np.float16(scale)).astype(np.float16))

    def _losses(self, example: Example) -> npt.NDArray[np.float64]:
        """Return ``-log P_start - log P_end`` of the answer, or of none, at each scale."""
        low, high = self.bounds[example.number : example.number + 2]
        logits = self.logits[low:high].astype(np.float64)
        places = (0, 0)
        if example.gold is not None:
            first = example.paragraph.first
            places = (1 + example.gold.first - first, example.gold.last - first)
        right = logits[places, (0, 1)]
        if not np.isfinite(right).all():
            return np.zeros(len(_SCALES))
        scaled = logits[None] * _SCALES[:, None, None]
        greatest = scaled.max(axis=1, keepdims=True)
        totals = np.log(np.exp(scaled - greatest).sum(axis=1)) + greatest[:, 0]
        losses: npt.NDArray[np.float64] = (totals - right * _SCALES[:, None]).sum(axis=1)
        return losses


def teacher_logits(
    data: Examples,
    teacher: str,
    device: str,
    kept: Path,
    progress: Callable[[int, int], None] | None = None,
) -> TeacherLogits:
    """Have the teacher read every example, or take what it said from a file.

    Args:
        kept: the file. It holds the teacher's own logits, and of which teacher and data they are.
        progress: gets how many examples are done, of how many.

    Returns:
        The logits, :meth:`TeacherLogits.calibrated`.

    Raises:
        ModelError: the teacher can't be loaded.
        TrainError: the file can't be read or made, or is of another teacher or other data.
    """
    made_of = f"{weights_sha256(reader_folder(teacher))} {data.fingerprint()}"
    if not kept.exists():
        make_folder(kept.parent)
        parts = _read(data, SpanModel(teacher, device), progress)
        bounds = np.cumsum([0, *map(len, parts)])
        with replaced(kept) as partial, partial.open("wb") as stream:
            logits = np.concatenate(parts).astype(np.float16)
            np.savez(stream, bounds=bounds, logits=logits, made_of=np.array(made_of))
    try:
        with np.load(kept, allow_pickle=False) as stored:
            found = TeacherLogits(stored["bounds"], stored["logits"])
            of_this = str(stored["made_of"]) == made_of
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise TrainError(f"{kept} holds no teacher's logits: {error}") from error
    if not of_this:
        raise TrainError(
            f"{kept} holds logits of another teacher or for other questions: "
            "remove it, or give another file"
        )
    return found.calibrated(data.examples)


def _read(
    data: Examples, model: SpanModel, progress: Callable[[int, int], None] | None
) -> list[_Floats]:
    parts: list[_Floats] = []
    for first in range(0, len(data), _TOGETHER):
        examples = data.examples[first : first + _TOGETHER]
        jobs = []
        for example in examples:
            question = model.question_ids(example.text)
            low, high = _characters(data, example)
            text = data.texts[example.paragraph.article][low:high]
            jobs.append(Job(question, model.windows(text, question, READ_WINDOW)))
        for example, job, logits in zip(examples, jobs, model.logits(jobs), strict=True):
            low, high = _characters(data, example)
            start, end = (_Best(high - low + 1) for _ in range(2))
            for window, row_start, row_end in zip(
                job.windows, logits.start.cpu().numpy(), logits.end.cpu().numpy(), strict=True
            ):
                offsets = window.token_offsets + window.start
                start.add(offsets[:, 0], row_start)
                end.add(offsets[:, 1], row_end)
            at = example.paragraph
            mine = data.tokens[at.article].offsets[at.first : at.last] - low
            nulls = logits.null_start + logits.null_end
            cls = int(nulls.argmin()) if len(nulls) else 0
            none = [[float(logits.null_start[cls]), float(logits.null_end[cls])]]
            parts.append(
                np.concatenate(
                    [none, np.stack([start.values[mine[:, 0]], end.values[mine[:, 1]]], axis=1)]
                ).astype(np.float32)
            )
        if progress is not None:
            progress(first + len(examples), len(data))
    return parts


class _Best:
    """The best logit seen for each character of a text."""

    def __init__(self, characters: int) -> None:
        self.values = np.full(characters, _NO_LOGIT, np.float32)

    def add(self, places: IntArray, logits: _Floats) -> None:
        np.maximum.at(self.values, places, logits[: len(places)])


def _characters(data: Examples, example: Example) -> tuple[int, int]:
    offsets = data.tokens[example.paragraph.article].offsets
    at = example.paragraph
    if at.first == at.last:
        return 0, 0
    return int(offsets[at.first, 0]), int(offsets[at.last - 1, 1])
