"""Accents that a page sets over their letters, as letters with an accent."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from docqa.ingest.formats.pdf.glyph import Glyph

# A sign that is set beside its letter, and the mark that composes with the letter.
_ACCENTS = {
    "`": "\u0300",
    "\u00b4": "\u0301",
    "\u02c6": "\u0302",
    "^": "\u0302",
    "\u02dc": "\u0303",
    "~": "\u0303",
    "\u00af": "\u0304",
    "\u02d8": "\u0306",
    "\u02d9": "\u0307",
    "\u00a8": "\u0308",
    "\u02da": "\u030a",
    "\u02dd": "\u030b",
    "\u02c7": "\u030c",
    "\u00b8": "\u0327",
    "\u02db": "\u0328",
} | {chr(mark): chr(mark) for mark in range(0x300, 0x330)}
_DOTLESS = {"\u0131": "i", "\u0237": "j"}


def composed(glyphs: list[Glyph]) -> list[Glyph]:
    """Put accents that stand over a letter's place onto the letter."""
    accents = [at for at, glyph in enumerate(glyphs) if glyph.text in _ACCENTS]
    if not accents:
        return glyphs
    letters: dict[tuple[int, int, int], list[int]] = {}
    for at, glyph in enumerate(glyphs):
        if glyph.text[-1].isalpha():
            letters.setdefault(_cell(glyph), []).append(at)
    out: list[Glyph | None] = list(glyphs)
    for at in accents:
        accent = glyphs[at]
        direction, column, row = _cell(accent)
        near = [
            other
            for side in (column - 1, column, column + 1)
            for height in (row - 1, row, row + 1)
            for other in letters.get((direction, side, height), ())
        ]
        for other in sorted(near, key=lambda other: abs(other - at)):
            letter = out[other]
            joined = _with_accent(letter, accent) if letter is not None else None
            if joined is not None:
                out[other], out[at] = joined, None
                break
    return [glyph for glyph in out if glyph is not None]


def _cell(glyph: Glyph) -> tuple[int, int, int]:
    return glyph.direction, int(glyph.left // 16), int(glyph.base // 16)


def _with_accent(letter: Glyph, accent: Glyph) -> Glyph | None:
    width = accent.right - accent.left
    shared = min(letter.right, accent.right) - max(letter.left, accent.left)
    is_mark = unicodedata.combining(accent.text) != 0
    if (
        not letter.text[-1].isalpha()
        or letter.direction != accent.direction
        or abs(letter.base - accent.base) > 0.6 * letter.size
        or (shared < 0.5 * width and not (is_mark and shared > -0.2 * letter.size))
    ):
        return None
    plain = _DOTLESS.get(letter.text, letter.text)
    text = unicodedata.normalize("NFC", plain + _ACCENTS[accent.text])
    return replace(letter, text=text) if len(text) == len(letter.text) or is_mark else None
