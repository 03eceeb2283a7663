"""Rich Text Format: the text that a reader of the printed page sees.

Paragraphs and tables in the order of the file, then notes, then heads and feet of pages, each once.
"""

from __future__ import annotations

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.margins import is_page_number
from docqa.ingest.formats.rtf.reader import Reader


def extract_rtf(data: bytes) -> Extracted:
    """Take the text out of an RTF document.

    Raises:
        IngestError: not RTF, or nothing in it.
    """
    if not data.lstrip().startswith(b"{\\rtf"):
        raise IngestError("not RTF inside, or damaged")
    reader = Reader()
    # RTF is ASCII; what is not is escaped, in the encodings that the file names.
    reader.read(data.decode("latin-1"))
    layout = reader.layout
    for note in reader.notes:
        if note:
            layout.embed(note, ())
    margins = dict.fromkeys(margin for margin in reader.margins if not is_page_number(margin))
    for margin in margins:
        layout.embed(margin, ())
    text = layout.text()
    if not text:
        raise IngestError("holds no text")
    return Extracted(text, title=reader.title, outline=tuple(layout.outline))
