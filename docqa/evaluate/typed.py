"""Questions as people type them: with small typos, as keywords, in one case, with a stray quote.

The same question and the same random numbers give the same words.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from numpy.random import Generator

# In a word of fewer letters a typo makes another word.
_FEWEST_LETTERS = 3
# One word of so many has a typo, and one at least.
_WORDS_A_TYPO = 5
_WORD = re.compile(r"[^\W\d_]+")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# Words that people leave out when they type keywords: what asks, joins and helps, and the verbs
# that questions have where they only ask what something is.
_NO_KEYWORDS = frozenset(
    "a an the this that these those my your his her its our their i you he she it we they me "
    "us them who whom whose what which when where why how and or but if then than as of in on "
    "at to from for with by about into through during between per there here is are was were "
    "be been being am do does did done has have had having can could may might must shall "
    "should will would get gets got make makes made need needs use used uses called call mean "
    "means happen happens give given gives take takes taken become becomes say says said much "
    "many long often any some such so not no also only ever".split()
)


def swapped(question: str, random: Generator) -> str:
    """Return a question with neighbouring letters of some words swapped: "waht"."""

    def change(word: str, at: int) -> str:
        at = min(at + 1, len(word) - 2)  # from the second letter on
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return _with_typos(question, random, change)


def dropped(question: str, random: Generator) -> str:
    """Return a question with a letter of some words left out: "wht"."""
    return _with_typos(question, random, lambda word, at: word[: at + 1] + word[at + 2 :])


def doubled(question: str, random: Generator) -> str:
    """Return a question with a letter of some words typed twice: "whaat"."""
    return _with_typos(question, random, lambda word, at: word[: at + 1] + word[at:])


def neighbouring_key(question: str, random: Generator) -> str:
    """Return a question with a letter of some words taken for that of the next key: "whst"."""

    def change(word: str, at: int) -> str:
        keys = _neighbours(word[at + 1])
        key = keys[int(random.integers(len(keys)))] if keys else word[at + 1]
        return word[: at + 1] + key + word[at + 2 :]

    return _with_typos(question, random, change)


def keywords(question: str, _random: Generator) -> str:
    """Return a question's words without those that only ask, join and help: "postgresql port".

    Where nothing is left, return the question as it is.
    """
    words = [word.strip(".,;:!?\"'()") for word in question.split()]
    kept = [word for word in words if word and word.lower() not in _NO_KEYWORDS]
    return " ".join(kept) or question


def lower_case(question: str, _random: Generator) -> str:
    """Return a question in lower case."""
    return question.lower()


def upper_case(question: str, _random: Generator) -> str:
    """Return a question in upper case."""
    return question.upper()


def stray_quote(question: str, random: Generator) -> str:
    """Return a question with a quotation mark in front or behind."""
    mark = "\"'"[int(random.integers(2))]
    return mark + question if random.random() < 0.5 else question + mark


def no_question_mark(question: str, _random: Generator) -> str:
    """Return a question without the question mark at its end."""
    return question.rstrip("? ") or question


KINDS: dict[str, Callable[[str, Generator], str]] = {
    "swapped letters": swapped,
    "dropped letter": dropped,
    "doubled letter": doubled,
    "neighbouring key": neighbouring_key,
    "keywords": keywords,
    "lower case": lower_case,
    "upper case": upper_case,
    "stray quote": stray_quote,
    "no question mark": no_question_mark,
}


def as_typed(question: str, random: Generator) -> str:
    """Return a question spoilt in one way of :data:`KINDS`, or half of the time in two."""
    kinds = list(KINDS.values())
    for n in random.permutation(len(kinds))[: 1 + int(random.integers(2))].tolist():
        question = kinds[n](question, random)
    return question


def _with_typos(question: str, random: Generator, change: Callable[[str, int], str]) -> str:
    """Return a question with some of its words changed; a word's first letter stays.

    Args:
        change: makes the new word of a word and a place in it, at most the last but one.
    """
    words = [found for found in _WORD.finditer(question) if len(found[0]) >= _FEWEST_LETTERS]
    if not words:
        return question
    count = -(-len(words) // _WORDS_A_TYPO)
    for n in sorted(random.permutation(len(words))[:count].tolist(), reverse=True):
        found = words[n]
        at = int(random.integers(len(found[0]) - 1))
        question = question[: found.start()] + change(found[0], at) + question[found.end() :]
    return question


def _neighbours(letter: str) -> str:
    """Return the letters left and right of a letter's key, in its case."""
    for row in _KEYS:
        at = row.find(letter.lower())
        if at >= 0:
            found = row[max(at - 1, 0) : at] + row[at + 1 : at + 2]
            return found.upper() if letter.isupper() else found
    return ""
