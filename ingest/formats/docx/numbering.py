"""Automatic numbers of clauses and lists, counted as Word counts them.

A paragraph names a numbering and a level; each abstract numbering has one counter a level, which
the numberings that share it share too, unless they start anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from docqa.ingest.formats.docx.package import child, is_on, number, short, value
from docqa.ingest.formats.docx.styles import ParagraphLook, Styles
from docqa.ingest.formats.numerals import (
    cardinal_word,
    ordinal,
    ordinal_word,
    repeated_letters,
    roman,
)

_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_FORMATS: dict[str, Callable[[int], str]] = {
    "decimalZero": lambda at: f"{at:02}",
    "lowerLetter": repeated_letters,
    "upperLetter": lambda at: repeated_letters(at).upper(),
    "lowerRoman": roman,
    "upperRoman": lambda at: roman(at).upper(),
    "ordinal": ordinal,
    "cardinalText": lambda at: cardinal_word(at).capitalize(),
    "ordinalText": lambda at: ordinal_word(at).capitalize(),
    "none": lambda at: "",
}


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    format: str = "decimal"
    text: str = ""
    restart: int | None = None  # the level, from 1, above which this one goes on; 0 for never
    is_legal: bool = False  # all numbers in digits
    style: str | None = None


class Numbering:
    """The numberings of a document, and where each stands.

    Args:
        root: of ``numbering.xml``; None where there is none.
        styles: of the document; some take over the numbering of another.
    """

    def __init__(self, root: etree._Element | None, styles: Styles) -> None:
        self._styles = styles
        self._abstract: dict[str, dict[int, _Level]] = {}
        self._links: dict[str, str] = {}  # abstract numberings that stand for a style's
        self._lists: dict[str, tuple[str, dict[int, _Level], dict[int, int]]] = {}
        self._counts: dict[str, list[int | None]] = {}
        self._started: set[tuple[str, int]] = set()
        for element in root if root is not None else ():
            match short(element.tag):
                case "w:abstractNum":
                    name = value(element, "w:abstractNumId") or ""
                    self._abstract[name] = _levels(element)
                    if link := value(child(element, "w:numStyleLink")):
                        self._links[name] = link
                case "w:num":
                    name = value(element, "w:numId") or ""
                    abstract = value(child(element, "w:abstractNumId")) or ""
                    self._lists[name] = (abstract, *_overrides(element))

    def marker(self, look: ParagraphLook) -> str:
        """Return the number of the next paragraph as it is printed; empty where it has none."""
        found = self._lists.get(look.list_id or "")
        if found is None or look.list_id == "0":
            return ""
        abstract, levels, starts = found
        abstract = self._linked(abstract)
        levels = {**self._abstract.get(abstract, {}), **levels}
        at = self._level(look, levels)
        level = levels.get(at)
        if level is None:
            return ""
        counts = self._counts.setdefault(abstract, [None] * _LEVELS)
        first = starts.get(at, level.start)
        if at in starts and (look.list_id or "", at) not in self._started:
            self._started.add((look.list_id or "", at))
            counts[at] = first
        else:
            before = counts[at]
            counts[at] = first if before is None else before + 1
        for below in range(at + 1, _LEVELS):
            restart = levels[below].restart if below in levels else None
            if restart is None or (restart != 0 and at < restart):
                counts[below] = None
        return _drawn(level, levels, counts)

    def _linked(self, abstract: str) -> str:
        style = self._links.get(abstract)
        if style is None:
            return abstract
        other = self._lists.get(self._styles.style(style).paragraph.list_id or "")
        return abstract if other is None else other[0]

    def _level(self, look: ParagraphLook, levels: dict[int, _Level]) -> int:
        if look.style is not None:
            for at, level in levels.items():
                if level.style == look.style:
                    return at
        return min(max(look.list_level or 0, 0), _LEVELS - 1)


def _levels(element: etree._Element) -> dict[int, _Level]:
    levels = {}
    for found in element:
        at = number(value(found, "w:ilvl"))
        if short(found.tag) == "w:lvl" and at is not None and 0 <= at < _LEVELS:
            start = number(value(child(found, "w:start")))
            levels[at] = _Level(
                0 if start is None else start,
                value(child(found, "w:numFmt")) or "decimal",
                value(child(found, "w:lvlText")) or "",
                number(value(child(found, "w:lvlRestart"))),
                bool(is_on(child(found, "w:isLgl"))),
                value(child(found, "w:pStyle")),
            )
    return levels


def _overrides(element: etree._Element) -> tuple[dict[int, _Level], dict[int, int]]:
    """What a numbering has of its own: levels, and where they start anew."""
    levels: dict[int, _Level] = {}
    starts = {}
    for found in element:
        at = number(value(found, "w:ilvl"))
        if short(found.tag) == "w:lvlOverride" and at is not None:
            levels |= _levels(found)
            start = number(value(child(found, "w:startOverride")))
            if start is not None:
                starts[at] = start
    return levels, starts


def _drawn(level: _Level, levels: dict[int, _Level], counts: list[int | None]) -> str:
    if level.format == "bullet":
        return ""

    def place(found: re.Match[str]) -> str:
        at = int(found[1]) - 1
        of = levels.get(at, _Level())
        count = counts[at]
        count = of.start if count is None else count
        format = "decimal" if level.is_legal else of.format
        return _FORMATS.get(format, str)(count)

    return " ".join(_PLACE.sub(place, level.text).split())
