"""``docqa quote`` and ``docqa mcp``: for whoever writes about the documents, people and agents."""

from __future__ import annotations

from pathlib import Path

import click

from docqa.cli.options import (
    device_option,
    dtype_option,
    embedder_option,
    index_option,
    json_option,
    reader_option,
)
from docqa.cli.show import flowing, place_of, print_json, wrapped
from docqa.errors import DocQAError


@click.command()
@click.argument("sentence")
@index_option
@embedder_option
@device_option
@json_option
@click.pass_context
def quote(
    context: click.Context,
    sentence: str,
    folder: str,
    embedder: str | None,
    device: str,
    as_json: bool,
) -> None:
    """Say whether a sentence stands in the documents word for word, and where.

    If it does not, shows what comes nearest: [-only in the sentence-] {+only in the document+}.
    Exits with 1 then.

    \b
    Example:
      docqa quote "Only the managing director may sign."
    """
    from docqa.qa import DocQA

    with DocQA(folder, embedder=embedder, device=device) as qa:
        result = qa.check_quote(sentence)
    if as_json:
        print_json(result.to_dict())
    else:
        if not result.exact:
            near = "Nearest:" if result.places else "Nothing comes near it."
            click.echo(f"Not in the documents word for word. {near}")
        for found in result.places:
            for line in wrapped(flowing(found.difference or found.text)):
                click.echo(f"   {line}")
            click.echo(click.style(f"   {place_of(found)}", dim=True))
    context.exit(0 if result.exact else 1)


@click.command()
@index_option
@reader_option
@embedder_option
@device_option
@dtype_option
def mcp(folder: str, reader: str | None, embedder: str | None, device: str, dtype: str) -> None:
    """Serve the indexed documents to an agent, by the Model Context Protocol on stdin and stdout.

    \b
    Example:
      docqa mcp --index ./contracts/.docqa
    """
    from docqa.qa import DocQA

    try:
        from docqa.server.desk import OwnDesk
        from docqa.server.documents import Catalog
        from docqa.server.mcp import make_mcp
    except ModuleNotFoundError as problem:
        raise DocQAError(
            'docqa mcp needs the extra "mcp": pip install "PATH-TO-DOCQA[mcp]"'
        ) from problem
    with DocQA(folder, reader=reader, embedder=embedder, device=device, dtype=dtype) as qa:
        qa.load()
        make_mcp(OwnDesk(qa, Catalog(Path(folder), show_paths=True))).run("stdio")
