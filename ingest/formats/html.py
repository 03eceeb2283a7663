"""HTML: the text that a reader of the page sees.

The page is never built as a tree: libxml2 cuts trees off silently at a depth of 256 (2,048 at
most), and tables of a few MB would not fit in a worker's memory. Its parser reports what it meets
and :class:`layout.Layout` lays the text out. Nothing is fetched and no script runs; links,
images and entities of the document's own are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.encoding import decode_marked, decode_unmarked
from docqa.ingest.formats.layout import Layout

_PARAGRAPHS = frozenset(
    (
        "article aside blockquote dl fieldset figure h1 h2 h3 h4 h5 h6 hr ol p pre section table "
        "ul "
    ).split()
)
_LINES = frozenset(
    (
        "address body br caption center dd details dir div dt figcaption footer form header "
        "hgroup legend li main menu nav option summary tbody tfoot thead "
    ).split()
)
_UNSEEN = frozenset(
    (
        "audio canvas datalist head iframe noframes noscript script style svg template title video "
    ).split()
)
_UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)

# Invisible unless a line breaks there, and fatal to finding the word.
_SOFT_HYPHEN = "\xad"

# A page must declare its encoding within its first 1,024 bytes; some declare it a little later.
_DECLARED_WITHIN = 4096
_DECLARED = re.compile(
    rb"""<meta[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""",
    re.IGNORECASE,
)
# Labels that mean another encoding than they say, as in the WHATWG's Encoding Standard.
_MEANT = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    # What could be read as ASCII so far can't be in these.
    "utf-16": "utf-8",
    "utf-16le": "utf-8",
    "utf-16be": "utf-8",
}


def extract_html(data: bytes) -> Extracted:
    """Take the visible text out of a page.

    Raises:
        IngestError: none in it, or in an unknown encoding.
    """
    page = _Page()
    target: Any = page  # the stubs ask for handlers that lxml can do without
    # In UTF-8 whatever it came in, so that no declaration inside the page matters any more.
    parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True)
    markup = _decode(data).encode("utf-8", "replace")
    if markup and not markup.isspace():
        parser.feed(markup)
        parser.close()
    text = page.layout.text()
    if not text:
        raise IngestError("holds no text that a reader would see")
    return Extracted(text)


def _decode(data: bytes) -> str:
    text = decode_marked(data)
    if text is None:
        text = _decode_declared(data)
    return decode_unmarked(data) if text is None else text


def _decode_declared(data: bytes) -> str | None:
    declared = _DECLARED.search(data, 0, _DECLARED_WITHIN)
    if declared is None:
        return None
    label = (declared[1] or declared[2]).decode("ascii", "replace").lower()
    try:
        return data.decode(_MEANT.get(label, label))
    except (LookupError, UnicodeError):  # No such encoding, or not in it: find out instead.
        return None


class _Page:
    """What lxml's parser reports to. Its methods' names are lxml's."""

    def __init__(self) -> None:
        self.layout = Layout()
        self._unseen = 0  # how many open elements, counted from the first that is not seen
        self._verbatim = 0

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        if self._unseen or tag in _UNSEEN or _is_hidden(attrib):
            self._unseen += 1
            return
        self._boundary(tag)
        if tag in ("td", "th"):
            self.layout.cell()
        elif tag == "pre":
            self._verbatim += 1

    def end(self, tag: str) -> None:
        if self._unseen:
            self._unseen -= 1
            return
        if tag == "pre":
            self._verbatim -= 1
        if tag != "br":
            self._boundary(tag)

    def data(self, data: str) -> None:
        if self._unseen:
            return
        data = data.replace(_SOFT_HYPHEN, "")
        if self._verbatim:
            self.layout.write_verbatim(data)
        else:
            self.layout.write(data)

    def comment(self, text: str) -> None:
        pass

    def pi(self, target: str, data: str | None = None) -> None:
        pass

    def close(self) -> None:
        pass

    def _boundary(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.layout.paragraph()
        elif tag in _LINES:
            self.layout.line()
        elif tag == "tr":
            self.layout.row()


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    return "hidden" in attributes or bool(_UNSEEN_STYLE.search(attributes.get("style", "")))
