"""The form in which a quote and a document are compared.

White space, quotation marks, dashes, ligatures and hyphens at the ends of lines are written in many
ways; two texts that differ in these alone say the same words. Letters, digits, capitals and all
other signs count.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

# Where a line's end may have cut a word: in the document "-" and a line end, or a soft hyphen.
CUT = "\u00ad"

_VARIANTS: tuple[tuple[str, str | Callable[[str], str]], ...] = (
    ("\u00ad\n?", CUT),
    (r"(?<=[^\W\d_])[-\u2010][^\S\n]*\n\s*(?=[^\W\d_])", CUT),
    (r"(?<=\w)[-\u2010][^\S\n]*\n\s*(?=\w)", "-"),
    ("[\u200b\u200c\u2060\ufeff]+", ""),
    (r" ?[^\S ]\s*|  +", " "),
    ("[\u2018\u2019\u201a\u201b\u2032`\u00b4]", "'"),
    ("[\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]", '"'),
    ("[\u2010-\u2015\u2212]", "-"),
    ("\u2026", "..."),
    (
        "[\ufb00-\ufb06]|[^\\W\\d_][\u0300-\u036f]+",
        lambda found: unicodedata.normalize("NFKC", found),
    ),
)
_VARIANT = re.compile("|".join(f"({pattern})" for pattern, _ in _VARIANTS))
_LETTER = re.compile(r"[^\W\d_]")
# From here on scripts may put no blanks between words.
_UNSPACED = "\u0e00"


@dataclass(frozen=True, slots=True)
class Comparable:
    """A text in the form for comparing, which knows where each part of it comes from.

    Attributes:
        text: the form for comparing.
        runs: ``(place in text, place in the source, whether copied)`` of each run of characters,
            and at the end the lengths of both.
    """

    text: str
    runs: list[tuple[int, int, bool]]

    @classmethod
    def of(cls, source: str) -> Comparable:
        """Return the form for comparing of a text."""
        parts: list[str] = []
        runs: list[tuple[int, int, bool]] = []
        length = done = 0

        def add(part: str, start: int, copied: bool) -> None:
            nonlocal length
            if part:
                parts.append(part)
                runs.append((length, start, copied))
                length += len(part)

        for found in _VARIANT.finditer(source):
            add(source[done : found.start()], done, True)
            form = _VARIANTS[(found.lastindex or 1) - 1][1]
            add(form if isinstance(form, str) else form(found[0]), found.start(), False)
            done = found.end()
        add(source[done:], done, True)
        runs.append((length, len(source), True))
        return cls("".join(parts), runs)

    def in_source(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the source of a non-empty ``text[start:end]``."""
        return self._first(start), self._past_last(end)

    def _first(self, at: int) -> int:
        place, source, copied = self.runs[self._run(at)]
        return source + at - place if copied else source

    def _past_last(self, end: int) -> int:
        number = self._run(end - 1)
        place, source, copied = self.runs[number]
        return source + end - place if copied else self.runs[number + 1][1]

    def _run(self, at: int) -> int:
        return bisect_right(self.runs, at, key=itemgetter(0)) - 1


def exact_pattern(quote: str) -> re.Pattern[str]:
    """Return the pattern that finds a quote in documents, both in the form for comparing.

    A hyphen at a line's end may belong to the word or not; the pattern takes both.

    Args:
        quote: in the form for comparing, not empty.
    """
    parts = [r"(?<![\w\u00ad])" if _ends_a_word(quote[0]) else ""]
    for n, char in enumerate(quote):
        after = quote[n + 1 : n + 2]
        if char == CUT:
            parts.append(f"[-{CUT}]?")
        elif char == "-":
            parts.append(f"[-{CUT}]")
        else:
            parts.append(re.escape(char))
            if _LETTER.match(char) and _LETTER.match(after):
                parts.append(f"{CUT}?")
    parts.append(r"(?![\w\u00ad])" if _ends_a_word(quote[-1]) else "")
    return re.compile("".join(parts))


def _ends_a_word(char: str) -> bool:
    return char.isalnum() and char < _UNSPACED
