"""Whether a PDF's streams unpack to more than is safe to hand to a library in native code."""

from __future__ import annotations

import base64
import re
import zlib

_STREAM = re.compile(rb"stream\r?\n")
_MOST_STREAM = 96 << 20
_MOST_ALL = 2 << 30
_STEP = 1 << 20
# A stream that was packed twice shows its size only when it is unpacked twice.
_TWICE = re.compile(rb"/Fl(?:ateDecode)?\b.{0,80}/(?:Fl(?:ateDecode)?|LZW(?:Decode)?)\b", re.DOTALL)


def unpacks_too_far(data: bytes) -> bool:
    """Tell whether a stream unpacks to more than any page needs, or all of them together do."""
    total = 0
    for opening in _STREAM.finditer(data):
        head = data[max(0, opening.start() - 400) : opening.start()]
        head = head[head.rfind(b"obj") + 3 :]
        if b"/Fl" not in head:
            continue
        if _TWICE.search(head):
            return True
        end = data.find(b"endstream", opening.end())
        packed = memoryview(data)[opening.end() : end if end >= 0 else len(data)]
        size = _unpacked_size(_from_ascii(packed) if b"85" in head or b"/AHx" in head else packed)
        total += size
        if size > _MOST_STREAM or total > _MOST_ALL:
            return True
    return False


def _from_ascii(packed: memoryview) -> bytes:
    try:
        return base64.a85decode(
            bytes(packed).strip().removesuffix(b"~>"), ignorechars=b" \t\n\r\v\0"
        )
    except ValueError:
        return b""


def _unpacked_size(packed: bytes | memoryview) -> int:
    unpacker = zlib.decompressobj()
    size = 0
    rest: bytes | memoryview = packed
    try:
        while rest and not unpacker.eof and size <= _MOST_STREAM:
            size += len(unpacker.decompress(rest, _STEP))
            rest = unpacker.unconsumed_tail
    except zlib.error:
        pass  # damaged or encrypted: what came before counts
    return size
