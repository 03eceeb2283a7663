"""Bytes to text: marks first, then UTF-8, then a guess; what is not text is refused."""

from __future__ import annotations

import codecs

from ingest.errors import IngestError

# Longest marks first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The guess looks at this much of a file.
_SAMPLE = 256 * 1024
# More control characters than this among a text's characters, and it is not text.
_MOST_CONTROLS = 0.02
_CONTROLS = dict.fromkeys([*range(0x00, 0x09), *range(0x0E, 0x1B), 0x7F])


def decode(raw: bytes) -> str:
    """The text that bytes stand for, without its mark.

    UTF-8, UTF-16 and UTF-32 where they are marked, else UTF-8, else what charset-normalizer
    detects.

    Raises:
        IngestError: they are not text, or no encoding fits.
    """
    text = marked(raw)
    if text is None:
        if b"\0" in raw:
            raise IngestError("binary, not text (it holds NUL bytes)")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = _detected(raw)
    if len(text) - len(text.translate(_CONTROLS)) > _MOST_CONTROLS * len(text):
        raise IngestError("binary, not text (it is full of control characters)")
    if "\0" in text:
        raise IngestError("binary, not text (it holds NUL characters)")
    return text


def marked(raw: bytes) -> str | None:
    """The text if a byte-order mark says how to read it, else None.

    Raises:
        IngestError: the mark is there but the rest does not follow it.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return raw[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise IngestError(
                    f"marked as {encoding}, but byte {error.start + len(mark)} is not: damaged?"
                ) from error
    return None


def _detected(raw: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:_SAMPLE]).best()
    if best is None:
        raise IngestError("binary, or in an encoding that can't be told; convert it to UTF-8")
    try:
        return raw.decode(best.encoding)
    except UnicodeDecodeError as error:
        raise IngestError(
            f"it looks like {best.encoding}, but byte {error.start} is not; convert it to UTF-8"
        ) from error
