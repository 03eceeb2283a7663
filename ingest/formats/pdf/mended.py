"""A PDF as pdfium reads it right: what it gets wrong in a page's contents is written otherwise."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n")
_MOST_PACKED = 8 << 20
_MOST_UNPACKED = 64 << 20
# An empty string at the end of an array of text, as groff and FOP write it: pdfium forgets the way
# that stands before it, and the next word is glued to the one before.
_FORGOTTEN = re.compile(rb"(?<!\\)(?:\(\)|<>)(?=\s*\]\s*TJ\b)")
_NO_CONTENT = re.compile(rb"/Image\b|/Length1\b|/Type1C\b|/CIDFontType0C\b|/XRef\b|/ObjStm\b")


def mended(data: bytes) -> bytes:
    """Return a PDF without empty strings at the ends of its arrays of text; as long as it was."""
    out: bytearray | None = None
    for opening in _STREAM.finditer(data):
        begin = opening.end()
        end = data.find(b"endstream", begin, begin + _MOST_PACKED)
        if end < 0:
            continue
        head = data[max(0, begin - 400) : begin]
        head = head[head.rfind(b"obj") + 3 :]
        if _NO_CONTENT.search(head):
            continue
        is_packed = b"/Fl" in head
        content = _unpacked(data[begin:end]) if is_packed else data[begin:end]
        better = _FORGOTTEN.sub(b"  ", content)
        if better == content:
            continue
        packed = zlib.compress(better, 9) if is_packed else better
        if len(packed) <= end - begin:
            out = bytearray(data) if out is None else out
            out[begin:end] = packed.ljust(end - begin)
    return data if out is None else bytes(out)


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, _MOST_UNPACKED)
    except zlib.error:
        return b""  # damaged, or locked
    return content if unpacker.eof else b""
