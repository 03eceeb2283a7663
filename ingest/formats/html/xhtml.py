"""What XHTML has beyond HTML: sections of character data that are text."""

from __future__ import annotations

import re
from html import escape

_OPEN, _CLOSE = "<![CDATA[", "]]>"
_HEAD_CHARS = 4096
_SIGNS = ("http://www.w3.org/1999/xhtml", "//DTD XHTML ")
# What such sections are text in, in HTML too.
_FOREIGN = re.compile(r"<(svg|math)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)


def is_xhtml(markup: str) -> bool:
    """Return whether a page is XHTML; in HTML such sections are comments."""
    head = markup[:_HEAD_CHARS]
    return head.lstrip().startswith("<?xml") or any(sign in head for sign in _SIGNS)


def without_foreign_cdata(markup: str) -> str:
    """Return a page of HTML whose drawings and formulas have no such sections."""
    return _FOREIGN.sub(lambda found: without_cdata(found[0]), markup)


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
