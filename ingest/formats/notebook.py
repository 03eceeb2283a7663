"""Jupyter notebooks: text, code and what it printed, cell by cell."""

from __future__ import annotations

import json

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted, extract
from docqa.ingest.formats.composer import Composer

_MOST_OUTPUT_CHARS = 20_000  # of a cell; what is longer is a log


def extract_notebook(data: bytes) -> Extracted:
    """Read a notebook's cells in their order; pictures are left out.

    Raises:
        IngestError: not a notebook, or nothing in it.
    """
    try:
        notebook = json.loads(data)
        cells = notebook.get("cells")
        if cells is None:  # as before version 4
            cells = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        composer = Composer()
        for cell in cells:
            _write(cell, composer)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IngestError("not a Jupyter notebook, or damaged") from error
    title = notebook.get("metadata", {}).get("title")
    return composer.extracted(title if isinstance(title, str) else None)


def _write(cell: dict[str, object], composer: Composer) -> None:
    source = _joined(cell.get("source", cell.get("input")))
    if cell["cell_type"] in ("markdown", "heading") and source.strip():
        composer.include(extract("markdown", source.encode("utf-8", "replace")))
        return
    composer.paragraph(source)
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        data = output.get("data", output)
        words = _joined(output.get("text") or data.get("text/plain"))
        composer.paragraph(words[:_MOST_OUTPUT_CHARS])


def _joined(text: object) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")
