"""What a page's own styles say of an element, as far as it changes the text that a reader sees.

Simple selectors only (``p``, ``.old``, ``del.old``, ``#note``): style sheets that put more into
one than that do it for layout. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PROPERTIES = frozenset(
    (
        "display visibility text-decoration text-decoration-line vertical-align list-style "
        "list-style-type mso-hide"
    ).split()
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_SELECTOR = re.compile(r"([a-z][a-z0-9]*)?([.#][\w-]+)?", re.IGNORECASE)
_MOST_CHARS = 500_000

Look = Mapping[str, str]
_PLAIN: Look = {}


class Styles:
    """The styles of a page: its sheets and what stands at an element."""

    def __init__(self) -> None:
        self._rules: dict[str, dict[str, str]] = {}

    def add_sheet(self, sheet: str) -> None:
        """Take in the rules of a ``style`` element."""
        sheet = _COMMENT.sub(" ", sheet[:_MOST_CHARS]).replace("<!--", " ").replace("-->", " ")
        for selectors, body in _blocks(sheet):
            declared = _declarations(body)
            if not declared:
                continue
            for selector in selectors.split(","):
                selector = selector.strip()
                if selector and _SELECTOR.fullmatch(selector):
                    self._rules.setdefault(selector, {}).update(declared)

    def of(self, tag: str, attributes: Mapping[str, str]) -> Look:
        """Return the declarations that hold for an element."""
        inline = attributes.get("style")
        if not self._rules:
            return _declarations(inline) if inline else _PLAIN
        look = dict(self._rules.get(tag, _PLAIN))
        classes = attributes.get("class", "").split()
        for prefix in ("", tag):
            for name in classes:
                look.update(self._rules.get(f"{prefix}.{name}", _PLAIN))
        if name := attributes.get("id", "").strip():
            look.update(self._rules.get(f"#{name}", _PLAIN))
            look.update(self._rules.get(f"{tag}#{name}", _PLAIN))
        if inline:
            look.update(_declarations(inline))
        return look


def is_hidden(look: Look) -> bool:
    """Return whether an element can't be seen."""
    return (
        look.get("display") == "none"
        or look.get("visibility") in ("hidden", "collapse")
        or look.get("mso-hide") == "all"
    )


def is_struck(look: Look) -> bool:
    """Return whether an element's text is struck out."""
    return "line-through" in look.get("text-decoration", "") + look.get("text-decoration-line", "")


def _declarations(body: str) -> dict[str, str]:
    declared = {}
    for declaration in body.split(";"):
        name, colon, value = declaration.partition(":")
        name = name.strip().lower()
        if colon and name in _PROPERTIES:
            declared[name] = value.lower().replace("!important", "").strip()
    return declared


def _blocks(sheet: str) -> list[tuple[str, str]]:
    """Rules outside of at-rules, which hold for some media only."""
    blocks = []
    start = 0
    while (opens := sheet.find("{", start)) != -1:
        selectors = sheet[start:opens].rpartition(";")[2].strip()
        closes = _end_of_block(sheet, opens) if selectors.startswith("@") else -1
        if closes == -1:
            closes = sheet.find("}", opens)
            if closes == -1:
                break
            if not selectors.startswith("@"):
                blocks.append((selectors, sheet[opens + 1 : closes]))
        start = closes + 1
    return blocks


def _end_of_block(sheet: str, opens: int) -> int:
    depth = 0
    for brace in re.compile("[{}]").finditer(sheet, opens):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return -1
