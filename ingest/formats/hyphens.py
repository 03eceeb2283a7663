"""Words that a line's end cuts: the hyphen that was put there for it becomes a soft one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

SOFT = "\u00ad"
_WORD = r"[^\W\d_]+"
# A hyphen or a soft hyphen at a line's end, and the rest of the word on the next.
_CUT = re.compile(rf"({_WORD})([-\u2010\u00ad])(\r?\n[ \t]*)({_WORD})")
# First parts of words that are written with a hyphen: "long-term", "self-employed".
_FIRST_PARTS = frozenset(
    (
        "all best better cross decision double ever first fixed four full half high hard ill large "
        "left long lower low machine medium multi non old open part poor quasi real right second "
        "self semi short single six small soft state third three two upper user well "
        "wide word world year"
    ).split()
)
_ENDINGS = re.compile(r"(?:e?d|ing|e?r|e?st|e?n|ness|ly|ened|ening|ity|ies|age|ment)s?\Z")
_WHOLE = re.compile(rf"{_WORD}(?:[-\u2010]{_WORD})*")


def soften(text: str) -> str:
    r"""Write a soft hyphen (U+00AD) where a line's end cuts a word; offsets stay.

    The hyphen stays where it belongs to the word: the text has the word with a hyphen elsewhere
    (``well-\nknown`` beside ``well-known``) and not without, or its parts are no halves of a word
    (``X-\nray``, ``non-\nEnglish``).
    """
    if not _CUT.search(text):
        return text
    words = set(_words(_CUT.sub(" ", text)))
    return _CUT.sub(lambda cut: _softened(cut, words), text)


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text, their parts, and each two parts that a hyphen joins."""
    for word in _WHOLE.findall(text.casefold()):
        yield word
        parts = re.split("[-\u2010]", word)
        if len(parts) > 1:
            yield from parts
            yield from ("-".join(pair) for pair in pairwise(parts))


def _softened(cut: re.Match[str], words: set[str]) -> str:
    head, hyphen, end, tail = cut.groups()
    is_compound = head.casefold() in _FIRST_PARTS and len(tail) > 3
    joined, hyphened = (head + tail).casefold(), f"{head}-{tail}".casefold()
    before = cut.string[cut.start() - 1 : cut.start()]
    is_one_case = tail.islower() or (tail.isupper() and head.isupper())
    if hyphen == SOFT or (joined in words and is_one_case):
        is_cut = True
    elif hyphened in words or not tail.islower() or len(head) < 2 or before in ("-", "\u2010"):
        is_cut = False
    else:
        # Both parts are words of their own, and long: "command-\nline".
        is_cut = not (is_compound and not _ENDINGS.fullmatch(tail)) and not (
            len(head) > 3 and len(tail) > 3 and head.casefold() in words and tail in words
        )
    return f"{head}{SOFT if is_cut else hyphen}{end}{tail}"
