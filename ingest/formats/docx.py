"""Word's .docx: paragraphs and tables in the order of the body, then foot- and endnotes.

python-docx opens the package; the text is taken from its XML, since python-docx's paragraphs leave
out what stands in tracked insertions, content controls and text boxes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import PackageNotFoundError
from lxml import etree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.layout import Layout

_OLE = b"\xd0\xcf\x11\xe0"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# Deleted or moved text, and the second copy of text boxes that old versions of Word show.
_UNSEEN = frozenset(
    {
        _WORD + "del",
        _WORD + "moveFrom",
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    }
)
_NOTES = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)


def extract_docx(data: bytes) -> Extracted:
    """Take the text out of a Word document.

    Raises:
        IngestError: not a Word document, or nothing in it.
    """
    if data.startswith(_OLE):
        raise IngestError(
            "not a .docx inside: encrypted, or of an old version of Word; "
            "save it as .docx without a password"
        )
    layout = Layout()
    for root in _stories(data):
        _lay_out(root, layout)
        layout.paragraph()
    text = layout.text()
    if not text:
        raise IngestError("holds no text")
    return Extracted(text)


def _stories(data: bytes) -> Iterator[etree._Element]:
    """The body, and what holds the notes."""
    try:
        document = docx.Document(io.BytesIO(data))
    except (PackageNotFoundError, zipfile.BadZipFile) as error:
        raise IngestError("not a Word document, or damaged") from error
    yield document.element.body
    for relation in document.part.rels.values():
        if relation.reltype in _NOTES and not relation.is_external:
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            yield etree.fromstring(relation.target_part.blob, parser)


def _lay_out(root: etree._Element, layout: Layout) -> None:
    unseen: etree._Element | None = None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if unseen is not None:
            if element is unseen and event == "end":
                unseen = None
        elif event == "start" and element.tag in _UNSEEN:
            unseen = element
        elif event == "start":
            _start(element, layout)
        else:
            _end(element, layout)


def _start(element: etree._Element, layout: Layout) -> None:
    match str(element.tag).removeprefix(_WORD):
        case "t":
            layout.write(element.text or "")
        case "tab" if element.getparent() is not None and _is_run(element.getparent()):
            layout.write(" ")
        case "noBreakHyphen":
            layout.write("-")
        case "br" | "cr" | "p":
            layout.line()
        case "tbl":
            layout.paragraph()
        case "tr":
            layout.row()
        case "tc":
            layout.cell()


def _end(element: etree._Element, layout: Layout) -> None:
    match str(element.tag).removeprefix(_WORD):
        case "p":
            layout.line()
        case "tr":
            layout.row()
        case "tbl":
            layout.paragraph()


def _is_run(element: etree._Element | None) -> bool:
    return element is not None and element.tag == _WORD + "r"
