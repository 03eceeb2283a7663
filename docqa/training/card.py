"""A reader's card: what it was made of, how, how good it is, and what it is bad at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import transformers

from docqa.evaluate.evaluation import SetScores
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
        """Return the description of a file and of the articles that were read from it."""
        file = Path(path)
        questions = sum(len(p.questions) for article in articles for p in article.paragraphs)
        return cls(file.name, hashlib.sha256(file.read_bytes()).hexdigest(), questions)


@dataclass(frozen=True, slots=True)
class Data:
    """The files of a run."""

    train: tuple[DataFile, ...]
    dev: tuple[DataFile, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """How a reader was made.

    Attributes:
        tuned: the settings chosen for it.
        teacher: the model that it learned from too, if any.
        command: the command line; empty where it was made from Python.
    """

    settings: TrainSettings
    data: Data
    progress: Progress
    tuned: Tuned
    teacher: str | None
    command: str


def card(made: Made) -> str:
    """Return the text of ``README.md``."""
    settings, progress = made.settings, made.progress
    millions, minutes = progress.tokens / 1e6, progress.seconds / 60
    rows = "\n".join(f"| {name} | {value} |" for name, value in asdict(settings).items())
    taught = f"\nTaught by `{made.teacher}`.\n" if made.teacher else ""
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
{_called(made.command)}{taught}
The best of {progress.steps:,} steps was number {progress.best_step:,}. {millions:.1f} million
tokens were read in {minutes:.0f} minutes of steps ({_versions()}).

{_scores([SetScores(*scores) for scores in progress.best_sets], made.tuned)}

{_files([*(("train", file) for file in made.data.train), *(("dev", f) for f in made.data.dev)])}

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
        dev: the files by which its settings were chosen.
        scores: for each of them, each question asked of its own paragraph.
        tuned: the settings chosen for it.
        command: the command line; empty where it was made from Python.
    """

    parts: tuple[tuple[str, float, str], ...]
    dev: tuple[DataFile, ...]
    scores: tuple[SetScores, ...]
    tuned: Tuned
    command: str


def averaged_card(made: Averaged) -> str:
    """Return the text of ``README.md`` for a mean of readers."""
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

({_versions()})

{_scores(made.scores, made.tuned)}

{_files([("dev", file) for file in made.dev])}

{_bad_at("- What the readers that it is the mean of are bad at: see their cards.")}

{_LICENCE}
"""


def _called(command: str) -> str:
    return f"\n```\n{command}\n```\n" if command else ""


def _versions() -> str:
    return f"torch {torch.__version__}, transformers {transformers.__version__}"


def _scores(scores: Sequence[SetScores], tuned: Tuned) -> str:
    """Return a table of each dev file's scores, in context and over whole articles."""
    rows = []
    for alone, over_all in zip(scores, tuned.sets, strict=True):
        recognised = over_all.recognised
        rows.append(
            f"| `{alone.name}` | {alone.questions:,} | {alone.exact_match:.2f} | {alone.f1:.2f} "
            f"| {over_all.exact_match:.2f} | {over_all.f1:.2f} | {over_all.refused:.1%} "
            f"| {'' if recognised is None else f'{recognised:.1%}'} |"
        )
    table = "\n".join(rows)
    return f"""\
| dev questions of | answerable | EM | F1 | EM over all articles | F1 | wrongly refused | rightly |
|---|---|---|---|---|---|---|---|
{table}

EM and F1: each answerable question asked of its own paragraph. Over all articles: each of them
asked of all articles of its file, ten windows read for each, no answer held back. Over the
questions of all files, F1 is {tuned.pure_f1:.2f} there with the pure maximum of all scores, and
{tuned.f1:.2f} with the settings in `docqa.json`, which were chosen by it. Refused: the share of
the answerable and of the unanswerable questions that get no answer at the null threshold."""


def _files(files: Sequence[tuple[str, DataFile]]) -> str:
    rows = "\n".join(
        f"| `{file.name}` | {role} | {file.questions:,} | `{file.sha256[:16]}` |"
        for role, file in files
    )
    return f"""\
| file | for | questions | SHA-256 begins |
|---|---|---|---|
{rows}"""


def _bad_at(more: str) -> str:
    return f"""\
## What it is bad at

- It only ever marks words of the text: no counting, no yes or no, no answer from two places.
{more}
- What languages and kinds of text the base and the data do not hold."""
