# ruff: noqa: RUF001 (signs are the point)
"""Formulas in one line, as they would be typed: ``E = mc²``, ``(a + b)/2``, ``√(x + 1)``.

MathML and Word's equations are put together from these pieces.
"""

from __future__ import annotations

from docqa.ingest.formats.raised import foot, one_word, power

_ACCENTS = {
    "^": "\u0302", "ˆ": "\u0302", "\u0302": "\u0302", "~": "\u0303", "˜": "\u0303",
    "\u0303": "\u0303", "¯": "\u0304", "‾": "\u0304", "_": "\u0304", "\u0304": "\u0304",
    "\u0305": "\u0304", "˙": "\u0307", "\u0307": "\u0307", "¨": "\u0308", "\u0308": "\u0308",
    "→": "\u20d7", "\u20d7": "\u20d7",
}  # fmt: skip
# These stand between two things, and are set off by blanks.
_BETWEEN = frozenset("=≠<>≤≥≈≡∼≃∝→⇒⇔↔∈∉⊂⊆∪∩+-−±×÷·⋅:≔∧∨")
_OPENS = frozenset("([{|")
_UNSEEN = str.maketrans(dict.fromkeys("\u2061\u2062\u2063\u2064\u200b\ufeff"))


def fraction(above: str, below: str) -> str:
    """Return a fraction."""
    return f"{one_word(above)}/{one_word(below)}"


def scripts(base: str, below: str, above: str) -> str:
    """Return a base with what stands at its foot and at its head; either may be empty."""
    base = one_word(base) if len(base) > 1 and base[-1] not in ")]}" else base
    return base + (foot(below) if below else "") + (power(above) if above else "")


def accented(base: str, accent: str) -> str:
    """Return a base with a sign above it."""
    if accent in _ACCENTS and len(base) == 1:
        return base + _ACCENTS[accent]
    return scripts(base, "", accent)


def root(inside: str, degree: str = "") -> str:
    """Return a root; square where there is no degree."""
    signs = {"": "√", "2": "√", "3": "∛", "4": "∜"}
    if degree in signs:
        return signs[degree] + one_word(inside)
    return f"{one_word(inside)}^(1/{one_word(degree)})"


def line(pieces: list[str]) -> str:
    """Return pieces of a formula side by side, with blanks where a reader needs them."""
    text = ""
    for piece in pieces:
        piece = piece.translate(_UNSEEN).strip("\n\r\t ")
        if not piece:
            continue
        last = text.rstrip()[-1:]
        if piece in _BETWEEN:
            is_sign = piece in "+-−±" and (not last or last in _BETWEEN or last in _OPENS)
            text = text + piece if is_sign else f"{text.rstrip()} {piece} "
        elif (
            last.isalnum()
            and piece[0].isalnum()
            and (_letters(text[-2:]) > 1 or _letters(piece[:2]) > 1 or _is_script(text))
        ):
            text = f"{text.rstrip()} {piece}"
        elif piece in (",", ";"):
            text = f"{text.rstrip()}{piece} "
        else:
            text += piece
    return text.strip()


def _is_script(text: str) -> bool:
    """Return whether a text ends in a raised or lowered sign that would take in what follows."""
    return text[-2:-1] in ("^", "_")


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)
