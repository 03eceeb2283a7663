"""Numbers of ``ol`` items: start, reversed, type, and values of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from docqa.ingest.formats.html.styles import Look
from docqa.ingest.formats.numerals import greek, letters, roman

_OF_TYPE = {
    "a": "lower-alpha",
    "A": "upper-alpha",
    "i": "lower-roman",
    "I": "upper-roman",
    "1": "decimal",
}
_BULLETS = frozenset("none disc circle square".split())


class List:
    """An open list.

    Args:
        attributes: of its element.
        look: its declarations.
        count: how many items it has; used where it counts down.
    """

    def __init__(self, attributes: Mapping[str, str], look: Look, count: int) -> None:
        is_reversed = "reversed" in attributes
        self._style = _style(attributes, look) or "decimal"
        self._step = -1 if is_reversed else 1
        start = _number(attributes.get("start"))
        self._next = start if start is not None else (count if is_reversed else 1)

    def marker(self, attributes: Mapping[str, str], look: Look) -> str:
        """Return the number of the next item as it is shown; empty for a bullet."""
        value = _number(attributes.get("value"))
        number = self._next if value is None else value
        self._next = number + self._step
        style = _style(attributes, look) or self._style
        match style:
            case "lower-alpha" | "lower-latin":
                text = letters(number)
            case "upper-alpha" | "upper-latin":
                text = letters(number).upper()
            case "lower-roman":
                text = roman(number)
            case "upper-roman":
                text = roman(number).upper()
            case "lower-greek":
                text = greek(number)
            case "decimal-leading-zero":
                text = f"{number:02}"
            case _ if style in _BULLETS:
                return ""
            case _:
                text = str(number)
        return f"{text}."


def _style(attributes: Mapping[str, str], look: Look) -> str | None:
    declared = look.get("list-style-type") or look.get("list-style", "")
    for word in declared.split():
        if word in _BULLETS or "-" in word or word == "decimal":
            return word
    return _OF_TYPE.get(attributes.get("type", "").strip())


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text[:12])
    except ValueError:
        return None


def item_counts(markup: bytes) -> list[int]:
    """Return how many items each list has that counts down, in the order of the page (UTF-8)."""
    items = _Items()
    target: Any = items  # the stubs ask for handlers that lxml can do without
    parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True)
    parser.feed(markup)
    parser.close()
    return items.counts


class _Items:
    """Counts the items of the lists that count down."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._open: list[int | None] = []  # lists: where their count stands

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        if tag in ("ol", "ul"):
            is_reversed = tag == "ol" and "reversed" in attrib
            self._open.append(len(self.counts) if is_reversed else None)
            if is_reversed:
                self.counts.append(0)
        elif tag == "li" and self._open:
            number = self._open[-1]
            if number is not None:
                self.counts[number] += 1

    def end(self, tag: str) -> None:
        if tag in ("ol", "ul") and self._open:
            self._open.pop()

    def data(self, data: str) -> None:
        pass

    def close(self) -> None:
        pass
