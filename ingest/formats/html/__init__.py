"""HTML: the text that a reader of the page sees.

The page is never built as a tree: libxml2 cuts trees off silently at a depth of 256 (2,048 at
most), and tables of a few MB would not fit in a worker's memory. Its parser reports what it meets
and :class:`docqa.ingest.formats.layout.Layout` lays the text out. Nothing is fetched and no script
runs.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.html.charset import decode_page
from docqa.ingest.formats.html.lists import item_counts
from docqa.ingest.formats.html.page import Page
from docqa.ingest.formats.html.xhtml import is_xhtml, without_cdata, without_foreign_cdata

# A page of which less remains is a table of contents or the like.
_MOST_LEFT_OUT = 40


def extract_html(data: bytes) -> Extracted:
    """Take the visible text out of a page.

    Raises:
        IngestError: none in it, or in an unknown encoding.
    """
    decoded = decode_page(data)
    page = read_markup(decoded.text)
    text = page.layout.text()
    if not text:
        raise IngestError("holds no text that a reader would see")
    return Extracted(text, title=page.title, outline=tuple(page.layout.outline), gaps=decoded.gaps)


def read_markup(markup: str) -> Page:
    """Lay a page out; whole, if next to nothing remains without its navigation."""
    if "<![CDATA[" in markup:
        plain = without_cdata if is_xhtml(markup) else without_foreign_cdata
        markup = plain(markup)
    data = markup.encode("utf-8", "replace")
    counts = item_counts(data) if b"reversed" in data else ()
    page = Page(counts)
    _feed(page, data)
    if page.layout.length * _MOST_LEFT_OUT < page.left_out:
        whole = Page(counts, keep_furniture=True)
        _feed(whole, data)
        return whole
    return page


def read_marked_up(markup: str) -> Page:
    """Lay out a page that was made of other markup, with the lines of that."""
    data = markup.encode("utf-8", "replace")
    page = Page(item_counts(data) if b"reversed" in data else (), True, True)
    _feed(page, data)
    return page


def _feed(target: Any, data: bytes) -> None:
    # In UTF-8 whatever it came in, so that no declaration inside the page matters any more.
    parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True)
    if data and not data.isspace():
        parser.feed(data)
        parser.close()
