"""OpenDocument: text (.odt), sheets (.ods) and slides (.odp), in the order of their content."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.packed import Package, elements, name_of
from docqa.ingest.formats.raised import lowered, raised
from docqa.ingest.formats.rows import write_tables

_LABEL = "OpenDocument"
_UNSEEN = frozenset(("annotation", "tracked-changes", "forms", "settings", "desc", "title"))
# What stands in a paragraph and is not of its words.
_APART = frozenset(("note", "annotation", "text-box", "ruby-text", "desc", "title"))
# What every slide says.
_FURNITURE = frozenset(("header", "footer", "date-time", "page-number"))
_BLOCKS = frozenset(("p", "h"))
# Rows and cells of a sheet that are alike stand there once, with a number; empty ones by millions.
_MOST_REPEATED = 1000


def extract_opendocument(data: bytes) -> Extracted:
    """Read a text, a workbook or a presentation.

    Raises:
        IngestError: not OpenDocument, encrypted, damaged, or without text.
    """
    package = Package(data, _LABEL)
    if "META-INF/manifest.xml" in package:
        manifest = package.xml("META-INF/manifest.xml")
        if next(elements(manifest, "encryption-data"), None) is not None:
            raise IngestError("encrypted; remove the password first")
    content = package.xml("content.xml")
    body = next(elements(content, "body"), None)
    if body is None:
        raise IngestError("not a file of OpenDocument: it has no body")
    styled = [package.xml("styles.xml")] if "styles.xml" in package else []
    writer = _Writer(_positions([*styled, content]))
    writer.write(body)
    return writer.composer.extracted(_title(package))


def _title(package: Package) -> str | None:
    if "meta.xml" not in package:
        return None
    title = next(elements(package.xml("meta.xml"), "title"), None)
    return None if title is None else title.text


def _positions(roots: list[etree._Element]) -> dict[str, str]:
    """Return the styles of raised or lowered text: ``super``, ``sub`` or a percentage."""
    found = {}
    for root in roots:
        for style in elements(root, "style"):
            name = _attribute(style, "name")
            for properties in elements(style, "text-properties"):
                if name and (position := _attribute(properties, "text-position")):
                    found[name] = position.split()[0]
    return found


class _Writer:
    """Writes a body to a composer.

    Args:
        positions: from :func:`_positions`.
    """

    def __init__(self, positions: dict[str, str]) -> None:
        self.composer = Composer()
        self._positions = positions

    def write(self, root: etree._Element) -> None:
        """Write what an element holds, in its order."""
        for element in root:
            match name_of(element):
                case "h":
                    self._paragraph(element, _number(element, "outline-level", most=100))
                case "p":
                    self._paragraph(element, None)
                case "table" if name_of(root) == "spreadsheet":
                    self.composer.heading(_attribute(element, "name") or "", 1)
                    write_tables(self._rows(element), self.composer)
                case "table":
                    lines = ("\t".join(row).rstrip("\t") for row in self._rows(element))
                    self.composer.paragraph("\n".join(filter(None, lines)))
                case "page":
                    self.composer.page()
                    self._slide(element)
                case name if name not in _UNSEEN:
                    self.write(element)

    def _slide(self, page: etree._Element) -> None:
        for frame in page:
            if _attribute(frame, "class") == "title":
                self.composer.heading(" ".join(map(self._words, _blocks(frame))), 1)
            elif _attribute(frame, "class") not in _FURNITURE:
                self.write(frame)

    def _paragraph(self, element: etree._Element, level: int | None) -> None:
        words = self._words(element)
        if level is None:
            self.composer.paragraph(words)
        else:
            self.composer.heading(words, level)
        for note in elements(element, "note-body"):
            self.composer.paragraph(" ".join(map(self._words, _blocks(note))))
        for box in elements(element, "text-box"):
            self.write(box)

    def _rows(self, table: etree._Element) -> Iterator[list[str]]:
        for row in elements(table, "table-row"):
            cells: list[str] = []
            for cell in row:
                if name_of(cell) in ("table-cell", "covered-table-cell"):
                    words = " ".join(map(self._words, _blocks(cell)))
                    cells.extend([words] * _number(cell, "number-columns-repeated", _MOST_REPEATED))
            most = _MOST_REPEATED if any(cells) else 1
            for _ in range(_number(row, "number-rows-repeated", most)):
                yield cells

    def _words(self, block: etree._Element) -> str:
        """Return a paragraph's words, without its notes, remarks and the boxes anchored in it."""
        return " ".join(self._collected("", block).split())

    def _collected(self, before: str, element: etree._Element) -> str:
        words = element.text or ""
        for child in element:
            match name_of(child):
                case "s" | "tab" | "line-break":
                    words += " "
                case name if name not in _APART and isinstance(child.tag, str):
                    position = self._positions.get(_attribute(child, "style-name") or "", "")
                    inner = self._collected(before + words, child)
                    words += _moved(before + words, inner, position)
            words += child.tail or ""
        return words


def _moved(before: str, text: str, position: str) -> str:
    """Return text with the signs of raised or lowered text where its style's position is that."""
    if position == "super" or (position.endswith("%") and position.strip("0%")[:1].isdecimal()):
        return raised(before[-100:], text)
    if position == "sub" or position.startswith("-"):
        return lowered(before[-100:], text)
    return text


def _blocks(root: etree._Element) -> Iterator[etree._Element]:
    return (element for element in root.iter() if name_of(element) in _BLOCKS)


def _number(element: etree._Element, name: str, most: int) -> int:
    value = _attribute(element, name) or "1"
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 10 else 1


def _attribute(element: etree._Element, name: str) -> str | None:
    """Return an attribute, whatever its namespace."""
    return next((str(value) for key, value in element.items() if key.endswith(f"}}{name}")), None)
