"""``docqa ask``, ``docqa read``, ``docqa search``."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from docqa.cli import last_answers
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
from docqa.cli.question_files import (
    STANDARD_INPUT,
    AnswerFile,
    AnswerFormat,
    BadLine,
    evidence_json,
    read_questions,
)
from docqa.cli.show import (
    NO_ANSWER,
    error,
    excerpt,
    linked,
    note,
    note_searched,
    print_answer,
    print_evidence,
    print_json,
    progress,
)
from docqa.errors import IngestError, QuestionError
from docqa.index.searched import Searched
from docqa.printable import short_path
from docqa.settings import DEFAULT_READER, AnswerSettings

if TYPE_CHECKING:
    from docqa.answer import Answer
    from docqa.ingest.document import Document
    from docqa.qa import DocQA, Result, Timings

# How many questions of a file are read together.
_BATCH = 32


@click.command()
@click.argument("question", required=False)
@click.option(
    "--questions",
    "questions_file",
    type=click.Path(),
    metavar="FILE",
    help="Ask the questions of a file: one a line, or .csv or .jsonl with question and id.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the answers to many questions here; what it holds already is not asked again.",
)
@click.option(
    "--format",
    "answer_format",
    type=click.Choice(["jsonl", "csv"]),
    help="Of the answers to many questions; csv holds the best of each. [default: by --out, "
    "else jsonl]",
)
@index_option
@within_options
@top_k_option
@click.option(
    "--evidence", is_flag=True, help="Show the sentences that answer, in place of the answers."
)
@click.option(
    "--sentences",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="The most sentences of --evidence.",
)
@candidates_option
@reader_option
@embedder_option
@device_option
@dtype_option
@answer_options()
@json_option
def ask(
    question: str | None,
    questions_file: str | None,
    out: str | None,
    answer_format: AnswerFormat | None,
    folder: str,
    within: tuple[str, ...],
    top_k: int,
    evidence: bool,
    sentences: int,
    candidates: int,
    reader: str | None,
    embedder: str | None,
    device: str,
    dtype: str,
    asked: dict[str, Any],
    as_json: bool,
) -> int:
    """Ask the indexed documents a question.

    Without a QUESTION, on a terminal, asks for one after the other and keeps the models loaded.
    With - for it, or with --questions, asks many and writes their answers as JSON lines or CSV.

    \b
    Example:
      docqa ask "Who may sign?" --top-k 1
      docqa ask "How is the lease ended early?" --evidence
      docqa ask --questions questions.csv --out answers.jsonl
    """
    from docqa.qa import DocQA

    if question == STANDARD_INPUT:
        question, questions_file = None, questions_file or STANDARD_INPUT
    _check_usage(question, questions_file)
    if question is None and questions_file is None and not sys.stdin.isatty():
        raise click.UsageError('give a question: docqa ask "Who may sign?"')
    settings = answer_settings(reader, asked)
    how = _How(top_k, sentences if evidence else 0, candidates, within)
    with DocQA(
        folder, reader=reader, embedder=embedder, device=device, dtype=dtype, settings=settings
    ) as qa:
        if questions_file is not None:
            return _answer_file(qa, questions_file, out, answer_format, how)
        qa.load()
        if question is not None:
            return 0 if _answer(qa, question, how, as_json) else 1
        _prompt(qa, how, as_json)
    return 0


@dataclass(frozen=True, slots=True)
class _How:
    """How questions are asked, as :meth:`docqa.DocQA.results` takes it."""

    top_k: int
    evidence: int
    candidates: int
    within: tuple[str, ...]

    def ask(self, qa: DocQA, questions: list[str]) -> tuple[list[Result], Timings]:
        return qa.results(questions, self.top_k, self.candidates, self.within, self.evidence)


def _check_usage(question: str | None, questions_file: str | None) -> None:
    """Say so where options were given that mean nothing together."""
    context = click.get_current_context()
    given = {
        name
        for name in ("out", "answer_format", "as_json")
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if questions_file is None:
        if given - {"as_json"}:
            raise click.UsageError("--out and --format have no meaning without --questions")
        return
    if question is not None:
        raise click.UsageError("give a QUESTION or --questions, not both")
    if "as_json" in given:
        raise click.UsageError("--json has no meaning with --questions: see --format")


def _answer_file(
    qa: DocQA,
    questions_file: str,
    out: str | None,
    answer_format: AnswerFormat | None,
    how: _How,
) -> int:
    """Answer the questions of a file, in batches; return the exit code."""
    questions, bad = read_questions(questions_file)
    least = Searched()
    with AnswerFile(out, answer_format) as answers, progress("asking") as tell:
        left = [question for question in questions if not answers.check(question)]
        known = len(questions) - len(left)
        if known:
            note(f"{known:,} of {len(questions):,} questions are answered in {out} already")
        if left:
            qa.load()
        for first in range(0, len(left), _BATCH):
            batch = []
            for question in left[first : first + _BATCH]:
                try:
                    qa.model.question_ids(question.text)
                    batch.append(question)
                except QuestionError as problem:
                    bad.append(BadLine(question.line, str(problem)))
            results, _ = how.ask(qa, [one.text for one in batch])
            for question, result in zip(batch, results, strict=True):
                answers.write(question, result)
                least = least if result.searched.is_whole else result.searched
            tell(known + min(first + _BATCH, len(left)), len(questions))
    for one in sorted(bad, key=lambda one: one.line):
        note(f"line {one.line}: {one.reason}")
    note_searched(least)
    return 1 if bad or not least.is_whole else 0


def _answer(qa: DocQA, question: str, how: _How, as_json: bool) -> bool:
    """Answer a question; return whether all documents were searched."""
    [result], timings = how.ask(qa, [question])
    last_answers.keep(result.evidence or result.answers)
    note_searched(result.searched)
    if not as_json:
        if result.windows_read == 0 and not how.within and result.searched.is_whole:
            click.echo("The index holds no documents yet: run docqa index PATH...")
        elif result.evidence:
            print_evidence(result.evidence)
        else:
            _print_answers(result.answers)
        if result.language_note is not None:
            note(result.language_note.text)
        return result.searched.is_whole
    print_json(
        {
            "question": question,
            "answers": [answer.to_dict() for answer in result.answers],
            **evidence_json(result),
            "windows_read": result.windows_read,
            "searched": str(result.searched),
            "language_note": result.language_note and result.language_note.to_dict(),
            "timings_ms": {
                "retrieve": round(1000 * timings.retrieve, 2),
                "read": round(1000 * timings.read, 2),
                "total": round(1000 * timings.total, 2),
            },
        }
    )
    return result.searched.is_whole


def _prompt(qa: DocQA, how: _How, as_json: bool) -> None:
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
            _answer(qa, question, how, as_json)
        except QuestionError as problem:
            error(str(problem))


def _print_answers(answers: list[Answer]) -> None:
    if not answers:
        click.echo(NO_ANSWER)
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

    from docqa.languages import language_note
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
    languages = language_note(
        question,
        [document.text],
        one.settings.languages,
        is_unsure=not answers or answers[0].doubtful,
    )
    if not as_json:
        _print_answers(answers)
        if languages is not None:
            note(languages.text)
        return
    done = time.perf_counter()
    print_json(
        {
            "question": question,
            "answers": [answer.to_dict() for answer in answers],
            "windows_read": windows_read,
            "language_note": languages and languages.to_dict(),
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
) -> int:
    """List the windows that retrieval finds for a question; nothing is read.

    \b
    Example:
      docqa search "notice period" -k 5
    """
    from docqa.qa import DocQA

    with DocQA(folder, embedder=embedder, device=device) as qa, qa.snapshot() as documents:
        hits = qa.search(question, k, within)
        searched = documents.searched
    note_searched(searched)
    code = 0 if searched.is_whole else 1
    if as_json:
        print_json(
            {
                "question": question,
                "hits": [hit.to_dict() for hit in hits],
                "searched": str(searched),
            }
        )
        return code
    for hit in hits:
        page = f", page {hit.page}" if hit.page is not None else ""
        click.echo(
            f"{hit.score:6.2f}  {linked(short_path(hit.document), hit.document, hit.page)}{page}, "
            f"characters {hit.start}-{hit.end}"
        )
        click.echo(click.style(f"        {excerpt(hit.text)}", dim=True))
    if not hits and within:
        click.echo("There is no text in these documents.")
    elif not hits and searched.is_whole:
        click.echo("The index holds no documents yet: run docqa index PATH...")
    return code


def answer_settings(reader: str | None, asked: dict[str, Any]) -> AnswerSettings | None:
    """Return the settings of ``--settings``, else the reader's own, with single ones replaced.

    None stands for the reader's own.
    """
    if not asked:
        return None
    values = dict(asked)
    if (file := values.pop("settings_file", None)) is not None:
        return replace(AnswerSettings.from_file(file), **values)
    from docqa.model.adapter import reader_folder

    return replace(AnswerSettings.of_reader(reader_folder(reader or DEFAULT_READER)), **values)
