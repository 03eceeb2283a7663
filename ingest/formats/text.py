"""Plain text, Markdown and reStructuredText: the file itself, decoded, so that offsets hold in it.

Markup stays: to take it out would move every offset after it.
"""

from __future__ import annotations

from docqa.ingest.formats import Extracted
from docqa.ingest.formats.encoding import decode


def extract_text(data: bytes) -> Extracted:
    """Decode a text file; see :func:`docqa.ingest.formats.encoding.decode` for what is raised."""
    decoded = decode(data)
    return Extracted(decoded.text, gaps=decoded.gaps)
