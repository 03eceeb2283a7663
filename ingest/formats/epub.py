"""EPUB: the chapters in the book's order, each read as the HTML that it is."""

from __future__ import annotations

import re
from contextlib import suppress

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted, Heading, extract
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.packed import Package, elements, name_of, resolve

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_LABEL = "EPUB"
_HTML = ("application/xhtml+xml", "text/html")
_NCX = "application/x-dtbncx+xml"
_LINK = re.compile(rb"<link\b[^>]*>", re.IGNORECASE)
_HREF = re.compile(rb"""\bhref\s*=\s*["']([^"']*)["']""", re.IGNORECASE)


def extract_epub(data: bytes) -> Extracted:
    """Read a book.

    Raises:
        IngestError: not an EPUB, locked, damaged, or without text.
    """
    package = Package(data, _LABEL)
    opf_path = _opf_path(package)
    opf = package.xml(opf_path)
    items = {item.get("id", ""): item for item in elements(opf, "item")}
    locked = _locked(package)
    labels = _contents(package, opf_path, list(items.values()))
    composer = Composer()
    sheets = _Sheets(package)
    for reference in elements(opf, "itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None or item.get("media-type") not in _HTML:
            continue
        if "nav" in item.get("properties", "").split():  # the list of contents
            continue
        path = resolve(opf_path, item.get("href", ""))
        if path in locked:
            raise IngestError("locked against copying (DRM); docqa can't read it")
        if path not in package:
            composer.gaps.append(f"a chapter is missing in the file: {path}")
            continue
        markup = sheets.put_into(package.read(path), path)
        try:
            chapter = extract("html", markup)
        except IngestError:  # a cover, a picture
            continue
        composer.include(chapter if chapter.outline else _headed(chapter, labels.get(path, [])))
    title = next(elements(opf, "title"), None)
    return composer.extracted("".join(map(str, title.itertext())) if title is not None else None)


class _Sheets:
    """The style sheets of a book: they raise digits, strike words out and hide them."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._read: dict[str, bytes] = {}

    def put_into(self, markup: bytes, path: str) -> bytes:
        """Return a chapter with the sheets that it links in it."""

        def sheet(link: re.Match[bytes]) -> bytes:
            href = _HREF.search(link[0])
            if href is None or b"stylesheet" not in link[0].lower():
                return link[0]
            return self._sheet(resolve(path, href[1].decode("utf-8", "replace"))) or link[0]

        return _LINK.sub(sheet, markup)

    def _sheet(self, name: str) -> bytes:
        if name not in self._read:
            content = b""
            if name in self._package:
                with suppress(IngestError):  # a damaged sheet costs itself
                    content = self._package.read(name)
            is_safe = content and b"</style" not in content.lower()
            self._read[name] = b"<style>" + content + b"</style>" if is_safe else b""
        return self._read[name]


def _opf_path(package: Package) -> str:
    rootfile = next(elements(package.xml(_CONTAINER), "rootfile"), None)
    if rootfile is None:
        raise IngestError("not an EPUB: it names no book")
    return resolve("", rootfile.get("full-path", ""))


def _locked(package: Package) -> frozenset[str]:
    """Return the members that are encrypted; fonts often are, chapters of sold books, too."""
    if _ENCRYPTION not in package:
        return frozenset()
    references = elements(package.xml(_ENCRYPTION), "CipherReference")
    return frozenset(resolve("", reference.get("URI", "")) for reference in references)


def _contents(
    package: Package, opf_path: str, items: list[etree._Element]
) -> dict[str, list[tuple[str, int]]]:
    """Return the book's list of contents: labels and levels by the chapter that they are in."""
    for item in items:
        path = resolve(opf_path, item.get("href", ""))
        is_nav = "nav" in item.get("properties", "").split()
        if (is_nav or item.get("media-type") == _NCX) and path in package:
            try:
                root = package.xml(path)
            except IngestError:
                continue
            found = _nav_labels(root, path) if is_nav else _ncx_labels(root, path)
            if found:
                return found
    return {}


def _nav_labels(root: etree._Element, path: str) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    nav = next(elements(root, "nav"), None)
    for link in elements(nav, "a") if nav is not None else ():
        depth = sum(name_of(ancestor) == "ol" for ancestor in link.iterancestors())
        words = " ".join("".join(map(str, link.itertext())).split())
        found.setdefault(resolve(path, link.get("href", "")), []).append((words, max(depth, 1)))
    return found


def _ncx_labels(root: etree._Element, path: str) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for point in elements(root, "navPoint"):
        depth = 1 + sum(name_of(ancestor) == "navPoint" for ancestor in point.iterancestors())
        label = next(elements(point, "text"), None)
        content = next((child for child in point if name_of(child) == "content"), None)
        if label is not None and content is not None:
            chapter = resolve(path, content.get("src", ""))
            found.setdefault(chapter, []).append((" ".join((label.text or "").split()), depth))
    return found


def _headed(chapter: Extracted, labels: list[tuple[str, int]]) -> Extracted:
    """Return a chapter with the list of contents for its outline, where its labels stand in it."""
    outline = []
    at = 0
    for words, level in labels:
        if not words:
            continue
        found = re.compile(r"\s+".join(map(re.escape, words.split()))).search(chapter.text, at)
        if found is not None:
            outline.append(Heading(words, level, found.start()))
            at = found.end()
        elif not outline:
            outline.append(Heading(words, level, 0))
    return chapter._replace(outline=tuple(outline))
