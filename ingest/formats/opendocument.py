"""OpenDocument: text (.odt), sheets (.ods) and slides (.odp), in the order of their content."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.packed import Package, elements, name_of
from docqa.ingest.formats.rows import write_tables

_LABEL = "OpenDocument"
_UNSEEN = frozenset(("annotation", "tracked-changes", "forms", "settings", "desc", "title"))
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
    body = next(elements(package.xml("content.xml"), "body"), None)
    if body is None:
        raise IngestError("not a file of OpenDocument: it has no body")
    composer = Composer()
    _write(body, composer)
    return composer.extracted(_title(package))


def _title(package: Package) -> str | None:
    if "meta.xml" not in package:
        return None
    title = next(elements(package.xml("meta.xml"), "title"), None)
    return None if title is None else title.text


def _write(root: etree._Element, composer: Composer) -> None:
    """Write what an element holds, in its order."""
    for element in root:
        match name_of(element):
            case "h":
                level = _number(element, "outline-level", most=100)
                _write_paragraph(element, composer, level)
            case "p":
                _write_paragraph(element, composer, None)
            case "table" if name_of(root) == "spreadsheet":
                composer.heading(_attribute(element, "name") or "", 1)
                write_tables(_rows(element), composer)
            case "table":
                lines = ("\t".join(row).rstrip("\t") for row in _rows(element))
                composer.paragraph("\n".join(filter(None, lines)))
            case "page":
                composer.page()
                _write_slide(element, composer)
            case name if name not in _UNSEEN:
                _write(element, composer)


def _write_slide(page: etree._Element, composer: Composer) -> None:
    for frame in page:
        if _attribute(frame, "class") == "title":
            composer.heading(" ".join(map(_words, _blocks(frame))), 1)
        elif _attribute(frame, "class") not in ("header", "footer", "date-time", "page-number"):
            _write(frame, composer)


def _write_paragraph(element: etree._Element, composer: Composer, level: int | None) -> None:
    words = _words(element)
    if level is None:
        composer.paragraph(words)
    else:
        composer.heading(words, level)
    for note in elements(element, "note-body"):
        composer.paragraph(" ".join(map(_words, _blocks(note))))
    for box in elements(element, "text-box"):
        _write(box, composer)


def _blocks(root: etree._Element) -> Iterator[etree._Element]:
    return (element for element in root.iter() if name_of(element) in _BLOCKS)


def _words(block: etree._Element) -> str:
    """Return a paragraph's words, without its notes, remarks and the boxes anchored in it."""
    parts: list[str] = []
    _collect(block, parts)
    return " ".join("".join(parts).split())


def _collect(element: etree._Element, parts: list[str]) -> None:
    parts.append(element.text or "")
    for child in element:
        match name_of(child):
            case "s" | "tab" | "line-break":
                parts.append(" ")
            case "note" | "annotation" | "text-box" | "ruby-text" | "desc" | "title":
                pass
            case _ if isinstance(child.tag, str):
                _collect(child, parts)
        parts.append(child.tail or "")


def _rows(table: etree._Element) -> Iterator[list[str]]:
    for row in elements(table, "table-row"):
        cells: list[str] = []
        for cell in row:
            if name_of(cell) in ("table-cell", "covered-table-cell"):
                words = " ".join(map(_words, _blocks(cell)))
                repeated = _number(cell, "number-columns-repeated", _MOST_REPEATED)
                cells.extend([words] * repeated)
        most = _MOST_REPEATED if any(cells) else 1
        for _ in range(_number(row, "number-rows-repeated", most)):
            yield cells


def _number(element: etree._Element, name: str, most: int) -> int:
    value = _attribute(element, name) or "1"
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 10 else 1


def _attribute(element: etree._Element, name: str) -> str | None:
    """Return an attribute, whatever its namespace."""
    return next((str(value) for key, value in element.items() if key.endswith(f"}}{name}")), None)
