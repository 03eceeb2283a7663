# ruff: noqa: RUF001, RUF002 (signs are the point)
"""Raised and lowered text in one line: ``10⁶``, ``H₂O``, ``x^k``, and marks of notes apart.

A raised digit never joins the number before it: ``3.5 × 106`` is another number than 3.5 × 10⁶.
"""

from __future__ import annotations

import re

_UP = dict(zip("0123456789+-−=()in*†‡§¶,", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁱⁿ*†‡§¶,", strict=True))
_DOWN = dict(zip("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎", strict=True))
_UP |= {sign: sign for sign in _UP.values()}
_DOWN |= {sign: sign for sign in _DOWN.values()}

_ORDINAL = frozenset("st nd rd th er re e è ème eme ère nd nde de os as te ter".split())
_SMALL = {"a": "ª", "o": "º", "TM": "™", "(TM)": "™", "SM": "℠", "R": "®", "(R)": "®"}
_MARK = re.compile(r"[\[(]?[\d*†‡§¶]{1,3}[a-z]?[\])]?(?:[,;–-] ?[\[(]?\d{1,3}[\])]?)*|[a-z]")
_ROMAN = re.compile(r"\b[IVXLCDM]+$")
_AS_THEY_ARE = frozenset(("′", "″", "‴", "'", "°", "*"))
_BRACKETED = re.compile(r"\[.+\]")
_WORD_BEFORE = re.compile(r"[^\W\d_]+$")
_AFTER_A_SENTENCE = frozenset(".,;:!?\"'”’»%…")
# Words that are raised to a power. Other words of three letters or more carry marks of notes.
_POWERS = frozenset(
    (
        "bar cos cot deg exp feet foot hour inch inches log meter meters metre metres mile miles "
        "min mol pixel rad sec sin tan yard yards"
    ).split()
)
_SHORTEST_WORD = 3
_LONGEST = 20  # A longer text is set smaller, and stands for itself.
_ONE_WORD = re.compile(r"[+−-]?[\w.]+")


def raised(before: str, text: str, is_mark: bool = False) -> str:
    """Return raised text as it follows the text before it, with a blank in front where it must.

    Args:
        before: the end of the text on the same line; empty after a blank.
        text: what is raised.
        is_mark: whether the source says that it is the mark of a note.
    """
    text = " ".join(text.split())
    last = before[-1:]
    if not text or len(text) > _LONGEST:
        return f" {text}" if text and last.strip() else text
    drawn = _drawn(text, _UP)
    if not last.strip():
        return drawn or text
    if is_mark or _is_mark(before, text):
        return f" {drawn or text}"
    if text.lower() in _ORDINAL and (last.isdecimal() or _ROMAN.search(before)):
        return text
    if text in _SMALL and (text.isupper() or not text.isalpha() or last in "0123456789nN"):
        return _SMALL[text]
    word = _WORD_BEFORE.search(before)
    if word and word[0][0].isupper() and len(text) > 1 and text.isalpha() and text.islower():
        return text  # Mme, Cie
    return power(text)


def lowered(before: str, text: str) -> str:
    """Return lowered text as it follows the text before it; see :func:`raised`."""
    text = " ".join(text.split())
    if not text or len(text) > _LONGEST:
        return f" {text}" if text and before[-1:].strip() else text
    return foot(text) if before[-1:].strip() else _drawn(text, _DOWN) or text


def power(text: str) -> str:
    """Return what a base is raised to: ``²``, ``⁻¹``, ``^k``, ``^(k + 1)``."""
    if text in _AS_THEY_ARE:
        return text
    return _drawn(text, _UP) or "^" + one_word(text)


def foot(text: str) -> str:
    """Return what stands at the foot of a base: ``₂``, ``_max``."""
    return _drawn(text, _DOWN) or "_" + one_word(text)


def _drawn(text: str, signs: dict[str, str]) -> str:
    """A text in raised or lowered signs; empty where one of them is missing."""
    if not all(char in signs for char in text):
        return ""
    return "".join(signs[char] for char in text)


def one_word(text: str) -> str:
    """Return a text as one piece of a formula: in brackets, unless it is a single word."""
    if _ONE_WORD.fullmatch(text) or len(text) == 1:
        return text
    return f"({text})"


def _is_mark(before: str, text: str) -> bool:
    if _BRACKETED.fullmatch(text):
        return True
    if not _MARK.fullmatch(text):
        return False
    word = _WORD_BEFORE.search(before)
    if word is None:
        return before[-1] in _AFTER_A_SENTENCE and text.lower() not in _ORDINAL
    return len(word[0]) >= _SHORTEST_WORD and word[0].lower() not in _POWERS
