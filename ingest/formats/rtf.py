"""Rich Text Format, through striprtf."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer

_TITLE = re.compile(rb"\{\\title\s+([^{}]*)\}")
_HEAD = "{\\rtf1\\ansi "
_BAR = "\x02"
_CELL_END = re.compile(r"\s*\|")
_NOTE = re.compile(r"\{\s*(?:\\\*)?\\footnote\b")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
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
    text, notes = _parted(data.decode("latin-1").replace("|", _BAR))
    composer = Composer()
    for part in (text, *notes):
        words = _CELL_END.sub("\t", rtf_to_text(part, errors="replace")).replace("\t\n", "\n")
        for paragraph in _EMPTY_LINES.split(words.replace(_BAR, "|")):
            composer.paragraph(paragraph)
    title = _TITLE.search(data)
    return composer.extracted(_plain(title[1]) if title else None)


def _parted(rtf: str) -> tuple[str, list[str]]:
    """Return a document without its notes, which striprtf leaves out, and the notes."""
    kept: list[str] = []
    notes: list[str] = []
    at = 0
    while (note := _NOTE.search(rtf, at)) is not None:
        kept.append(rtf[at : note.start()])
        depth = 1
        at = len(rtf)
        for brace in _BRACE.finditer(rtf, note.end()):
            depth += {"{": 1, "}": -1}.get(brace[0], 0)
            if depth == 0:
                at = brace.end()
                break
        notes.append(_HEAD + rtf[note.end() : at - 1] + "}")
    kept.append(rtf[at:])
    return "".join(kept), notes


def _plain(rtf: bytes) -> str:
    return str(rtf_to_text(_HEAD + rtf.decode("latin-1") + "}", errors="replace"))
