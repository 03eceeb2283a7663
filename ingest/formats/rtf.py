"""Rich Text Format, through striprtf."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.raised import lowered, raised

_TITLE = re.compile(rb"\{\\title\s+([^{}]*)\}")
_HEAD = "{\\rtf1\\ansi "
_BAR = "\x02"
_CELL_END = re.compile(r"\s*\|")
# Short text that is raised or lowered, in braces of its own or until that ends.
_RAISED = re.compile(
    r"(?P<before>[^\s{}\\;]{0,20})(?P<gap>[\s{}]{0,9}(?:\\[a-z]+\d*\s?){0,9}?)\\(?P<how>super|sub)\s?"
    r"(?P<text>[\w+\-*()]{1,6})(?=[}\\])"
)
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
    text, notes = _parted(_RAISED.sub(_moved, data.decode("latin-1").replace("|", _BAR)))
    composer = Composer()
    for part in (text, *notes):
        words = _CELL_END.sub("\t", rtf_to_text(part, errors="replace")).replace("\t\n", "\n")
        for paragraph in _EMPTY_LINES.split(words.replace(_BAR, "|")):
            composer.paragraph(paragraph)
    title = _TITLE.search(data)
    return composer.extracted(_plain(title[1]) if title else None)


def _moved(match: re.Match[str]) -> str:
    move = raised if match["how"] == "super" else lowered
    text = move(match["before"], match["text"])
    escaped = "".join(char if char.isascii() else f"\\u{ord(char)}?" for char in text)
    blank = " " if match["gap"][-1:].isalnum() else ""  # ends the control word before
    return f"{match['before']}{match['gap']}{blank}{escaped}"


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
