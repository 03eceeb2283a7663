"""Plain text: the file itself, decoded, so that offsets hold in it, with words whole."""

from __future__ import annotations

import re

from docqa.ingest.formats import Extracted
from docqa.ingest.formats.encoding import Decoded, decode
from docqa.ingest.formats.hyphens import soften
from docqa.ingest.formats.ligatures import without_ligatures

# Longer files with markup are read as they stand: their parsers would take minutes.
MOST_CHARS = 4_000_000
_LINE_END = re.compile(r"\r\n|\r|\n")


def extract_text(data: bytes) -> Extracted:
    """Decode a text file; see :func:`docqa.ingest.formats.encoding.decode` for what is raised.

    Letters that are printed as one sign are written out: in a file that has such signs, offsets
    count the letters. The hyphen of a word that a line's end cuts becomes a soft one, see
    :func:`docqa.ingest.formats.hyphens.soften`.
    """
    decoded = decode(data)
    return Extracted(soften(without_ligatures(decoded.text)), gaps=decoded.gaps)


def with_markup(decoded: Decoded) -> Extracted:
    """Return a file of Markdown or reStructuredText as it stands, with its lines."""
    ends = (found.end() for found in _LINE_END.finditer(decoded.text))
    lines = tuple((start, number) for number, start in enumerate([0, *ends], 1))
    gap = f"over {MOST_CHARS:,} characters: read with its markup, as it stands in the file"
    return Extracted(decoded.text, gaps=(*decoded.gaps, gap), lines=lines)
