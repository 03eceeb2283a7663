"""``docqa eval reader`` and ``docqa eval open``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docqa.cli.asking import answer_settings
from docqa.cli.indexing import window_settings
from docqa.cli.options import (
    answer_options,
    candidates_option,
    device_option,
    dtype_option,
    embedder_option,
    json_option,
    reader_option,
    window_options,
)
from docqa.cli.show import print_json, progress
from docqa.settings import DEFAULT_READER

if TYPE_CHECKING:
    from docqa.evaluate.wrong_answers import WrongAnswers

_limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Ask only N questions, drawn at random but the same each time.",
)
_errors_option = click.option(
    "--errors",
    type=click.Path(dir_okay=False),
    help="Write every question answered wrongly to a file, with what went wrong.",
)


@click.group("eval")
def evaluate() -> None:
    """Measure answers on a data set in SQuAD's format.

    DATA is SQuAD v1.1 or v2.0 JSON, plain or gzipped. exact_match and f1 are in per cent, as
    SQuAD's own script computes them; other shares are from 0 to 1.
    """


@evaluate.command("reader")
@click.argument("data", type=click.Path())
@_limit_option
@reader_option
@device_option
@dtype_option
@answer_options(without=("prior_weight", "stop_margin"))
@window_options(320, 96)
@_errors_option
@json_option
def eval_reader(
    data: str,
    limit: int | None,
    reader: str | None,
    device: str,
    dtype: str,
    asked: dict[str, Any],
    window_size: int | None,
    overlap: int | None,
    errors: str | None,
    as_json: bool,
) -> None:
    """Ask each question of its own paragraph.

    \b
    Example:
      docqa eval reader dev-v1.1.json --limit 500
    """
    from docqa.evaluate.evaluation import evaluate_reader
    from docqa.evaluate.squad import load_squad
    from docqa.evaluate.wrong_answers import WrongAnswers
    from docqa.reader import READ_WINDOW, Reader

    articles = load_squad(data)
    settings = answer_settings(reader, asked)
    one = Reader(reader or DEFAULT_READER, device=device, dtype=dtype, settings=settings)
    with progress("asking") as on_progress:
        window = window_settings(window_size, overlap, READ_WINDOW)
        log = WrongAnswers() if errors else None
        scores = evaluate_reader(one, articles, limit, window, on_progress, log)
    _print(scores.summary(), log, errors, as_json)


@evaluate.command("open")
@click.argument("data", type=click.Path())
@_limit_option
@candidates_option
@reader_option
@embedder_option
@device_option
@dtype_option
@answer_options()
@window_options(240, 64)
@_errors_option
@json_option
def eval_open(
    data: str,
    limit: int | None,
    candidates: int,
    reader: str | None,
    embedder: str | None,
    device: str,
    dtype: str,
    asked: dict[str, Any],
    window_size: int | None,
    overlap: int | None,
    errors: str | None,
    as_json: bool,
) -> None:
    """Make each article one long document and ask every question of all of them.

    \b
    Example:
      docqa eval open dev-v1.1.json --candidates 10
    """
    from docqa.evaluate.evaluation import evaluate_open
    from docqa.evaluate.squad import load_squad
    from docqa.evaluate.wrong_answers import WrongAnswers
    from docqa.ingest.windows import WindowSettings
    from docqa.qa import DocQA

    articles = load_squad(data)
    settings = answer_settings(reader, asked)
    window = window_settings(window_size, overlap, WindowSettings())

    def make(folder: Path) -> DocQA:
        return DocQA(
            folder,
            reader=reader,
            embedder=embedder,
            window=window,
            device=device,
            dtype=dtype,
            settings=settings,
        )

    with progress("asking") as on_progress:
        log = WrongAnswers() if errors else None
        scores = evaluate_open(articles, make, candidates, limit, on_progress, log)
    _print(scores.summary(), log, errors, as_json)


def _print(
    summary: dict[str, Any], log: WrongAnswers | None, errors: str | None, as_json: bool
) -> None:
    if log is not None and errors is not None:
        log.write(Path(errors))
        summary |= {f"wrong_{case}": count for case, count in log.counts().items()}
    if as_json:
        print_json(summary)
        return
    for name, value in summary.items():
        click.echo(f"{name.replace('_', ' '):16} {value:,}")
