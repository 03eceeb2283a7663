"""The body of an OpenDocument file, written as it is shown."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.html.mathml import formula_text
from docqa.ingest.formats.margins import is_page_number
from docqa.ingest.formats.opendocument.forms import field_mark, form_values
from docqa.ingest.formats.opendocument.lists import Counts, Lists
from docqa.ingest.formats.opendocument.styles import Styles
from docqa.ingest.formats.packed import Package, attribute, elements, name_of, resolve
from docqa.ingest.formats.raised import lowered, raised
from docqa.ingest.formats.rows import write_tables

_UNSEEN = frozenset(("annotation", "tracked-changes", "forms", "settings", "desc", "title"))
# What stands in a paragraph and is not of its words.
_APART = frozenset(("note", "annotation", "text-box", "ruby-text", "desc", "title", "number"))
# What every slide says.
_FURNITURE = frozenset(("header", "footer", "date-time", "page-number"))
_PAGE_FIELDS = frozenset(("page-number", "page-count", "page-continuation"))
_MARGINS = ("header", "footer")
_BLOCKS = frozenset(("p", "h"))
_CELLS = frozenset(("table-cell", "covered-table-cell"))
_NO_ROWS = frozenset(("collapse", "filter"))
# Rows and cells of a sheet that are alike stand there once, with a number; empty ones by millions.
_MOST_REPEATED = 1000
_MOST_CELLS = 5_000_000
_DEEPEST_LIST = 20


class Writer:
    """Writes a body to a composer.

    Args:
        package: the file.
        roots: of ``styles.xml``, if there is one, and of ``content.xml``.

    Attributes:
        composer: what it writes to.
    """

    def __init__(self, package: Package, roots: list[etree._Element]) -> None:
        self.composer = Composer()
        self._package = package
        self._styles = Styles(roots)
        self._lists = Lists(roots)
        self._forms = form_values(roots[-1])
        self._room = _MOST_CELLS
        self._marker = ""  # of the item whose first paragraph comes next
        self._in_margins = False

    def write(self, root: etree._Element) -> None:
        """Write what an element holds, in its order."""
        for element in root:
            self._write_one(element, in_sheets=name_of(root) == "spreadsheet")

    def _write_one(self, element: etree._Element, in_sheets: bool = False) -> None:
        if self._is_hidden(element):
            return
        match name_of(element):
            case "h":
                self._paragraph(element, _number(element, "outline-level", most=100))
            case "p":
                self._paragraph(element, None)
            case "list":
                self._list(element, "", 1, Counts())
            case "table" if in_sheets:
                self.composer.heading(attribute(element, "name") or "", 1)
                write_tables(self._rows(element), self.composer)
            case "table":
                lines = ("\t".join(row).rstrip("\t") for row in self._rows(element))
                self.composer.paragraph("\n".join(filter(None, lines)))
            case "page":
                self.composer.page()
                self._slide(element)
            case "control":
                self.composer.paragraph(self._control(element))
            case name if name not in _UNSEEN:
                self.write(element)

    def write_margins(self, styles: etree._Element) -> None:
        """Write what stands at the head and foot of pages, each text once."""
        self._in_margins = True
        seen = set()
        for master in elements(styles, "master-page"):
            for margin in master:
                if not name_of(margin).startswith(_MARGINS):
                    continue
                if attribute(margin, "display") == "false":
                    continue
                words = "\n".join(filter(None, map(self._words, _blocks(margin))))
                if words not in seen and not is_page_number(words):
                    self.composer.paragraph(words)
                seen.add(words)

    def _is_hidden(self, element: etree._Element) -> bool:
        if not isinstance(element.tag, str) or attribute(element, "is-hidden") == "true":
            return True
        if name_of(element) == "section" and attribute(element, "display") == "none":
            return True
        style = self._styles.of(element)
        is_hidden = bool(style.is_hidden or style.is_struck)
        if is_hidden and name_of(element) == "table":
            name = attribute(element, "name")
            self.composer.gaps.append(f"the hidden sheet {name} is left out")
        return is_hidden

    def _slide(self, page: etree._Element) -> None:
        for frame in page:
            if attribute(frame, "class") == "title":
                self.composer.heading(" ".join(map(self._words, _blocks(frame))), 1)
            elif attribute(frame, "class") not in _FURNITURE:
                self.write(frame)

    def _list(self, element: etree._Element, style: str, level: int, counts: Counts) -> None:
        if level > _DEEPEST_LIST:
            self.write(element)
            return
        own = attribute(element, "style-name")
        style = own or style
        if level == 1:
            counts = self._lists.begin(element, style)
        for item in element:
            first = next((child for child in item if isinstance(child.tag, str)), None)
            # An item that holds no more than a deeper list is none itself.
            if name_of(item) == "list-item" and first is not None and name_of(first) != "list":
                start = attribute(item, "start-value")
                number = next(elements(item, "number"), None)
                self._marker = self._lists.marker(style, level, counts, start)
                if not self._marker and number is not None and number.text:
                    self._marker = number.text.strip()
            for child in item:
                if name_of(child) == "list":
                    self._list(child, style, level + 1, counts)
                else:
                    self._write_one(child)
            self._marker = ""

    def _paragraph(self, element: etree._Element, level: int | None) -> None:
        if any(
            attribute(mark, "is-hidden") == "true" for mark in elements(element, "hidden-paragraph")
        ):
            return
        words = self._words(element)
        marker, self._marker = self._marker, ""
        is_numbered = level is not None and attribute(element, "is-list-header") != "true"
        if is_numbered and level is not None and words and not marker:
            marker = self._lists.heading(level)
        text = f"{marker} {words}" if marker and words else words
        if level is None:
            self.composer.paragraph(text)
        else:
            self.composer.heading(text, level)
        for note in elements(element, "note-body"):
            self.composer.paragraph(" ".join(map(self._words, _blocks(note))))
        for box in elements(element, "text-box"):
            self.write(box)

    def _rows(self, table: etree._Element) -> Iterator[list[str]]:
        hidden = _hidden_columns(table)
        for row in _own_rows(table):
            if attribute(row, "visibility") in _NO_ROWS:
                continue
            cells: list[str] = []
            for cell in row:
                if name_of(cell) in _CELLS:
                    words = " ".join(map(self._words, _blocks(cell)))
                    cells.extend([words] * _number(cell, "number-columns-repeated", _MOST_REPEATED))
            if hidden:
                cells = [cell for at, cell in enumerate(cells) if at not in hidden]
            most = _MOST_REPEATED if any(cells) else 1
            repeated = _number(row, "number-rows-repeated", most)
            self._room -= repeated * len(cells)
            if self._room < 0:
                raise IngestError("holds more cells than docqa reads; split it")
            for _ in range(repeated):
                yield cells

    def _words(self, block: etree._Element) -> str:
        """Return a paragraph's words, without its notes, remarks and the boxes anchored in it."""
        if self._is_hidden(block):
            return ""
        return " ".join(self._collected("", block).split())

    def _collected(self, before: str, element: etree._Element) -> str:
        words = element.text or ""
        for child in element:
            words += self._part(before + words, child)
            words += child.tail or ""
        return words

    def _part(self, before: str, child: etree._Element) -> str:
        """Return the words of an element in a paragraph."""
        if not isinstance(child.tag, str):
            return ""
        match name_of(child):
            case "s" | "tab" | "line-break":
                return " "
            case name if name in _APART or (self._in_margins and name in _PAGE_FIELDS):
                return ""
            case "control":
                return self._control(child)
            case "object":
                return self._formula(child)
            case "fieldmark":
                return field_mark(child)
            case "hidden-text":
                return self._hidden_text(child)
            case "content-control" if attribute(child, "showing-place-holder") == "true":
                return ""
        style = self._styles.of(child)
        if style.is_struck or style.is_hidden or attribute(child, "display") == "none":
            return ""
        return _moved(before, self._collected(before, child), style.position or "")

    def _hidden_text(self, element: etree._Element) -> str:
        if attribute(element, "is-hidden") != "false":
            return ""
        return attribute(element, "string-value") or element.text or ""

    def _control(self, element: etree._Element) -> str:
        return self._forms.get(attribute(element, "control") or "", "")

    def _formula(self, element: etree._Element) -> str:
        target = attribute(element, "href") or ""
        path = posixpath.join(resolve("", target), "content.xml")
        if path not in self._package:
            return ""
        root = self._package.xml(path)
        return formula_text(root) if name_of(root) == "math" else ""


def _moved(before: str, text: str, position: str) -> str:
    """Return text with the signs of raised or lowered text where its style's position is that."""
    if position == "super" or (position.endswith("%") and position.strip("0%")[:1].isdecimal()):
        return raised(before[-100:], text)
    if position == "sub" or position.startswith("-"):
        return lowered(before[-100:], text)
    return text


def _own_rows(table: etree._Element) -> Iterator[etree._Element]:
    """Yield the rows of a table, without those of tables in its cells."""
    for element in table:
        match name_of(element):
            case "table-row":
                yield element
            case "table-header-rows" | "table-row-group" | "table-rows":
                yield from _own_rows(element)


def _hidden_columns(table: etree._Element) -> frozenset[int]:
    hidden: list[int] = []
    at = 0
    for column in elements(table, "table-column"):
        repeated = _number(column, "number-columns-repeated", _MOST_REPEATED)
        if attribute(column, "visibility") in _NO_ROWS:
            hidden += range(at, at + repeated)
        at += repeated
    return frozenset(hidden)


def _blocks(root: etree._Element) -> Iterator[etree._Element]:
    return (element for element in root.iter() if name_of(element) in _BLOCKS)


def _number(element: etree._Element, name: str, most: int) -> int:
    value = attribute(element, name) or "1"
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 10 else 1
