# ruff: noqa: RUF001 (signs are the point)
"""Whole words: a reader's tokens may end inside one (``BASH_XTRACEFD``, ``1,250``, ``a@b.org``)."""

from __future__ import annotations

import re
import unicodedata

from docqa.ranking.addresses import address_around

# Letters, digits and underscores, save those of scripts that put no blanks between words (Thai,
# Lao, Burmese, Khmer, Chinese, Japanese) or join particles to them (Korean).
_LETTER = (
    r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff\U00020000-\U0003ffff]"
)
# A number keeps what groups its digits; a name what joins its parts: O'Brien, AT&T.
_WORD = re.compile(
    rf"{_LETTER}+(?:(?:(?<=\d)[.,](?=\d)|(?<=\b[A-Z])['\u2019](?=[A-Z])|(?<=[A-Z])&(?=[A-Z]))"
    rf"{_LETTER}+)*"
)
# Stands for a combining mark where words are looked for: Python's \w leaves marks out.
_AS_LETTER = "x"
# Signs that belong to the word they touch: of file names, options, sums and shares. Before them is
# a blank, a bracket or a quote.
_SIGNS_BEFORE = re.compile(
    r"(?:^|(?<=[\s\"'`(\[{<=|\u2018\u201c\u00ab]))"
    r"(?:(?!\.{3})[./\\~#@$€£¥+±-]{1,3}|[A-Z]{1,3}\$)\Z"
)
_SIGNS_AFTER = re.compile(
    r"(?<=\d)(?:[ \u00a0\u202f]?(?:[%‰€](?!\w)|°[CF](?!\w))|[$£¥°](?!\w)"
    r"|(?:\((?:\d{1,3}|[a-z]|[ivx]{1,5})\))+)"
    r"|(?<=\w)(?:(?:\+{1,2}|#)(?!\S)|\((?:\d[a-z]?)?\)(?!\w))"
)
_MOST_SIGNS = 4
_PAIRS = {"(": ")", "[": "]", "{": "}", "“": "”", "«": "»", "„": "“", "‹": "›"}
_OPENERS = {closing: opening for opening, closing in _PAIRS.items() if opening != "„"}
# Joins letters of some scripts, and parts of pictures.
_JOINER = "\u200d"
# Writes the letter that follows under the one before: in Khmer and Burmese.
_STACKERS = frozenset("\u17d2\u1039")
_NON_JOINER = "\u200c"
# Counted among letters by Unicode, yet written onto the letter before them.
_LIKE_MARKS = frozenset("\u0e33\u0eb3")
_FLAGS = range(0x1F1E6, 0x1F200)
_SKIN = range(0x1F3FB, 0x1F400)
# Longer runs of letters are no words (keys, encoded data) and are left cut.
_LONGEST = 64
_MOST_ROUNDS = 4


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """``[start, end)`` of a text, widened to where its first word begins and its last one ends.

    To a word belong the marks on its letters, the signs that it can't do without (``$5``, ``50%``,
    ``--json``, ``.docqa``), the rest of an address that it is in, and the second of two brackets of
    which the first is inside.
    """
    for _ in range(_MOST_ROUNDS):
        wider = _widened(text, start, end)
        if wider == (start, end):
            break
        start, end = wider
    return start, end


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    start, end = _whole_letters(text, start, end)
    first = address_around(text, start) or _word_around(text, start)
    last = address_around(text, end) or _word_around(text, end)
    start, end = (first[0] if first else start), (last[1] if last else end)
    if start == end:
        return start, end
    before = _SIGNS_BEFORE.search(text, max(start - _MOST_SIGNS, 0), start)
    after = _SIGNS_AFTER.match(text, end)
    start, end = (before.start() if before else start), (after.end() if after else end)
    return _closed(text, start, end)


def _whole_letters(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen to whole letters: with their marks, and with what a joiner joins to them."""
    while 0 < start < len(text) and (_is_mark(text[start]) or _joins(text[start - 1])):
        start -= 1
    while 0 < end < len(text) and (_is_mark(text[end]) or _joins(text[end - 1])):
        end += 1
    return start - _halves_a_flag(text, start), end + _halves_a_flag(text, end)


def _joins(char: str) -> bool:
    return char == _JOINER or char in _STACKERS


def _halves_a_flag(text: str, cut: int) -> bool:
    """Return whether a place is between the two signs of a country's flag."""
    if not 0 < cut < len(text) or ord(text[cut]) not in _FLAGS:
        return False
    before = cut
    while before > 0 and ord(text[before - 1]) in _FLAGS:
        before -= 1
    return (cut - before) % 2 == 1


def _is_mark(char: str) -> bool:
    if char < "\u0300":
        return False
    return (
        unicodedata.category(char)[0] == "M"
        or char == _JOINER
        or char in _LIKE_MARKS
        or ord(char) in _SKIN
    )


def _closed(text: str, start: int, end: int) -> tuple[int, int]:
    """Take in a bracket or quote next to an answer that has its other half inside."""
    closing = text[end : end + 1]
    opening = _OPENERS.get(closing)
    if opening and text.count(opening, start, end) > text.count(closing, start, end):
        end += 1
    opening = text[start - 1 : start] if start > 0 else ""
    other = _PAIRS.get(opening)
    if other and text.count(other, start, end) > text.count(opening, start, end):
        start -= 1
    return start, end


def _word_around(text: str, cut: int) -> tuple[int, int] | None:
    """The word that is cut in two at a place, if one is."""
    low = max(cut - _LONGEST, 0)
    around = _marks_as_letters(text[low : cut + _LONGEST])
    for word in _WORD.finditer(around):
        if low + word.start() >= cut:
            return None
        if low + word.end() > cut:
            whole = word.end() - word.start() < _LONGEST and (word.start() > 0 or low == 0)
            return (low + word.start(), low + word.end()) if whole else None
    return None


def _marks_as_letters(text: str) -> str:
    """A text in which the marks on letters count as letters; the same length."""
    if text.isascii():
        return text
    chars = list(text)
    for at in range(1, len(chars)):
        is_part = _is_mark(text[at]) or text[at] == _NON_JOINER
        if is_part and re.match(_LETTER, chars[at - 1]):
            chars[at] = _AS_LETTER
    return "".join(chars)
