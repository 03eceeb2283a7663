"""Where sentences begin and end in a text as it comes out of files: lines, lists, rows, prose.

Prose is cut by sentencex, which knows abbreviations; here is what it can't see, that a row of a
table or an item of a list is no part of the line before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import sentencex

_BLANK_LINE = re.compile(r"\n[^\S\n]*(?=\n)")
# A bullet, a number of a list, a row's bar, a heading's sign.
_ITEM = re.compile(r"[^\S\n]*(?:[-*+\u2022\u2013\u25aa\u25cf\u25e6|#>]|\(?(?:\d{1,3}|[a-z])[.)])\s")
_CELLS = re.compile(r"\t|\s\|\s|\S\s{3,}\S")
# Lines of running text are about as long as the longest beside them; where all lines are shorter
# than the second number, none of them was broken for want of room.
_FULL_LINE, _SHORTEST_FULL_LINE = 0.65, 50


def sentence_bounds(text: str) -> list[tuple[int, int]]:
    """Return ``[start, end)`` of each sentence, without the white space around it.

    An item of a list, a row of a table, a heading and a line that is not full count as sentences.

    Example:
        >>> sentence_bounds("It ends. See Sec. 4.")
        [(0, 8), (9, 20)]
    """
    found = []
    for start, end in _blocks(text):
        # "1." is no sentence, nor is a bullet: they belong to the one that follows.
        item = _ITEM.match(text, start, end)
        low = high = item.end() if item and text[item.end() : end].strip() else start
        # A line end inside a block is only where the text was wrapped.
        for part in sentencex.segment("en", text[low:end].replace("\n", " ")):
            high += len(part)
            found.append((start, high))
            start = high
    return [
        bounds for bounds in (_stripped(text, *each) for each in found) if bounds[0] < bounds[1]
    ]


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of what a sentence never crosses the edge of."""
    paragraph = 0
    for end in [*(blank.start() for blank in _BLANK_LINE.finditer(text)), len(text)]:
        lines = _lines(text, paragraph, end)
        longest = max((high - low for low, high in lines), default=0)
        start = paragraph
        for (low, high), (following, after) in pairwise(lines):
            if (
                high - low < _FULL_LINE * longest
                or longest < _SHORTEST_FULL_LINE
                or _ITEM.match(text, following, after)
                or _CELLS.search(text, low, high)
                or _CELLS.search(text, following, after)
            ):
                yield start, following
                start = following
        yield start, end
        paragraph = end


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    lines = []
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop + 1
        lines.append((start, stop))
        start = stop
    return lines
