# ruff: noqa: RUF001 (signs are the point)
"""Spans that are no answer by their looks: an answer is more than a fragment.

Where the best span is one, the next best is taken, if it scores nearly as well. No score changes,
and all other spans keep their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from docqa.index.hit import Hit
from docqa.ranking.whole_words import whole_words

# Of a window's number and a span's first and last token: whether it is a fragment.
IsFragment = Callable[[int, int, int], bool]

# What a fragment's ranking value loses against the others' (in logits). A right answer may look
# like a fragment: then it is ahead of all others by more.
MARGIN = 3.0

_WORD = re.compile(r"\w+")
_LITTLE_WORDS = frozenset("a an and at by for from in is of on or the to was with".split())
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("«", "»"))
_LIST_SIGN = re.compile(r"\(?\w{1,3}[.)]\s")
_CLAUSE_NUMBER = re.compile(r"(?:§+ *)?(?:\d{1,3}(?:\.\d{1,3})*\.?|\([a-z\d]{1,4}\)|[a-z]\))", re.I)
_PAGE = re.compile(r"(?:page|seite|p\.) *\d+(?: *(?:of|von|/) *\d+)?|[-–—] *\d+ *[-–—]", re.I)
_PUNCTUATION = re.compile(r"[\s.,;:!?'\"()\[\]{}·•–—-]*")


def fragments_in(question: str, hits: Sequence[Hit]) -> IsFragment:
    """Return what tells the spans of these windows that are fragments.

    Args:
        question: that the windows were read for.
    """
    asked = _words(question)

    @cache
    def is_fragment(window: int, first: int, last: int) -> bool:
        text, offsets = hits[window].text, hits[window].window.token_offsets
        start, end = whole_words(text, int(offsets[first, 0]), int(offsets[last, 1]))
        return any(rule(text, start, end, asked) for unless, rule in _RULES if not unless & asked)

    return is_fragment


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _repeats_the_question(text: str, start: int, end: int, asked: frozenset[str]) -> bool:
    words = _words(text[start:end])
    return bool(words) and words <= asked | _LITTLE_WORDS


def _is_clause_number(text: str, start: int, end: int, asked: frozenset[str]) -> bool:
    """Tell whether it is the number in front of a line's words."""
    number = _CLAUSE_NUMBER.fullmatch(text, start, end)
    opens_line = text[text.rfind("\n", 0, start) + 1 : start].strip() == ""
    sign = text[end - 1 : end + 1]
    return bool(
        number
        and opens_line
        and re.compile(r"[.)]? +[^\W\d]").match(text, end)
        and ("." in text[start:end] or ")" in sign or "." in sign or "§" in text[start:end])
    )


def _is_page_number(text: str, start: int, end: int, asked: frozenset[str]) -> bool:
    return _PAGE.fullmatch(text, start, end) is not None


def _is_half_a_pair(text: str, start: int, end: int, asked: frozenset[str]) -> bool:
    answer = _LIST_SIGN.sub("", text[start:end], count=1)
    return any(answer.count(opening) != answer.count(closing) for opening, closing in _PAIRS)


def _is_punctuation(text: str, start: int, end: int, asked: frozenset[str]) -> bool:
    return _PUNCTUATION.fullmatch(text, start, end) is not None


_NUMBERS = frozenset("article chapter clause number paragraph part section step version".split())
_SIGNS = frozenset("char character characters operator sign signs symbol punctuation".split())
# A question with one of the words may be answered by what the rule is about.
_RULES = (
    (frozenset({"or"}), _repeats_the_question),
    (_NUMBERS, _is_clause_number),
    (frozenset({"page", "seite"}), _is_page_number),
    (_SIGNS, _is_half_a_pair),
    (_SIGNS, _is_punctuation),
)
