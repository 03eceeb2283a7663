"""Rich Text Format, through striprtf."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer

_TITLE = re.compile(rb"\{\\title\s+([^{}]*)\}")
_BAR = "\x02"
_EMPTY_LINES = re.compile(r"\n[ \t]*\n[ \t\n]*")


def extract_rtf(data: bytes) -> Extracted:
    """Take the text out of an RTF document.

    Raises:
        IngestError: not RTF, or nothing in it.
    """
    if not data.lstrip().startswith(b"{\\rtf"):
        raise IngestError("not RTF inside, or damaged")
    # RTF is ASCII; what is not is escaped, in the encodings that the file names.
    # striprtf ends each cell of a table with a bar, so the document's own bars step aside.
    text = rtf_to_text(data.decode("latin-1").replace("|", _BAR), errors="replace")
    text = text.replace("|\n", "\n").replace("|", "\t").replace(_BAR, "|")
    composer = Composer()
    for paragraph in _EMPTY_LINES.split(text):
        composer.paragraph(paragraph)
    title = _TITLE.search(data)
    return composer.extracted(_plain(title[1]) if title else None)


def _plain(rtf: bytes) -> str:
    return rtf_to_text("{\\rtf1\\ansi " + rtf.decode("latin-1") + "}", errors="replace")
