"""Documents inside a Word document (altChunk): pages, mails of pages, text, other documents."""

from __future__ import annotations

import email
import email.policy
from pathlib import PurePosixPath

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted, extract

_FORMATS = {
    ".htm": "html",
    ".html": "html",
    ".xhtml": "html",
    ".txt": "text",
    ".docx": "docx",
    ".docm": "docx",
    ".dotx": "docx",
    ".dotm": "docx",
}
_MAILS = frozenset((".mht", ".mhtml", ".eml"))


def embedded(name: str, data: bytes) -> Extracted | None:
    """Return the text of an embedded document; None where its kind can't be read.

    A document that embeds another one, and so on, ends in ``RecursionError`` or before.
    """
    suffix = PurePosixPath(name).suffix.lower()
    try:
        if suffix in _MAILS:
            return _page_of(data)
        if suffix in _FORMATS:
            return extract(_FORMATS[suffix], data)
    except IngestError:
        return None
    return None


def _page_of(data: bytes) -> Extracted | None:
    message = email.message_from_bytes(data, policy=email.policy.default)
    for part in message.walk():
        if part.get_content_type() == "text/html":
            content = part.get_payload(decode=True)
            return extract("html", content) if isinstance(content, bytes) else None
    return None
