"""The text as it is read: words whole that a line's end cuts in the document."""

from __future__ import annotations

import re

# A soft hyphen, with the line end after it, and the next line's indent, where a word was cut there.
SOFT_HYPHEN = re.compile("\u00ad(?:\r?\n[ \\t]*)?")


def reading_text(text: str) -> str:
    """Return a text with the words whole that a line's end cuts.

    A soft hyphen (U+00AD) says where a word may be cut, and a line end after it that it was.

    >>> reading_text("the observa\u00ad\\ntory")
    'the observatory'
    """
    return SOFT_HYPHEN.sub("", text) if "\u00ad" in text else text
