"""CSV and TSV: rows with their headers, as :mod:`rows` writes them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.encoding import decode
from docqa.ingest.formats.rows import write_tables

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50


def extract_delimited(data: bytes) -> Extracted:
    """Read rows of cells between commas, semicolons, tabs or bars, whichever fits best.

    Raises:
        IngestError: not text, or nothing in it.
    """
    text, gaps = decode(data)
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))  # is of the whole process
    best = max(_DELIMITERS, key=lambda delimiter: _fitness(text, delimiter))
    composer = Composer(gaps)
    try:
        write_tables(csv.reader(io.StringIO(text, newline=""), delimiter=best), composer)
    except csv.Error as error:
        raise IngestError("not rows of cells: damaged, or another kind of file") from error
    return composer.extracted()


def _fitness(text: str, delimiter: str) -> tuple[float, int]:
    """Return the share of rows with the commonest number of cells, and that number."""
    try:
        rows = islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _SAMPLE_ROWS)
        widths = Counter(len(row) for row in rows if row)
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    return (count / widths.total(), width) if width > 1 else (0.0, 1)
