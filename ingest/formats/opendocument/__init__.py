"""OpenDocument: text (.odt), sheets (.ods) and slides (.odp), as their pages are read.

Text in the order of the content, then what stands at the head and foot of pages, each once.
"""

from __future__ import annotations

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.opendocument.body import Writer
from docqa.ingest.formats.packed import Package, elements, name_of

_LABEL = "OpenDocument"


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
    styles = package.xml("styles.xml") if "styles.xml" in package else None
    writer = Writer(package, [content] if styles is None else [styles, content])
    writer.write(body)
    if styles is not None and any(name_of(kind) == "text" for kind in body):
        writer.write_margins(styles)
    return writer.composer.extracted(_title(package))


def _title(package: Package) -> str | None:
    if "meta.xml" not in package:
        return None
    title = next(elements(package.xml("meta.xml"), "title"), None)
    return None if title is None else title.text
