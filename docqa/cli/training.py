"""``docqa train``, ``docqa average``, ``docqa tune``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import inf, isinf
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from docqa.cli.options import device_option, json_option
from docqa.cli.show import print_json, progress, stages
from docqa.training.settings import Normalize, TrainSettings

if TYPE_CHECKING:
    from docqa.evaluate.evaluation import SetScores
    from docqa.evaluate.tune import Tuned

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _setting(name: str, kind: Any, text: str) -> Callable[[_Command], _Command]:
    """An option for a setting of the same name, with the setting's default."""
    default = TrainSettings.__dataclass_fields__[name].default
    return click.option(
        f"--{name.replace('_', '-')}",
        name,
        type=kind,
        default=default,
        show_default=default is not None,
        help=text,
    )


_Share = click.FloatRange(0, 1)
_Positive = click.FloatRange(min=0, min_open=True)
_Count = click.IntRange(min=1)
_REFUSED = (
    "The greatest share of answerable dev questions that get no answer at the null threshold. "
    "[default: 0.03 where some have no answer, else 0.01]"
)


def _dev_option(purpose: str) -> Callable[[_Command], _Command]:
    return click.option(
        "--dev",
        required=True,
        multiple=True,
        type=click.Path(),
        help=f"Questions to choose {purpose} by; may be given several times.",
    )


@click.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(), metavar="TRAIN...")
@_dev_option("the weights")
@click.option("--out", required=True, type=click.Path(), help="The folder to write.")
@click.option("--resume", is_flag=True, help="Go on with the unfinished run in --out.")
@_setting("base", str, "The encoder to fine-tune: a folder, or a name on the hub.")
@_setting("epochs", _Positive, "How often every question is drawn.")
@_setting("batch_questions", _Count, "Questions in a step of the optimiser.")
@_setting("learning_rate", _Positive, "Its peak.")
@_setting("warmup", _Share, "The share of steps over which the rate rises.")
@_setting("weight_decay", click.FloatRange(min=0), "Of AdamW; not on biases and norms.")
@_setting("clip", _Positive, "The longest gradient.")
@_setting(
    "adapter_rank",
    click.IntRange(min=0),
    "Train a low-rank adapter of this rank on each matrix; 0 trains all weights.",
)
@_setting(
    "dropout",
    click.FloatRange(0, 1, max_open=True),
    "Of hidden states alone, in place of the base's own.",
)
@_setting(
    "ema_decay",
    click.FloatRange(0, 1, max_open=True),
    "What is kept is a moving average of weights, of which so much stays at each step.",
)
@_setting("window_size", click.IntRange(min=16), "The most tokens in a window.")
@_setting("overlap", click.IntRange(min=0), "Tokens that neighbouring windows share.")
@_setting(
    "normalize",
    click.Choice(get_args(Normalize)),
    "One softmax over all windows drawn for a question, or one in each window.",
)
@_setting(
    "negatives",
    click.FloatRange(min=0),
    "Windows without the answer beside the one with it; 0.5 is one for every other question.",
)
@_setting("headings", _Share, "The share of questions read with title and headings in front.")
@_setting("typed", _Share, "The share of questions spoilt as people type them: typos, keywords.")
@_setting("unanswerable", _Share, "The share of questions drawn with such windows only.")
@click.option("--teacher", metavar="MODEL", help="A model whose distributions are learned too.")
@click.option(
    "--teacher-file", type=click.Path(), help="Where the teacher's logits are kept and found."
)
@_setting("teacher_weight", _Share, "What the teacher weighs against the annotators.")
@_setting("evaluations", _Count, "How often the dev score is taken in an epoch.")
@_setting("patience", _Count, "End after so many evaluations without a better one.")
@_setting("dev_questions", _Count, "The most questions of each dev file asked at an evaluation.")
@_setting("refused", _Share, _REFUSED)
@_setting("seed", int, "Of everything that is drawn.")
@device_option
@json_option
def train(
    data: tuple[str, ...],
    dev: tuple[str, ...],
    out: str,
    resume: bool,
    teacher: str | None,
    teacher_file: str | None,
    device: str,
    as_json: bool,
    **values: Any,
) -> None:
    """Fine-tune a reader on questions in SQuAD's format.

    The result is an ordinary Hugging Face folder with a card, a log and a picture of it. A run
    that was stopped goes on with --resume.

    \b
    Example:
      docqa train train-v1.1.json --dev dev-v1.1.json --out reader --epochs 2
    """
    from accelerate import PartialState

    from docqa.training.train import train as run

    with stages() as on_stage:
        report = run(
            data,
            dev,
            out,
            TrainSettings(**values),
            teacher=teacher,
            teacher_file=teacher_file,
            device=device,
            resume=resume,
            command=_called(),
            progress=on_stage,
        )
    if not PartialState().is_main_process:
        return
    assert report.tuned is not None
    if as_json:
        print_json(
            {
                "folder": str(report.folder),
                "steps": report.steps,
                "best_step": report.best_step,
                "exact_match": report.exact_match,
                "f1": report.f1,
                "sets": [asdict(one) for one in report.sets],
                "tuned": _tuned(report.tuned),
                "seconds": round(report.seconds, 1),
                "tokens": report.tokens,
            }
        )
        return
    click.echo(
        f"{report.folder}: exact match {report.exact_match:.2f}, F1 {report.f1:.2f} on dev, "
        f"after step {report.best_step:,} of {report.steps:,}"
    )
    _print_sets(report.sets, report.tuned)


@click.command()
@click.argument("readers", nargs=-1, required=True, metavar="READER[=SHARE]...")
@_dev_option("the settings")
@click.option("--out", required=True, type=click.Path(), help="The folder to write.")
@_setting("dev_questions", _Count, "The most questions of each dev file that are asked.")
@_setting("refused", _Share, _REFUSED)
@device_option
@json_option
def average(
    readers: tuple[str, ...],
    dev: tuple[str, ...],
    out: str,
    dev_questions: int,
    refused: float | None,
    device: str,
    as_json: bool,
) -> None:
    """Make one reader of several: the mean of their weights.

    They must be fine-tuned from the same base. The mean often reads better than each of them. A
    reader without a share counts 1. The settings that suit the mean are chosen on dev questions.

    \b
    Example:
      docqa average first=0.3 second=0.7 --dev dev-v1.1.json --out mean
    """
    from docqa.training.average import average as run

    shares = dict(_share(reader) for reader in readers)
    if len(readers) < 2 or len(shares) < len(readers):
        raise click.UsageError("a mean needs at least two readers, each given once")
    with stages() as on_stage:
        report = run(
            shares,
            dev,
            out,
            dev_questions=dev_questions,
            refused=refused,
            device=device,
            command=_called(),
            progress=on_stage,
        )
    if as_json:
        print_json(
            {
                "folder": str(report.folder),
                "exact_match": report.exact_match,
                "f1": report.f1,
                "sets": [asdict(one) for one in report.sets],
                "tuned": _tuned(report.tuned),
            }
        )
        return
    click.echo(f"{report.folder}: exact match {report.exact_match:.2f}, F1 {report.f1:.2f} on dev")
    _print_sets(report.sets, report.tuned)


@click.command()
@click.argument("reader")
@_dev_option("the settings")
@click.option(
    "--out",
    type=click.Path(),
    help="The file of settings to write. [default: docqa.json in the reader's folder]",
)
@_setting("dev_questions", _Count, "The most questions of each dev file that are asked.")
@_setting("refused", _Share, _REFUSED)
@device_option
@json_option
def tune(
    reader: str,
    dev: tuple[str, ...],
    out: str | None,
    dev_questions: int,
    refused: float | None,
    device: str,
    as_json: bool,
) -> None:
    """Choose the settings that suit a reader: ranking weights, null threshold, calibration.

    Each question is asked of all articles of its file. docqa takes the settings from the reader's
    folder by itself, and from another file with --settings.

    \b
    Example:
      docqa tune reader --dev contracts.json --dev manuals.json --out contracts-settings.json
    """
    from docqa.evaluate.tune import tune as run

    with progress("choosing settings") as on_progress:
        report = run(
            reader,
            dev,
            out,
            dev_questions=dev_questions,
            refused=refused,
            device=device,
            progress=on_progress,
        )
    if as_json:
        print_json({"file": str(report.file), "tuned": _tuned(report.tuned)})
        return
    click.echo(
        f"{report.file}: F1 {report.tuned.f1:.2f} over whole articles, "
        f"{report.tuned.pure_f1:.2f} with the pure maximum"
    )
    _print_sets((), report.tuned)


def _tuned(tuned: Tuned) -> dict[str, Any]:
    """Return chosen settings as JSON knows them: infinite numbers become None."""
    values = asdict(tuned)
    for name in ("null_threshold", "stop_margin"):
        if isinf(values["settings"][name]):
            values["settings"][name] = None
    return values


def _print_sets(scores: Sequence[SetScores], tuned: Tuned) -> None:
    """Print a line for each dev file."""
    for n, one in enumerate(tuned.sets):
        alone = f"F1 {scores[n].f1:.2f} in context, " if scores else ""
        line = (
            f"{one.name}: {alone}{one.f1:.2f} over whole articles; "
            f"{one.refused:.1%} of {one.answerable:,} answerable questions get no answer"
        )
        if one.recognised is not None:
            line += f", and {one.recognised:.1%} of {one.unanswerable:,} unanswerable ones"
        click.echo(line)


def _share(text: str) -> tuple[str, float]:
    """Return a reader and its share."""
    name, sign, share = text.rpartition("=")
    if not sign:
        return text, 1.0
    try:
        value = float(share)
    except ValueError:
        value = 0.0
    if not (name and 0 < value < inf):
        raise click.BadParameter(
            f"{text}: expected READER=SHARE with a number above 0", param_hint="READER"
        )
    return name, value


def _called() -> str:
    """Return the command line, for the card."""
    return shlex.join(["docqa", *sys.argv[1:]])
