"""A reader's card: what it was made of, how, how good it is, and what it is bad at."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import torch
import transformers

from docqa.training.checkpoint import Progress
from docqa.training.settings import TrainSettings

if TYPE_CHECKING:
    from docqa.training.result import Data


def card(
    settings: TrainSettings, data: Data, progress: Progress, teacher: str | None, command: str
) -> str:
    """The text of ``README.md``."""
    files = "\n".join(
        f"| `{file.name}` | {role} | {file.questions:,} | `{file.sha256[:16]}` |"
        for role, group in (("train", data.train), ("dev", (data.dev,)))
        for file in group
    )
    asked = min(settings.dev_questions, data.dev.questions)
    millions, minutes = progress.tokens / 1e6, progress.seconds / 60
    values = asdict(settings)
    rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
    taught = f"\nTaught by `{teacher}`.\n" if teacher else ""
    called = f"\n```\n{command}\n```\n" if command else ""
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
