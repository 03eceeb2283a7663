"""What XHTML has beyond HTML: sections of character data that are text."""

from __future__ import annotations

from html import escape

_OPEN, _CLOSE = "<![CDATA[", "]]>"
_HEAD_CHARS = 1024


def is_xhtml(markup: str) -> bool:
    """Return whether a page is XHTML; in HTML such sections are comments."""
    head = markup[:_HEAD_CHARS]
    return head.lstrip().startswith("<?xml") or "http://www.w3.org/1999/xhtml" in head


def without_cdata(markup: str) -> str:
    """Return a page whose sections of character data are plain text."""
    pieces = []
    end = 0
    while (start := markup.find(_OPEN, end)) != -1:
        close = markup.find(_CLOSE, start)
        if close == -1:
            break
        pieces += [markup[end:start], escape(markup[start + len(_OPEN) : close], quote=False)]
        end = close + len(_CLOSE)
    return "".join([*pieces, markup[end:]])
