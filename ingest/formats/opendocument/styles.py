"""Styles of OpenDocument, as far as they change how text is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lxml import etree

from docqa.ingest.formats.packed import attribute, elements, name_of

_MOST_PARENTS = 50
_PROPERTIES = frozenset(
    (
        "text-properties paragraph-properties table-properties drawing-page-properties "
        "section-properties"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Style:
    """What a style says of text; None where it says nothing.

    Attributes:
        position: ``super``, ``sub``, or how far text is raised, as a percentage.
        is_struck: whether it is struck out.
        is_hidden: whether it isn't shown.
    """

    position: str | None = None
    is_struck: bool | None = None
    is_hidden: bool | None = None


_PLAIN = Style()


class Styles:
    """The styles of a document.

    Args:
        roots: of ``styles.xml`` and ``content.xml``, in this order.
    """

    def __init__(self, roots: Iterable[etree._Element]) -> None:
        self._own: dict[tuple[str, str], Style] = {}
        self._parents: dict[tuple[str, str], str] = {}
        for root in roots:
            for element in elements(root, "style"):
                family = attribute(element, "family") or "text"
                name = attribute(element, "name") or ""
                self._own[family, name] = _read(element)
                self._parents[family, name] = attribute(element, "parent-style-name") or ""

    def of(self, element: etree._Element) -> Style:
        """Return the style of a text, a paragraph, a table, a section or a slide."""
        name = attribute(element, "style-name")
        if not name:
            return _PLAIN
        match name_of(element):
            case "p" | "h":
                return self._resolved("paragraph", name)
            case "table":
                return self._resolved("table", name)
            case "page":
                return self._resolved("drawing-page", name)
            case "section":
                return self._resolved("section", name)
            case _:
                return self._resolved("text", name)

    def _resolved(self, family: str, name: str) -> Style:
        chain: list[Style] = []
        while (family, name) in self._own and len(chain) < _MOST_PARENTS:
            chain.append(self._own[family, name])
            name = self._parents[family, name]
        style = _PLAIN
        for own in reversed(chain):
            said = {of: found for of in Style.__slots__ if (found := getattr(own, of)) is not None}
            style = replace(style, **said)
        return style


def _read(element: etree._Element) -> Style:
    position = struck = hidden = None
    for properties in element:
        if name_of(properties) not in _PROPERTIES:
            continue
        if moved := attribute(properties, "text-position"):
            position = moved.split()[0]
        line = attribute(properties, "text-line-through-style")
        line = line or attribute(properties, "text-line-through-type")
        if line is not None:
            struck = line != "none"
        display = attribute(properties, "display")
        if display is not None:
            hidden = display in ("none", "false")
        if attribute(properties, "visibility") == "hidden":
            hidden = True
    return Style(position, struck, hidden)
