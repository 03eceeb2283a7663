"""Whole words: a reader's tokens may end inside one (``BASH_XTRACEFD``, ``1,250``, ``a@b.org``)."""

from __future__ import annotations

import re

# Letters, digits and underscores, save those of scripts that put no blanks between words (Thai,
# Lao, Burmese, Khmer, Chinese, Japanese) or join particles to them (Korean).
_LETTER = (
    r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff\U00020000-\U0003ffff]"
)
# A number keeps what groups its digits, and the address of a mailbox is one word.
_MAILBOX = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_WORD = re.compile(rf"{_MAILBOX}|{_LETTER}+(?:(?<=\d)[.,](?=\d){_LETTER}+)*")
# Signs that belong to the word they touch: of file names, options, sums and shares. Before them is
# a blank, a bracket or a quote.
_SIGNS_BEFORE = re.compile(
    r"(?:^|(?<=[\s\"'`(\[{<=|\u2018\u201c\u00ab]))(?!\.{3})[./\\~#@$€£¥+±-]{1,3}\Z"
)
_SIGNS_AFTER = re.compile(r"(?<=\d)[%‰°€$£¥](?!\w)|(?<=\w)(?:\+{1,2}|#)(?!\S)")
_MOST_SIGNS = 3
# Longer runs of letters are no words (keys, encoded data) and are left cut.
_LONGEST = 64


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """``[start, end)`` of a text, widened to where its first word begins and its last one ends.

    To a word belong the signs that it can't do without: ``$5``, ``50%``, ``--json``, ``.docqa``.
    """
    first = _word_around(text, start)
    last = _word_around(text, end)
    start, end = (first[0] if first else start), (last[1] if last else end)
    before = _SIGNS_BEFORE.search(text, max(start - _MOST_SIGNS, 0), start)
    after = _SIGNS_AFTER.match(text, end)
    return (before.start() if before else start), (after.end() if after else end)


def _word_around(text: str, cut: int) -> tuple[int, int] | None:
    """The word that is cut in two at a place, if one is."""
    low = max(cut - _LONGEST, 0)
    for word in _WORD.finditer(text, low, min(cut + _LONGEST, len(text))):
        if word.start() >= cut:
            return None
        if word.end() > cut:
            whole = word.end() - word.start() < _LONGEST and (word.start() > low or low == 0)
            return word.span() if whole else None
    return None
