"""Bytes of a text file to str, character for character.

A byte-order mark decides; then UTF-8, which is hardly ever valid by accident; then what
charset-normalizer finds likely. What is not text, or in two encodings at once, is refused rather
than read as something it is not.
"""

from __future__ import annotations

import codecs
import re

from docqa.ingest.errors import IngestError

# UTF-32's little-endian mark begins with UTF-16's, so it comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Detection takes time in proportion to what it is shown.
_SAMPLE_BYTES = 256 * 1024
_SAMPLE_CHARS = 256 * 1024

# What files without a mark are really in. Left to choose among everything that Python can decode,
# charset-normalizer takes western text for hp_roman8, mac_latin2 or cp932.
_WESTERN = "cp1252"
_CANDIDATES = [
    _WESTERN,
    "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "iso8859_2", "iso8859_5", "iso8859_7", "koi8_r", "koi8_u", "cp874",
    "cp932", "euc_jp", "iso2022_jp", "gb18030", "big5", "cp949", "euc_kr",
]  # fmt: skip

# How messy (of 1) charset-normalizer may find western text and it still be the likeliest.
_SLIGHT_CHAOS = 0.1

# Controls that a text doesn't need: all but tab, line ends, form feed, escape (terminal colours)
# and backspace (overstruck manual pages).
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MOST_CONTROLS = 0.02

_BINARY = "binary, not text"


def decode(data: bytes) -> str:
    """Decode a text file.

    Args:
        data: the whole file.

    Returns:
        Its characters, line ends as they are, without the byte-order mark.

    Raises:
        IngestError: not text, in no encoding that is known for sure enough, or nothing in it.
    """
    text = decode_marked(data)
    if text is None:
        if b"\0" in data:
            raise IngestError(_BINARY)
        text = decode_unmarked(data)
    if "\0" in text or _looks_binary(text[:_SAMPLE_CHARS]):
        raise IngestError(_BINARY)
    if not text or text.isspace():
        raise IngestError("holds no text")
    return text


def decode_marked(data: bytes) -> str | None:
    """Decode what begins with a byte-order mark; None where there is none.

    Raises:
        IngestError: the mark names an encoding that the bytes aren't in.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise IngestError(
                    f"marked as {encoding[:6].rstrip('-').upper()}, yet not valid at byte "
                    f"{error.start + len(mark):,}; it may be damaged or cut short"
                ) from error
    return None


def decode_unmarked(data: bytes) -> str:
    """Decode bytes that don't say what they are in.

    Raises:
        IngestError: two encodings at once, or none that is known.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        sample = _sample(data, error.start)
        if _mostly_utf8(sample):
            raise IngestError(
                f"in UTF-8, except for byte {error.start:,}: mixed encodings, or damaged; "
                "save it as UTF-8"
            ) from None
    encoding = _detect(sample)
    if encoding is None:
        raise IngestError("binary, or in an unknown encoding; if it is text, save it as UTF-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise IngestError(
            f"seems to be in {encoding}, yet is not valid at byte {error.start:,}; save it as UTF-8"
        ) from None


def _sample(data: bytes, around: int) -> bytes:
    """Some of the bytes about a place, cut at ends of lines where there are any.

    A cut inside a character of two bytes would make the right encoding impossible.
    """
    start = max(0, around - _SAMPLE_BYTES // 2)
    end = min(len(data), start + _SAMPLE_BYTES)
    if start > 0:
        start = max(start, data.find(b"\n", start, around) + 1)
    if end < len(data):
        line_end = data.rfind(b"\n", around, end)
        end = line_end if line_end != -1 else end
    return data[start:end]


def _mostly_utf8(sample: bytes) -> bool:
    """Whether more characters beyond ASCII are valid UTF-8 than not."""
    text = sample.decode("utf-8", "replace")
    invalid = text.count("\ufffd")
    valid = sum(char > "\x7f" for char in text) - invalid
    return valid > invalid


def _detect(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    # In text with few letters beyond ASCII hardly anything speaks for one encoding or another;
    # then the commonest is the likeliest. Scripts other than Latin have many.
    beyond_ascii = sum(byte > 0x7F for byte in sample)
    if beyond_ascii < len(sample) / 4:
        western = from_bytes(sample, cp_isolation=[_WESTERN]).best()
        if western is not None and western.chaos <= _SLIGHT_CHAOS:
            return _WESTERN
    best = from_bytes(sample, cp_isolation=_CANDIDATES).best()
    return None if best is None else best.encoding


def _looks_binary(text: str) -> bool:
    return len(_CONTROL.findall(text)) > _MOST_CONTROLS * len(text)
