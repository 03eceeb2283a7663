"""The formats that can be read, one module each; the libraries load when a format is first met."""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

from docqa.ingest.document import Heading

SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".rst": "rst",
    ".pdf": "pdf",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".docm": "docx",
    ".dotx": "docx",
    ".dotm": "docx",
}


class Extracted(NamedTuple):
    """What a format's module makes of a file's bytes.

    Attributes:
        text: the whole text.
        page_starts: offset of each page's first character; empty where there are no pages.
        title: what the document calls itself.
        outline: its headings, in the order of the text.
        gaps: what of the file is not in the text, a sentence each.
        lines: where the text goes on in another line of the file: ``(offset, line)``, from 1;
            empty where the text is the file itself or has no lines.
    """

    text: str
    page_starts: tuple[int, ...] = ()
    title: str | None = None
    outline: tuple[Heading, ...] = ()
    gaps: tuple[str, ...] = ()
    lines: tuple[tuple[int, int], ...] = ()


def is_supported(path: str) -> bool:
    """Whether a path's suffix is one that is known."""
    return PurePath(path).suffix.lower() in SUFFIXES


def format_of(path: str) -> str:
    """The format that a path's suffix names; ``text`` for any other."""
    return SUFFIXES.get(PurePath(path).suffix.lower(), "text")


def extract(format: str, data: bytes) -> Extracted:
    """Take the text out of a file's bytes.

    Args:
        format: one of those in ``SUFFIXES``.
        data: the whole file.

    Raises:
        IngestError: there is a reason in plain words.
        Exception: whatever the format's library raises on a damaged or hostile file.
    """
    match format:
        case "pdf":
            from docqa.ingest.formats.pdf import extract_pdf

            return extract_pdf(data)
        case "html":
            from docqa.ingest.formats.html import extract_html

            return extract_html(data)
        case "docx":
            from docqa.ingest.formats.docx import extract_docx

            return extract_docx(data)
        case "markdown":
            from docqa.ingest.formats.markdown import extract_markdown

            return extract_markdown(data)
        case "rst":
            from docqa.ingest.formats.rst import extract_rst

            return extract_rst(data)
        case _:
            from docqa.ingest.formats.text import extract_text

            return extract_text(data)
