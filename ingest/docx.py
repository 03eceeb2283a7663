"""Word documents to text, with python-docx."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from ingest.errors import IngestError


def docx_text(raw: bytes) -> str:
    """Paragraphs in the order of the document, each on a line, a table's cells between tabs.

    Raises:
        IngestError: it is not a Word document.
    """
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document = docx.Document(io.BytesIO(raw))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise IngestError(f"not a whole Word document ({error})") from error
    return "\n".join(_blocks(document))


def _blocks(container: Any) -> Iterator[str]:
    from docx.table import Table

    for block in container.iter_inner_content():
        if not isinstance(block, Table):
            yield block.text
            continue
        for row in block.rows:
            cells = {cell._tc: cell for cell in row.cells}  # a merged one is listed repeatedly
            yield "\t".join("\n".join(_blocks(cell)) for cell in cells.values())
