"""PowerPoint: slides as pages, each with its title, text, tables and notes, in the order shown."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.docx.equations import equation_text
from docqa.ingest.formats.numerals import letters, roman
from docqa.ingest.formats.packed import Package, elements, integer, name_of, resolve
from docqa.ingest.formats.raised import lowered, raised

_LABEL = "PowerPoint"
_OLE = b"\xd0\xcf\x11\xe0"
_SLIDE, _NOTES, _DIAGRAM, _DOCUMENT = "/slide", "/notesSlide", "/diagramData", "/officeDocument"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_STRUCK = ("sngStrike", "dblStrike")
_SHAPES = frozenset("sp grpSp graphicFrame".split())
_ON = ("1", "true")
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
    for element in root.iter():
        match name_of(element):
            case "sp" if not _is_hidden(element):
                kind = next((mark.get("type", "") for mark in elements(element, "ph")), "")
                if kind in _FURNITURE:
                    continue
                paragraphs = list(_paragraphs(element))
                if kind in ("title", "ctrTitle"):
                    composer.heading(" ".join(paragraphs), 1)
                elif paragraphs:
                    composer.paragraph("\n".join(paragraphs))
            case "tbl" if not _is_hidden(element):
                rows = (
                    "\t".join(_in_one_line(cell) for cell in elements(row, "tc"))
                    for row in elements(element, "tr")
                )
                composer.paragraph("\n".join(rows))


def _in_one_line(root: etree._Element) -> str:
    return " ".join(" ".join(_paragraphs(root)).split())


def _paragraphs(root: etree._Element) -> Iterator[str]:
    numbers = _Numbers()
    for paragraph in elements(root, "p"):
        words = _words(paragraph)
        if words:
            marker = numbers.marker(paragraph)
            yield f"{marker} {words}" if marker else words


def _words(paragraph: etree._Element) -> str:
    """Return a paragraph's words; its lines end where the slide's do."""
    words = ""
    waiting = list(paragraph)[::-1]
    while waiting:
        element = waiting.pop()
        match name_of(element):
            case "t":
                words += _moved(words, element)
            case "br":
                words += "\n"
            case "tab":
                words += " "
            case "oMath":
                words += equation_text(element)
            case "Fallback":
                pass
            case _ if isinstance(element.tag, str):
                waiting.extend(list(element)[::-1])
    lines = (" ".join(line.split()) for line in words.split("\n"))
    return "\n".join(filter(None, lines))


class _Numbers:
    """The automatic numbers of one shape's paragraphs."""

    def __init__(self) -> None:
        self._counts: dict[int, tuple[tuple[str, str], int]] = {}  # kind and number, by level

    def marker(self, paragraph: etree._Element) -> str:
        """Return the number of the next paragraph as it is shown; empty where it has none."""
        properties = next((child for child in paragraph if name_of(child) == "pPr"), None)
        level = integer(None if properties is None else properties.get("lvl"), 0)
        automatic = None
        if properties is not None:
            automatic = next((mark for mark in properties if name_of(mark) == "buAutoNum"), None)
        for deeper in [at for at in self._counts if at > level]:
            del self._counts[deeper]
        if automatic is None:
            self._counts.pop(level, None)
            return ""
        kind = (automatic.get("type", ""), automatic.get("startAt", "1"))
        before = self._counts.get(level)
        number = before[1] + 1 if before and before[0] == kind else integer(kind[1], 1)
        self._counts[level] = (kind, number)
        return _numbered(number, kind[0])


def _numbered(number: int, kind: str) -> str:
    """Return a number as a kind of numbering shows it: ``alphaLcParenR`` gives ``a)``."""
    text = str(number)
    if kind.startswith("alpha"):
        text = letters(number)
    elif kind.startswith("roman"):
        text = roman(number)
    text = text.upper() if kind.startswith(("alphaUc", "romanUc")) else text
    if kind.endswith("ParenBoth"):
        return f"({text})"
    return text + (")" if kind.endswith("ParenR") else "" if kind.endswith("Plain") else ".")


def _moved(before: str, text: etree._Element) -> str:
    """Return a run's text: none if it is struck out, with other signs if raised or lowered."""
    before_it = text.itersiblings(preceding=True)
    properties = next((mark for mark in before_it if name_of(mark) == "rPr"), None)
    words = text.text or ""
    if properties is None:
        return words
    if properties.get("strike") in _STRUCK:
        return ""
    baseline = properties.get("baseline", "")
    if baseline.strip("-0%") == "":
        return words
    return lowered(before, words) if baseline.startswith("-") else raised(before, words)


def _is_hidden(shape: etree._Element) -> bool:
    """Return whether a shape is hidden, or what old versions show instead of another."""
    for element in (shape, *shape.iterancestors()):
        if name_of(element) == "Fallback":
            return True
        marks = (mark for part in element for mark in (part, *part) if name_of(mark) == "cNvPr")
        if name_of(element) in _SHAPES and any(mark.get("hidden") in _ON for mark in marks):
            return True
    return False


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
