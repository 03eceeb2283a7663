"""``docqa ask``, ``docqa read``, ``docqa search``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

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
    top_k_option,
    window_options,
    within_options,
)
from docqa.cli.show import (
    error,
    excerpt,
    note,
    print_answer,
    print_json,
    progress,
)
from docqa.errors import IngestError, QuestionError
from docqa.printable import printable, short_path
from docqa.settings import DEFAULT_READER, AnswerSettings

if TYPE_CHECKING:
    from docqa.answer import Answer
    from docqa.ingest.document import Document
    from docqa.qa import DocQA

_NO_ANSWER = "The documents hold no answer to this, as far as the reader can tell."


@click.command()
@click.argument("question", required=False)
@index_option
@within_options
@top_k_option
@candidates_option
@reader_option
@embedder_option
@device_option
@dtype_option
@answer_options()
@json_option
def ask(
    question: str | None,
    folder: str,
    within: tuple[str, ...],
    top_k: int,
    candidates: int,
    reader: str | None,
    embedder: str | None,
    device: str,
    dtype: str,
    asked: dict[str, Any],
    as_json: bool,
) -> None:
    """Ask the indexed documents a question.

    Without a QUESTION, on a terminal, asks for one after the other and keeps the models loaded.

    \b
    Example:
      docqa ask "Who may sign?" --top-k 1
    """
    from docqa.qa import DocQA

    if question is None and not sys.stdin.isatty():
        raise click.UsageError('give a question: docqa ask "Who may sign?"')
    settings = answer_settings(reader, asked)
    with DocQA(
        folder, reader=reader, embedder=embedder, device=device, dtype=dtype, settings=settings
    ) as qa:
        qa.load()
        if question is not None:
            _answer(qa, question, top_k, candidates, within, as_json)
        else:
            _prompt(qa, top_k, candidates, within, as_json)


def _answer(
    qa: DocQA, question: str, top_k: int, candidates: int, within: tuple[str, ...], as_json: bool
) -> None:
    [result], timings = qa.results([question], top_k, candidates, within)
    if not as_json:
        if result.windows_read == 0 and not within:
            click.echo("The index holds no documents yet: run docqa index PATH...")
        else:
            _print_answers(result.answers)
        return
    print_json(
        {
            "question": question,
            "answers": [answer.to_dict() for answer in result.answers],
            "windows_read": result.windows_read,
            "timings_ms": {
                "retrieve": round(1000 * timings.retrieve, 2),
                "read": round(1000 * timings.read, 2),
                "total": round(1000 * timings.total, 2),
            },
        }
    )


def _prompt(qa: DocQA, top_k: int, candidates: int, within: tuple[str, ...], as_json: bool) -> None:
    """Questions until the end of input (Ctrl-D) or an empty line."""
    import contextlib

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (arrow keys and history for input())

    note("Ask a question; an empty line ends.")
    while True:
        try:
            question = input("? ").strip()
        except EOFError:
            click.echo()
            return
        if not question:
            return
        try:
            _answer(qa, question, top_k, candidates, within, as_json)
        except QuestionError as problem:
            error(str(problem))


def _print_answers(answers: list[Answer]) -> None:
    if not answers:
        click.echo(_NO_ANSWER)
    for rank, answer in enumerate(answers, 1):
        if rank > 1:
            click.echo()
        print_answer(rank, answer)


def load_file(file: str) -> Document:
    """A file's document, read in a process of its own, under the usual limits.

    Raises:
        IngestError: it can't be read.
    """
    from docqa.ingest.document import LoadLimits
    from docqa.ingest.workers.pool import LoaderPool

    with LoaderPool(LoadLimits(), workers=1) as pool:
        try:
            return pool.load_one(os.path.abspath(file))
        except IngestError as error:
            raise IngestError(f"{file}: {error}") from error


@click.command()
@click.argument("question")
@click.argument("file", type=click.Path())
@top_k_option
@reader_option
@device_option
@dtype_option
@answer_options(without=("prior_weight", "stop_margin"))
@window_options(320, 96)
@json_option
def read(
    question: str,
    file: str,
    top_k: int,
    reader: str | None,
    device: str,
    dtype: str,
    asked: dict[str, Any],
    window_size: int | None,
    overlap: int | None,
    as_json: bool,
) -> None:
    """Read one file whole for the answer to a question, without an index.

    \b
    Example:
      docqa read "When does the lease end?" lease.pdf
    """
    import time

    from docqa.reader import READ_WINDOW, Reader

    settings = answer_settings(reader, asked)
    began = time.perf_counter()
    document = load_file(file)
    loaded = time.perf_counter()
    one = Reader(reader or DEFAULT_READER, device=device, dtype=dtype, settings=settings)
    windows_read = 0
    with progress("reading") as tell:

        def told(done: int, total: int) -> None:
            nonlocal windows_read
            windows_read = done
            if tell is not None:
                tell(done, total)

        answers = one.read(
            question, document, top_k, window_settings(window_size, overlap, READ_WINDOW), told
        )
    if not as_json:
        _print_answers(answers)
        return
    done = time.perf_counter()
    print_json(
        {
            "question": question,
            "answers": [answer.to_dict() for answer in answers],
            "windows_read": windows_read,
            "timings_ms": {
                "load": round(1000 * (loaded - began), 2),
                "read": round(1000 * (done - loaded), 2),
                "total": round(1000 * (done - began), 2),
            },
        }
    )


@click.command()
@click.argument("question")
@index_option
@click.option(
    "--k",
    "-k",
    "k",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="How many windows.",
)
@within_options
@embedder_option
@device_option
@json_option
def search(
    question: str,
    folder: str,
    k: int,
    within: tuple[str, ...],
    embedder: str | None,
    device: str,
    as_json: bool,
) -> None:
    """List the windows that retrieval finds for a question; nothing is read.

    \b
    Example:
      docqa search "notice period" -k 5
    """
    from docqa.qa import DocQA

    with DocQA(folder, embedder=embedder, device=device) as qa:
        hits = qa.search(question, k, within)
    if as_json:
        print_json({"question": question, "hits": [hit.to_dict() for hit in hits]})
        return
    for hit in hits:
        page = f", page {hit.page}" if hit.page is not None else ""
        click.echo(
            f"{hit.score:6.2f}  {printable(short_path(hit.document))}{page}, "
            f"characters {hit.start}-{hit.end}"
        )
        click.echo(click.style(f"        {excerpt(hit.text)}", dim=True))
    if not hits and within:
        click.echo("There is no text in these documents.")
    elif not hits:
        click.echo("The index holds no documents yet: run docqa index PATH...")


def answer_settings(reader: str | None, asked: dict[str, Any]) -> AnswerSettings | None:
    """Return the settings of ``--settings``, else the reader's own, with single ones replaced.

    None stands for the reader's own.
    """
    if not asked:
        return None
    values = dict(asked)
    if (file := values.pop("settings_file", None)) is not None:
        return replace(AnswerSettings.from_file(file), **values)
    from docqa.index.models.folders import model_folder

    return replace(AnswerSettings.of_reader(model_folder(reader or DEFAULT_READER)), **values)
