"""Bytes of a text file to str, character for character.

A byte-order mark decides; then UTF-8, which is hardly ever valid by accident; then what
chardet finds likely. What is not text, or in two encodings at once, is refused rather
than read as something it is not.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from contextlib import suppress
from typing import NamedTuple

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

# Encodings of which the detector makes about as much as of the likeliest, and that would give
# other characters, leave it open which is right.
_AS_LIKELY = 0.97
# Where the detector is sure of none, more of them are looked at.
_UNSURE = 0.2
_AS_LIKELY_THEN = 0.5
# English has no letters beyond ASCII: those of its names say little about the encoding.
_NO_LETTERS_BEYOND_ASCII = "en"
_ALIKE = ("cp1252", "cp1250", "cp1254", "cp1257")
# The encodings that files without a mark are really in, the commoner ones first.
_IN_USE = (
    "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 iso8859-1 iso8859-15 iso8859-2 "
    "iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-13 koi8-r koi8-u cp874 tis-620 "
    "cp932 shift_jis euc_jp iso2022_jp gb18030 gbk gb2312 big5 big5hkscs cp949 euc_kr johab"
).split()
_OLD = (
    "mac-roman mac-latin2 mac-cyrillic mac-greek mac-turkish cp850 cp852 cp437 cp866 cp855 cp857 "
    "cp775 cp858"
).split()
# Signs of a wrong guess: no letters, capitals or letters of another script inside words; controls.
_OTHER_SCRIPTS = r"\u0370-\u1cff\u1f00-\u1fff"
_ODD = re.compile(
    r"(?<=[^\W\d_])(?:[^\w\s\x00-\x7f\u00ad\u2010-\u2019]|[¹²³¼½¾ªº])(?=[^\W\d_])"
    rf"|[A-Za-z][{_OTHER_SCRIPTS}]|[{_OTHER_SCRIPTS}][A-Za-z]|[\x80-\x9f]"
    r"|(?<=[a-z\u00df-\u00ff])[\u00c0-\u00de](?=[a-z\W])"
)

# Japanese mail and old Japanese files: all ASCII, with escapes that say what follows.
_ISO_2022_JP = re.compile(rb"\x1b(?:\$[@B]|\(J)")

# Controls that a text doesn't need: all but tab, line ends, form feed, escape (terminal colours)
# and backspace (overstruck manual pages).
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MOST_CONTROLS = 0.02


# For UTF-16 without a mark: what no text has much of, and what every text has.
_NO_TEXT = frozenset(("Cn", "Co", "Cc", "Cs"))
_USUAL = re.compile('[ \\n.,:"<>\u3001\u3002\uff0c]')
_WIDE_SAMPLE = 4096
_MOST_ODD = 0.005
_LEAST_USUAL = 0.02


class Decoded(NamedTuple):
    """A decoded file.

    Attributes:
        text: its characters.
        gaps: what is doubtful about them, a sentence each.
    """

    text: str
    gaps: tuple[str, ...] = ()


_BINARY = "binary, not text"


def decode(data: bytes) -> Decoded:
    """Decode a text file, line ends as they are, without the byte-order mark.

    Raises:
        IngestError: not text, in no encoding that is known for sure enough, or nothing in it.
    """
    marked = decode_marked(data)
    if marked is None and b"\0" in data:
        marked = decode_wide(data)
        if marked is None:
            raise IngestError(_BINARY)
    decoded = decode_unmarked(data) if marked is None else Decoded(marked)
    text = decoded.text
    if "\0" in text or _looks_binary(text[:_SAMPLE_CHARS]):
        raise IngestError(_BINARY)
    if not text or text.isspace():
        raise IngestError("holds no text")
    return decoded


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


def decode_wide(data: bytes) -> str | None:
    """Decode UTF-16 without a mark, as some programs of Windows write it; None for anything else.

    Half of the pairs of bytes stand for nothing, or for signs that no text has side by side: what
    is hardly anything but letters, blanks and punctuation is text.
    """
    readings = []
    for encoding in ("utf-16-le", "utf-16-be"):
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            sample = text[:_WIDE_SAMPLE]
            odd = sum(unicodedata.category(char) in _NO_TEXT for char in sample)
            odd -= sum(map(sample.count, "\t\n\r\f"))
            usual = len(_USUAL.findall(sample))
            if odd <= _MOST_ODD * len(sample) and usual >= _LEAST_USUAL * len(sample):
                readings.append((usual, text))
    return max(readings)[1] if readings else None


def decode_unmarked(data: bytes) -> Decoded:
    """Decode bytes that don't say what they are in.

    Raises:
        IngestError: two encodings at once, or none that is known.
    """
    if _ISO_2022_JP.search(data) and data.isascii():
        with suppress(UnicodeDecodeError):
            return Decoded(data.decode("iso2022_jp_2"))
    try:
        return Decoded(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        sample = _sample(data, error.start)
        if _mostly_utf8(sample):
            raise IngestError(
                f"in UTF-8, except for byte {error.start:,}: mixed encodings, or damaged; "
                "save it as UTF-8"
            ) from None
    encoding, others = _detect(sample)
    if encoding is None and (wide := decode_wide(data)) is not None:
        return Decoded(wide)
    if encoding is None:
        raise IngestError("binary, or in an unknown encoding; if it is text, save it as UTF-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise IngestError(
            f"seems to be in {encoding}, yet is not valid at byte {error.start:,}; save it as UTF-8"
        ) from None
    if not others:
        return Decoded(text)
    return Decoded(
        text,
        (f"read as {encoding}, but it may be in {others[0]}; to be sure, save it as UTF-8",),
    )


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


def _detect(sample: bytes) -> tuple[str | None, list[str]]:
    """The likeliest encoding, and those that are about as likely and give other characters."""
    from chardet import detect_all

    found: dict[str, float] = {}  # how likely, by Python's names
    candidates = detect_all(sample)
    for candidate in candidates:
        with suppress(LookupError, TypeError):
            name = codecs.lookup(str(candidate["encoding"])).name
            if name in _IN_USE or name in _OLD:
                found.setdefault(name, float(candidate["confidence"]))
    best = max(found.values(), default=0.0)
    least = (_AS_LIKELY if best >= _UNSURE else _AS_LIKELY_THEN) * best
    likely = {name for name in found if found[name] >= least}
    readings: dict[str, str] = {}  # an encoding of each reading
    for name in sorted(likely, key=_preference):
        with suppress(UnicodeDecodeError):
            readings.setdefault(sample.decode(name), name)
    if not readings:
        return None, []
    texts = {name: text for text, name in readings.items()}
    oddities = {name: len(_ODD.findall(text)) for name, text in texts.items()}
    fewest = min(oddities.values())
    likeliest = max(
        (name for name, odd in oddities.items() if odd == fewest),
        key=lambda name: (found[name] * (_AS_LIKELY if name in _OLD else 1), -_preference(name)),
    )
    doubtful = _ALIKE if candidates[0]["language"] == _NO_LETTERS_BEYOND_ASCII else ()
    for name in doubtful:
        with suppress(UnicodeDecodeError):
            texts.setdefault(name, sample.decode(name))
    others = [
        name
        for name, text in texts.items()
        if (found.get(name, 0.0) >= _AS_LIKELY * best or name in doubtful)
        and len(_ODD.findall(text)) <= fewest
        and _other_letters(texts[likeliest], text)
    ]
    return likeliest, others


def _other_letters(text: str, other: str) -> bool:
    """Whether another reading of the same bytes has other letters."""
    if len(text) != len(other):
        return True
    return any(a != b and a.isalpha() for a, b in zip(text, other, strict=True))


def _preference(name: str) -> int:
    return _IN_USE.index(name) if name in _IN_USE else len(_IN_USE) + _OLD.index(name)


def _looks_binary(text: str) -> bool:
    return len(_CONTROL.findall(text)) > _MOST_CONTROLS * len(text)
