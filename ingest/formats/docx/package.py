"""The archive that a Word document is: its parts and what each refers to.

Both kinds of Open XML are read: Transitional, which Word writes, and Strict, which has other names
for the same things.
"""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import packed

_OLE = b"\xd0\xcf\x11\xe0"

_NAMESPACES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "r",
    "http://purl.oclc.org/ooxml/officeDocument/relationships": "r",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.microsoft.com/office/word/2010/wordml": "w14",
}
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_names: dict[str, str] = {}  # as they are in XML: as they are here
_MOST_NAMES = 10_000


class Package(packed.Package):
    """A Word document's parts.

    Args:
        data: the whole file.

    Raises:
        IngestError: encrypted, not a Word document, or damaged.
    """

    def __init__(self, data: bytes) -> None:
        if data.startswith(_OLE):
            raise IngestError(
                "not a .docx inside: encrypted, or of an old version of Word; "
                "save it as .docx without a password"
            )
        super().__init__(data, "Word")
        self._relations: dict[str, dict[str, tuple[str, str]]] = {}

    def main_part(self) -> str:
        """Return the name of the part that holds the body."""
        for kind, name in self._relations_of("").values():
            if kind == "officeDocument" and name in self:
                return name
        return "word/document.xml"

    def related_names(self, part: str, kind: str) -> list[str]:
        """Return the parts of a kind (``header``, ``styles``) that a part refers to."""
        found = (name for of, name in self._relations_of(part).values() if of == kind)
        return [name for name in dict.fromkeys(found) if name in self]

    def related(self, part: str, kind: str) -> etree._Element | None:
        """Return the root of the first part of a kind that a part refers to."""
        names = self.related_names(part, kind)
        return self.xml(names[0]) if names else None

    def by_id(self, part: str, relation: str) -> str | None:
        """Return the part that a part refers to by the id of a relation."""
        _, name = self._relations_of(part).get(relation, ("", ""))
        return name if name in self else None

    def title(self) -> str | None:
        """Return the title in the document's properties."""
        for kind, name in self._relations_of("").values():
            if kind == "core-properties" and name in self:
                found = self.xml(name).find(_TITLE)
                title = " ".join((found.text or "").split()) if found is not None else ""
                return title or None
        return None

    def _relations_of(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to, by id: the kind, and the name of the other part."""
        if part not in self._relations:
            folder, file = posixpath.split(part)
            name = posixpath.join(folder, "_rels", f"{file}.rels")
            found = {}
            for relation in self.xml(name) if name in self else ():
                target = unquote(relation.get("Target", ""))
                if relation.get("TargetMode") == "External":
                    continue
                full = target if target.startswith("/") else posixpath.join(folder, target)
                kind = relation.get("Type", "").rpartition("/")[2]
                found[relation.get("Id", "")] = (kind, posixpath.normpath(full).lstrip("/"))
            self._relations[part] = found
        return self._relations[part]


def short(name: str | object) -> str:
    """Return the name of an element or attribute with the usual prefix: ``w:p``.

    Names of other namespaces, and what is no element, are empty.
    """
    if not isinstance(name, str):
        return ""
    known = _names.get(name)
    if known is None:
        namespace, _, local = name[1:].partition("}")
        prefix = _NAMESPACES.get(namespace) if name.startswith("{") else None
        known = f"{prefix}:{local}" if prefix else ""
        if len(_names) < _MOST_NAMES:
            _names[name] = known
    return known


def child(element: etree._Element | None, name: str) -> etree._Element | None:
    """Return an element's first child of a name (``w:pPr``)."""
    if element is not None:
        for found in element:
            if short(found.tag) == name:
                return found
    return None


def value(element: etree._Element | None, name: str = "w:val") -> str | None:
    """Return an attribute of an element, in whichever namespace its name is (``w14:val``)."""
    local = name.partition(":")[2]
    if element is not None:
        for attribute, text in element.attrib.items():
            if str(attribute).rpartition("}")[2] == local:
                return str(text)
    return None


def is_on(element: etree._Element | None) -> bool | None:
    """Return what a switch says (``<w:strike/>``, ``w:val="0"``); None where there is none."""
    if element is None:
        return None
    return value(element) not in ("0", "false", "off", "none")


def number(text: str | None) -> int | None:
    """Return an attribute as a number."""
    try:
        return None if text is None else int(text[:12])
    except ValueError:
        return None
