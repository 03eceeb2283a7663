"""``docqa explain``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from docqa.cli.asking import answer_settings, load_file
from docqa.cli.indexing import window_settings
from docqa.cli.options import (
    answer_options,
    candidates_option,
    device_option,
    dtype_option,
    embedder_option,
    index_option,
    json_option,
    reader_option,
    window_options,
    within_options,
)
from docqa.cli.show import note, print_json, progress
from docqa.settings import DEFAULT_READER

if TYPE_CHECKING:
    from docqa.explain.explanation import Explanation

# Options that mean nothing where a file is read whole, and those that mean nothing elsewhere.
_INDEX_ONLY = ("folder", "candidates", "embedder", "prior_weight", "places", "documents")
_FILE_ONLY = ("window_size", "overlap")


@click.command()
@click.argument("question")
@click.argument("file", required=False, type=click.Path())
@click.option(
    "--expected", metavar="TEXT", help="The right answer: says what became of it, in one sentence."
)
@click.option(
    "--windows",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="How many windows to look at, best first.",
)
@click.option(
    "--top-k",
    "-k",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="The most answers, and the most spans of each window.",
)
@click.option(
    "--html", "html_file", type=click.Path(dir_okay=False), help="Write a page of HTML, too."
)
@index_option
@within_options
@candidates_option
@reader_option
@embedder_option
@device_option
@dtype_option
@answer_options(without=("stop_margin",))
@window_options(320, 96)
@json_option
@click.pass_context
def explain(
    context: click.Context,
    question: str,
    file: str | None,
    expected: str | None,
    windows: int,
    top_k: int,
    html_file: str | None,
    folder: str,
    within: tuple[str, ...],
    candidates: int,
    reader: str | None,
    embedder: str | None,
    device: str,
    dtype: str,
    asked: dict[str, Any],
    window_size: int | None,
    overlap: int | None,
    as_json: bool,
) -> None:
    """Explain an answer: what was read, and what each token of it scored.

    Explains what docqa ask --exhaustive answers; with a FILE, what docqa read answers. With the
    answer that would be right, says whether retrieval, the choice of the window or the cut of the
    span is to blame.

    \b
    Example:
      docqa explain "When does the lease end?" --expected "28 February 2027"
    """
    _refuse(context, _FILE_ONLY if file is None else _INDEX_ONLY, file)
    settings = answer_settings(reader, asked)
    if file is None:
        from docqa.qa import DocQA

        with DocQA(
            folder, reader=reader, embedder=embedder, device=device, dtype=dtype, settings=settings
        ) as qa:
            explanation = qa.explain(
                question,
                candidates=candidates,
                top_k=top_k,
                windows=windows,
                expected=expected,
                within=within,
            )
    else:
        from docqa.explain.explanation import explain as explain_reading
        from docqa.reader import READ_WINDOW, Reader

        document = load_file(file)
        one = Reader(reader or DEFAULT_READER, device=device, dtype=dtype, settings=settings)
        with progress("reading") as tell:
            window = window_settings(window_size, overlap, READ_WINDOW)
            [reading] = one.readings([(question, document)], window, tell)
        explanation = explain_reading(
            reading, one.settings, top_k=top_k, windows=windows, expected=expected
        )
    _print(explanation, as_json)
    if html_file is not None:
        from docqa.explain.html import write_html

        _write(write_html, explanation, html_file)


def _refuse(context: click.Context, names: tuple[str, ...], file: str | None) -> None:
    """Say so where an option was given that would change nothing."""
    for parameter in context.command.params:
        if parameter.name not in names:
            continue
        if context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            where = "without a FILE" if file is None else "with a FILE, which is read whole"
            raise click.UsageError(f"{parameter.opts[0]} has no meaning {where}")


def _print(explanation: Explanation, as_json: bool) -> None:
    if as_json:
        print_json(explanation.to_dict())
        return
    if explanation.windows_read == 0 and explanation.searched:
        click.echo("The index holds no documents yet: run docqa index PATH...")
        return
    import shutil

    from rich.console import Console

    from docqa.explain.terminal import show

    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    show(explanation, Console(width=width, highlight=False))


def _write(write: Callable[[Explanation, Path], None], explanation: Explanation, file: str) -> None:
    try:
        write(explanation, Path(file))
    except OSError as error:
        raise click.FileError(file, error.strerror) from error
    note(f"wrote {file}")
