"""Hebrew, Arabic and their like: from the order on the page to the order in which they are read.

A short inverse of the Unicode Bidirectional Algorithm (UAX #9): enough for lines of text with
numbers and with words of other scripts in them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

_Item = TypeVar("_Item")

_LETTER = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_RIGHT, _LEFT, _DIGIT, _OTHER = "R", "L", "N", " "
_KINDS = {"R": _RIGHT, "AL": _RIGHT, "L": _LEFT, "EN": _DIGIT, "AN": _DIGIT}
_IN_NUMBERS = frozenset(".,:/+-\u2212%")


def has_letters(text: str) -> bool:
    """Tell whether there may be letters in a text that are read from right to left."""
    return not text.isascii() and _LETTER.search(text) is not None


def is_mostly(text: str) -> bool:
    """Tell whether most letters of a text are read from right to left."""
    if not has_letters(text):
        return False
    kinds = [_kind(char) for char in text]
    return kinds.count(_RIGHT) >= kinds.count(_LEFT)


def in_reading_order(items: Sequence[_Item], text_of: Callable[[_Item], str]) -> list[_Item]:
    """Return what stands on a line from left to right in the order in which it is read."""
    kinds = [_kind(text_of(item)[:1]) for item in items]
    if kinds.count(_RIGHT) >= kinds.count(_LEFT):
        return _from_right(items, kinds, text_of)
    out: list[_Item] = []
    at = 0
    while at < len(items):
        end = _run_end(kinds, at) if kinds[at] == _RIGHT else at
        if end > at:
            out += _from_right(items[at:end], kinds[at:end], text_of)
            at = end
        else:
            out.append(items[at])
            at += 1
    return out


def _run_end(kinds: Sequence[str], start: int) -> int:
    """Return where a run that is read from right to left ends, with what is between its letters."""
    end = start
    for at in range(start, len(kinds)):
        if kinds[at] == _LEFT:
            break
        if kinds[at] == _RIGHT:
            end = at + 1
    return end


def _from_right(
    items: Sequence[_Item], kinds: Sequence[str], text_of: Callable[[_Item], str]
) -> list[_Item]:
    """Reverse items, but for numbers and for words that are read from left to right."""
    out: list[_Item] = []
    at = len(items)
    while at > 0:
        start = _left_start(items, kinds, at, text_of)
        out += items[start:at]
        at = start
    return out


def _left_start(
    items: Sequence[_Item], kinds: Sequence[str], end: int, text_of: Callable[[_Item], str]
) -> int:
    """Return the start of what is read from left to right before a place; one item at least."""
    start = at = end - 1
    if kinds[at] not in (_LEFT, _DIGIT):
        return start
    has_words = kinds[at] == _LEFT
    while at > 0:
        at -= 1
        kind = kinds[at]
        if kind == _RIGHT:
            break
        if kind == _OTHER:
            joins = start - at == 1 and text_of(items[at]) in _IN_NUMBERS
            if not has_words and not joins and _LEFT not in _before(kinds, at):
                break
            continue
        has_words |= kind == _LEFT
        start = at
    return start


def _before(kinds: Sequence[str], at: int) -> str:
    """Return the kind of the nearest letter or number before a place."""
    return next((kind for kind in reversed(kinds[:at]) if kind != _OTHER), _RIGHT)


@lru_cache(maxsize=10_000)
def _kind(char: str) -> str:
    return _KINDS.get(unicodedata.bidirectional(char), _OTHER) if char else _OTHER
