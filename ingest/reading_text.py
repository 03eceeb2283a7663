"""The text as it is read: words whole that a line's end cuts in the document."""

from __future__ import annotations


def reading_text(text: str) -> str:
    """Return a text with the words whole that a line's end cuts.

    A soft hyphen (U+00AD) says where a word may be cut, and a line end after it that it was.

    >>> reading_text("the observa\u00ad\\ntory")
    'the observatory'
    """
    return text.replace("\u00ad\n", "").replace("\u00ad", "")
