"""The stretch of a text that is nearest to a quote, with the difference marked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher

from docqa.quotes.comparable import CUT, Comparable

# A word with what joins its parts, a letter of a script without blanks, or any other sign.
_TOKEN = re.compile(
    "[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
    rf"|\w+(?:[{CUT}'.,-]\w+)*"
    r"|[^\w\s]"
)


@dataclass(frozen=True, slots=True)
class Nearest:
    """What of a text is nearest to a quote.

    Attributes:
        start, end: the place in the text's source.
        similarity: the share of words and signs that both have in the same order, from 0 to 1.
        difference: the quote with what differs marked, as ``wdiff`` marks it: ``[-only in the
            quote-]`` and ``{+only in the document+}``.
    """

    start: int
    end: int
    similarity: float
    difference: str


def find_nearest(quote: Comparable, text: Comparable) -> Nearest | None:
    """Return what of a text is nearest to a quote; None where they share no word."""
    wanted = _tokens(quote.text)
    known = frozenset(quote.text[start:end] for start, end in wanted)
    at = _tokens(text.text)
    words = [quote.text[start:end] for start, end in wanted]
    there = [_reading(text.text[start:end], known) for start, end in at]
    low, high = _region(words, there)
    matcher = SequenceMatcher(None, words, there[low:high], autojunk=False)
    blocks = _close_together([block for block in matcher.get_matching_blocks() if block.size])
    if not blocks:
        return None
    low, high = low + blocks[0].b, low + blocks[-1].b + blocks[-1].size
    # What the quote has before and after the words found, the document has in other words.
    low = max(0, low - blocks[0].a)
    high = min(len(there), high + len(words) - blocks[-1].a - blocks[-1].size)
    matcher = SequenceMatcher(None, words, there[low:high], autojunk=False)
    start, end = text.in_source(at[low][0], at[high - 1][1])
    return Nearest(start, end, matcher.ratio(), _marked(quote, wanted, text, at[low:high], matcher))


def _tokens(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in _TOKEN.finditer(text)]


def _reading(word: str, known: frozenset[str]) -> str:
    """Return a word of the document without the cut of a line's end, as the quote writes it."""
    if CUT not in word:
        return word
    hyphened = word.replace(CUT, "-")
    return hyphened if hyphened in known else word.replace(CUT, "")


def _region(words: Sequence[str], there: Sequence[str]) -> tuple[int, int]:
    """Return the stretch of ``there`` that is richest in the quote's words, with its sides."""
    size = len(words)
    missing = Counter(words)
    shared = best = first = 0
    for n, word in enumerate(there):
        shared += missing[word] > 0
        missing[word] -= 1
        if n >= size:
            gone = there[n - size]
            missing[gone] += 1
            shared -= missing[gone] > 0
        if shared > best:
            best, first = shared, max(0, n - size + 1)
    return max(0, first - size // 2), min(len(there), first + size + size // 2)


def _close_together(blocks: list[Match]) -> list[Match]:
    """Return the runs of common words without those at the ends that lie too far off to belong."""

    def far(end: Match, first: Match, second: Match) -> bool:
        gap = second.b - first.b - first.size
        return gap > end.size + second.a - first.a - first.size

    while len(blocks) > 1 and far(blocks[0], blocks[0], blocks[1]):
        del blocks[0]
    while len(blocks) > 1 and far(blocks[-1], blocks[-2], blocks[-1]):
        del blocks[-1]
    return blocks


def _marked(
    quote: Comparable,
    words: Sequence[tuple[int, int]],
    text: Comparable,
    there: Sequence[tuple[int, int]],
    matcher: SequenceMatcher[str],
) -> str:
    """Return the quote with what differs marked."""
    parts: list[str] = []
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        only_quote = _stretch(quote.text, words[a:a_end])
        only_text = _stretch(text.text, there[b:b_end]).replace(CUT, "")
        if kind == "equal":
            marked = only_quote
        else:
            marked = " ".join(
                [f"[-{only_quote}-]"] * (a < a_end) + [f"{{+{only_text}+}}"] * (b < b_end)
            )
        first = words[a][0] if a < a_end else there[b][0]
        before = quote.text if a < a_end else text.text
        if parts and before[first - 1 : first].isspace():
            parts.append(" ")
        parts.append(marked.replace(CUT, ""))
    return "".join(parts)


def _stretch(text: str, tokens: Sequence[tuple[int, int]]) -> str:
    return text[tokens[0][0] : tokens[-1][1]] if tokens else ""
