"""A reader's card: what it was made of, how, how good it is, and what it is bad at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import transformers

from docqa.evaluate.squad import load_squad
from docqa.evaluate.tune import ANSWERED, Tuned
from docqa.training.checkpoint import Progress
from docqa.training.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of questions: its name, its SHA-256 (hex), and how many questions it holds."""

    name: str
    sha256: str
    questions: int

    @classmethod
    def of(cls, path: str | Path) -> DataFile:
        """Read a file for its hash and its questions."""
        file = Path(path)
        articles = load_squad(file)
        questions = sum(len(p.questions) for article in articles for p in article.paragraphs)
        return cls(file.name, hashlib.sha256(file.read_bytes()).hexdigest(), questions)


@dataclass(frozen=True, slots=True)
class Data:
    """The files of a run."""

    train: tuple[DataFile, ...]
    dev: DataFile

    @classmethod
    def of(cls, train: Sequence[str | Path], dev: str | Path) -> Data:
        return cls(tuple(map(DataFile.of, train)), DataFile.of(dev))


@dataclass(frozen=True, slots=True)
class Made:
    """How a reader was made.

    Attributes:
        tuned: the settings chosen for it.
        teacher: the model it learned from too, if any.
        command: that made it; empty where it was made from Python.
    """

    settings: TrainSettings
    data: Data
    progress: Progress
    tuned: Tuned
    teacher: str | None
    command: str


def card(made: Made) -> str:
    """The text of ``README.md``."""
    settings, data, progress, tuned = made.settings, made.data, made.progress, made.tuned
    files = "\n".join(
        f"| `{file.name}` | {role} | {file.questions:,} | `{file.sha256[:16]}` |"
        for role, group in (("train", data.train), ("dev", (data.dev,)))
        for file in group
    )
    asked = min(settings.dev_questions, data.dev.questions)
    millions, minutes = progress.tokens / 1e6, progress.seconds / 60
    values = asdict(settings)
    rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
    taught = f"\nTaught by `{made.teacher}`.\n" if made.teacher else ""
    called = f"\n```\n{made.command}\n```\n" if made.command else ""
    softmax = (
        "one softmax over all windows drawn for a question (shared normalisation)"
        if settings.normalize == "question"
        else "a softmax in each window: scores of different windows compare badly"
    )
    unanswerable = settings.normalize == "question" and settings.unanswerable > 0
    weakness = (
        "- It was shown questions without an answer on purpose; even so it may answer some."
        if unanswerable
        else "- It was shown no questions without an answer on purpose, and answers most of them."
    )
    return f"""\
# A reader for docqa

`{settings.base}`, fine-tuned to mark where in a text the answer to a question starts and ends.
Load it with `docqa ask --reader FOLDER`, or as any question-answering model of transformers.
{called}{taught}
The best of {progress.steps:,} steps was number {progress.best_step:,}: on {asked:,} dev questions,
each asked of its own paragraph, exact match {progress.best_exact_match:.2f}, F1
{progress.best_f1:.2f}. {millions:.1f} million tokens were read in {minutes:.0f} minutes of steps
(torch {torch.__version__}, transformers {transformers.__version__}).

Asked of all dev articles at once, with ten windows read for each question: F1 {tuned.f1:.2f}, and
{tuned.pure_f1:.2f} with the pure maximum of all scores. The settings in `docqa.json` were chosen
there; at its null threshold {ANSWERED:.0%} of those questions get an answer.

| file | for | questions | SHA-256 begins |
|---|---|---|---|
{files}

| setting | value |
|---|---|
{rows}

The objective: the negative log likelihood of start and end, {softmax}.

## What it is bad at

- It only ever marks words of the text: no counting, no yes or no, no answer from two places.
{weakness}
- What languages and kinds of text the base and the data above do not hold.

## Licence

That of the base and of the data above, whichever asks for more; docqa's own part is Apache-2.0.
"""
