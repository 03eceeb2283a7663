"""PowerPoint: slides as pages, each with its title, text, tables and notes, in the order shown."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.packed import Package, elements, name_of, resolve
from docqa.ingest.formats.raised import lowered, raised

_LABEL = "PowerPoint"
_OLE = b"\xd0\xcf\x11\xe0"
_SLIDE, _NOTES, _DIAGRAM, _DOCUMENT = "/slide", "/notesSlide", "/diagramData", "/officeDocument"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
# Placeholders that say the same on every slide.
_FURNITURE = frozenset(("dt", "ftr", "sldNum", "hdr", "sldImg"))


def extract_pptx(data: bytes) -> Extracted:
    """Read a presentation.

    Raises:
        IngestError: not PowerPoint, encrypted, damaged, or without text.
    """
    if data.startswith(_OLE):
        raise IngestError(
            "not a .pptx inside: encrypted, or of an old version of PowerPoint; "
            "save it as .pptx without a password"
        )
    package = Package(data, _LABEL)
    main = next((path for kind, path, _ in _relations(package, "") if kind == _DOCUMENT), None)
    if main is None:
        raise IngestError("not a file of PowerPoint: it names no presentation")
    slides = {number: path for kind, path, number in _relations(package, main) if kind == _SLIDE}
    composer = Composer()
    for entry in elements(package.xml(main), "sldId"):
        number = next((value for name, value in entry.items() if name.endswith("}id")), "")
        path = slides.get(str(number))
        if path is not None and path in package:
            _write_slide(package, path, composer)
    return composer.extracted(_title(package))


def _write_slide(package: Package, path: str, composer: Composer) -> None:
    slide = package.xml(path)
    composer.page()
    if slide.get("show") in ("0", "false"):  # hidden; its number counts nonetheless
        return
    _write_shapes(slide, composer)
    for kind, target, _ in _relations(package, path):
        if target not in package:
            continue
        if kind == _DIAGRAM:
            for words in _paragraphs(package.xml(target)):
                composer.line(words)
        elif kind == _NOTES:
            _write_shapes(package.xml(target), composer)


def _write_shapes(root: etree._Element, composer: Composer) -> None:
    for shape in elements(root, "sp"):
        kind = next((mark.get("type", "") for mark in elements(shape, "ph")), "")
        if kind in _FURNITURE or _is_second_copy(shape):
            continue
        paragraphs = list(_paragraphs(shape))
        if kind in ("title", "ctrTitle"):
            composer.heading(" ".join(paragraphs), 1)
        elif paragraphs:
            composer.paragraph("\n".join(paragraphs))
    for table in elements(root, "tbl"):
        rows = (
            "\t".join(" ".join(_paragraphs(cell)) for cell in elements(row, "tc"))
            for row in elements(table, "tr")
        )
        composer.paragraph("\n".join(rows))


def _paragraphs(root: etree._Element) -> Iterator[str]:
    for paragraph in elements(root, "p"):
        words = ""
        for element in paragraph.iter():
            match name_of(element):
                case "t":
                    words += _moved(words, element)
                case "br" | "tab":
                    words += " "
        if words.strip():
            yield " ".join(words.split())


def _moved(before: str, text: etree._Element) -> str:
    """Return a run's text, with the signs of raised or lowered text where it is that."""
    before_it = text.itersiblings(preceding=True)
    properties = next((mark for mark in before_it if name_of(mark) == "rPr"), None)
    baseline = "" if properties is None else properties.get("baseline", "")
    words = text.text or ""
    if baseline.strip("-0%") == "":
        return words
    return lowered(before, words) if baseline.startswith("-") else raised(before, words)


def _is_second_copy(shape: etree._Element) -> bool:
    """Return whether a shape is what old versions show instead of another."""
    return any(name_of(ancestor) == "Fallback" for ancestor in shape.iterancestors())


def _relations(package: Package, part: str) -> Iterator[tuple[str, str, str]]:
    """Yield what a part refers to: the kind, the member and the reference's id."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in package:
        return
    for relation in package.xml(path).iter(_RELATION):
        if relation.get("TargetMode") != "External":
            kind = "/" + relation.get("Type", "").rpartition("/")[2]
            yield kind, resolve(part, relation.get("Target", "")), relation.get("Id", "")


def _title(package: Package) -> str | None:
    if "docProps/core.xml" not in package:
        return None
    title = next(elements(package.xml("docProps/core.xml"), "title"), None)
    return None if title is None else title.text
