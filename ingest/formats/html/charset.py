"""The encoding of a page, by the WHATWG's Encoding Standard: a mark, then what it declares."""

from __future__ import annotations

import re

import webencodings

from docqa.ingest.formats.encoding import Decoded, decode_marked, decode_unmarked, decode_wide

# A page must declare its encoding within its first 1,024 bytes; some declare it a little later.
_DECLARED_WITHIN = 4096
_DECLARED = re.compile(
    rb"""<meta[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""",
    re.IGNORECASE,
)
# Python's codecs of these names lack characters that the standard's have.
_PYTHON = {
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
    # What could be read as ASCII so far can't be in these.
    "utf-16le": "utf-8",
    "utf-16be": "utf-8",
}
_MOST_WRONG = 0.01  # of the characters


def decode_page(data: bytes) -> Decoded:
    """Decode a page.

    Raises:
        IngestError: in no encoding that is known.
    """
    text = decode_marked(data)
    if text is not None:
        return Decoded(text)
    wide = decode_wide(data) if b"\0" in data else None
    if wide is not None:
        return Decoded(wide)
    return _decode_declared(data) or decode_unmarked(data)


def _decode_declared(data: bytes) -> Decoded | None:
    declared = _DECLARED.search(data, 0, _DECLARED_WITHIN)
    if declared is None:
        return None
    label = (declared[1] or declared[2]).decode("ascii", "replace")
    encoding = webencodings.lookup(label)
    if encoding is None:
        return None
    codec = _PYTHON.get(encoding.name, encoding.codec_info.name)
    try:
        return Decoded(data.decode(codec))
    except UnicodeError:
        text = data.decode(codec, "replace")
    wrong = text.count("\ufffd")
    if wrong > _MOST_WRONG * len(text):
        return None  # Not in it at all: find out instead.
    return Decoded(
        text,
        (f"{wrong:,} of its characters can't be read: it says that it is in {label}",),
    )
