"""A reader's card: what it was made of, how, how good it is, and what it is bad at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import transformers

from docqa.evaluate.squad import Article
from docqa.evaluate.tune import Tuned
from docqa.training.checkpoint import Progress
from docqa.training.settings import TrainSettings

_WHAT = """\
fine-tuned to mark where in a text the answer to a question starts and ends.
Load it with `docqa ask --reader FOLDER`, or as any question-answering model of transformers."""
_LICENCE = """\
## Licence

That of the base and of the data, whichever asks for more; docqa's own part is Apache-2.0."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of questions: its name, its SHA-256 (hex), and how many questions it holds."""

    name: str
    sha256: str
    questions: int

    @classmethod
    def of(cls, path: str | Path, articles: Sequence[Article]) -> DataFile:
        """A file and the articles that were read from it."""
        file = Path(path)
        questions = sum(len(p.questions) for article in articles for p in article.paragraphs)
        return cls(file.name, hashlib.sha256(file.read_bytes()).hexdigest(), questions)


@dataclass(frozen=True, slots=True)
class Data:
    """The files of a run."""

    train: tuple[DataFile, ...]
    dev: DataFile


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
    called = _called(made.command)
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

`{settings.base}`, {_WHAT}
{called}{taught}
The best of {progress.steps:,} steps was number {progress.best_step:,}: on {asked:,} dev questions,
each asked of its own paragraph, exact match {progress.best_exact_match:.2f}, F1
{progress.best_f1:.2f}. {millions:.1f} million tokens were read in {minutes:.0f} minutes of steps
({_versions()}).

{_chosen(tuned, settings.answered)}

| file | for | questions | SHA-256 begins |
|---|---|---|---|
{files}

| setting | value |
|---|---|
{rows}

The objective: the negative log likelihood of start and end, {softmax}.

{_bad_at(weakness)}

{_LICENCE}
"""


@dataclass(frozen=True, slots=True)
class Averaged:
    """Of which readers another is the mean, and how good it is.

    Attributes:
        parts: for each its name, its share, and the SHA-256 (hex) of its weights.
        dev: by which its settings were chosen, and how many questions of it were asked.
        exact_match, f1: of these, each of its own paragraph, in per cent.
        tuned, answered: the settings chosen for it, and the share that its null threshold leaves.
        command: that made it; empty where it was made from Python.
    """

    parts: tuple[tuple[str, float, str], ...]
    dev: DataFile
    asked: int
    exact_match: float
    f1: float
    tuned: Tuned
    answered: float
    command: str


def averaged_card(made: Averaged) -> str:
    """The text of ``README.md`` for a mean of readers."""
    parts = "\n".join(
        f"| `{name}` | {share:.4g} | `{sha256[:16]}` |" for name, share, sha256 in made.parts
    )
    return f"""\
# A reader for docqa

The mean of the weights of readers, {_WHAT}
{_called(made.command)}
| reader | share | SHA-256 of its weights begins |
|---|---|---|
{parts}

On {made.asked:,} questions of `{made.dev.name}` (its SHA-256 begins `{made.dev.sha256[:16]}`), each
asked of its own paragraph: exact match {made.exact_match:.2f}, F1 {made.f1:.2f}
({_versions()}).

{_chosen(made.tuned, made.answered)}

{_bad_at("- What the readers that it is the mean of are bad at: see their cards.")}

{_LICENCE}
"""


def _called(command: str) -> str:
    return f"\n```\n{command}\n```\n" if command else ""


def _versions() -> str:
    return f"torch {torch.__version__}, transformers {transformers.__version__}"


def _chosen(tuned: Tuned, answered: float) -> str:
    return f"""\
Asked of all dev articles at once, with ten windows read for each question: F1 {tuned.f1:.2f}, and
{tuned.pure_f1:.2f} with the pure maximum of all scores. The settings in `docqa.json` were chosen
there; at its null threshold {100 * answered:.4g}% of those questions get an answer."""


def _bad_at(more: str) -> str:
    return f"""\
## What it is bad at

- It only ever marks words of the text: no counting, no yes or no, no answer from two places.
{more}
- What languages and kinds of text the base and the data do not hold."""
