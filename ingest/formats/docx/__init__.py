"""Word's .docx and .docm: the text that a reader of the printed page sees.

Paragraphs and tables in the order of the body, then foot- and endnotes, then headers and footers,
each once. Macros are never looked at.
"""

from __future__ import annotations

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.docx.body import Story
from docqa.ingest.formats.docx.numbering import Numbering
from docqa.ingest.formats.docx.package import Package
from docqa.ingest.formats.docx.styles import Styles
from docqa.ingest.formats.layout import Layout
from docqa.ingest.formats.margins import is_page_number

_NOTES = ("footnotes", "endnotes")
_MARGINS = ("header", "footer")


def extract_docx(data: bytes) -> Extracted:
    """Take the text out of a Word document.

    Raises:
        IngestError: not a Word document, or nothing in it.
    """
    package = Package(data)
    main = package.main_part()
    styles = Styles(package.related(main, "styles"))
    numbering = Numbering(package.related(main, "numbering"), styles)
    layout = Layout()
    story = Story(package, styles, numbering, layout)
    story.lay_out(main, package.xml(main))
    for kind in _NOTES:
        for name in package.related_names(main, kind):
            layout.paragraph()
            story.lay_out(name, package.xml(name))
    _lay_out_margins(package, main, story, layout)
    text = layout.text()
    if not text:
        raise IngestError("holds no text")
    outline = tuple(layout.outline)
    title = story.title or package.title() or next((h.text for h in outline), None)
    return Extracted(text, title=title, outline=outline, gaps=tuple(story.gaps))


def _lay_out_margins(package: Package, main: str, story: Story, layout: Layout) -> None:
    """Put what stands at the head and foot of the pages at the end, each text once."""
    seen = set()
    for kind in _MARGINS:
        for name in package.related_names(main, kind):
            layout.paragraph()
            checkpoint = layout.checkpoint()
            story.lay_out(name, package.xml(name))
            text = layout.since(checkpoint)
            if text in seen or is_page_number(text):
                layout.take_back(checkpoint)
            seen.add(text)
