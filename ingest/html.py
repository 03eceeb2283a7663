"""HTML to the text that a browser would show, with lxml and inscriptis."""

from __future__ import annotations

import re

from ingest.decode import decode, marked
from ingest.errors import IngestError

_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.I)
# A declaration stands near the top (the HTML standard: within the first 1,024 bytes).
_HEAD = 4096


def html_text(raw: bytes) -> str:
    """What is visible: no scripts, no styles, nothing hidden.

    Raises:
        IngestError: there is nothing to parse.
    """
    from inscriptis import Inscriptis, ParserConfig
    from lxml import etree, html

    # The text is decoded here, so that the parser has no say in it, and goes in as UTF-8.
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    try:
        tree = html.document_fromstring(_decoded(raw).encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise IngestError(f"no HTML to be found in it ({error})") from error
    return str(Inscriptis(tree, ParserConfig()).get_text())


def _decoded(raw: bytes) -> str:
    """By mark, then as declared, then as any text."""
    text = marked(raw)
    if text is not None:
        return text
    declared = _DECLARED.search(raw, 0, _HEAD)
    if declared:
        try:
            return raw.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass  # it says what it is not: look for ourselves
    return decode(raw)
