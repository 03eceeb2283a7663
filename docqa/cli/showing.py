"""``docqa open``, ``docqa highlight``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from docqa.cli.last_answers import last_answer
from docqa.cli.options import (
    candidates_option,
    device_option,
    dtype_option,
    embedder_option,
    index_option,
    json_option,
    reader_option,
    within_options,
)
from docqa.cli.show import NO_ANSWER, linked, note, print_json
from docqa.cli.viewer import address, view
from docqa.errors import IngestError
from docqa.index.files import replaced
from docqa.printable import printable, short_path


@click.command("open")
@click.argument("rank", type=click.IntRange(min=1), default=1, metavar="[N]")
@click.option("--print", "only_print", is_flag=True, help="Print its address, and open nothing.")
def open_(rank: int, only_print: bool) -> None:
    """Open the document of answer N of the last question, at its page.

    A browser shows a PDF at the answer's page; other documents are opened in the system's viewer.

    \b
    Example:
      docqa open 2
    """
    answer = last_answer(rank)
    if only_print:
        click.echo(address(answer.document, answer.page))
        return
    view(answer.document, answer.page)
    line = f", line {answer.line}" if answer.line is not None else ""
    place = f", page {answer.page}" if answer.page is not None else line
    note(f"opened {short_path(answer.document)}{place}")


@click.command()
@click.argument("question")
@click.option("--out", required=True, type=click.Path(dir_okay=False), help="The PDF to write.")
@click.option(
    "--answer",
    "rank",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Which answer to mark.",
)
@index_option
@within_options
@candidates_option
@reader_option
@embedder_option
@device_option
@dtype_option
@json_option
def highlight(
    question: str,
    out: str,
    rank: int,
    folder: str,
    within: tuple[str, ...],
    candidates: int,
    reader: str | None,
    embedder: str | None,
    device: str,
    dtype: str,
    as_json: bool,
) -> int:
    """Write a copy of a PDF with the answer to a question marked in it.

    The mark is a highlight annotation, as a reader makes it with a pen: any viewer shows it, and it
    can be deleted there. The document itself stays as it is.

    \b
    Example:
      docqa highlight "Who may sign?" --out signed.pdf --in "*.pdf"
    """
    from docqa.ingest.places import highlighted
    from docqa.qa import DocQA

    with DocQA(folder, reader=reader, embedder=embedder, device=device, dtype=dtype) as qa:
        answers = qa.ask(question, max(3, rank), candidates, within)
        if len(answers) < rank:
            click.echo(NO_ANSWER if not answers else f"There is no answer {rank}.")
            return 1
        answer = answers[rank - 1]
        name = short_path(answer.document)
        if os.path.realpath(out) == os.path.realpath(answer.document):
            raise click.UsageError(f"{out} is the document itself; give another --out")
        boxes = qa.boxes(answer)
        if not boxes:
            raise IngestError(
                f"the answer stands in {name}, where no place on a page is known; "
                'to look into PDFs alone, add --in "*.pdf"'
            )
        data = highlighted(answer.document, boxes, question)
    try:
        with replaced(Path(out)) as part:
            part.write_bytes(data)
    except OSError as error:
        raise click.FileError(out, error.strerror) from error
    if as_json:
        print_json({"question": question, "answer": answer.to_dict(), "out": os.path.abspath(out)})
        return 0
    marked = " ".join(answer.text.split())
    shown = linked(short_path(os.path.abspath(out)), os.path.abspath(out), answer.page)
    click.echo(f"{shown}: {printable(marked)} marked on page {answer.page} of {printable(name)}")
    return 0
