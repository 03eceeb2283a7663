"""reStructuredText: what a reader of the rendered page sees, with the file's lines.

docutils reads it, without files that it would include and without raw HTML. Directives and roles
that docutils doesn't know, most of them Sphinx's, are shown as Sphinx would show them: their words.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

from docutils import nodes
from docutils.core import publish_doctree

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.encoding import decode
from docqa.ingest.formats.layout import Layout
from docqa.ingest.formats.numerals import letters, roman
from docqa.ingest.formats.text import MOST_CHARS, with_markup

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 6,
    "syntax_highlight": "none",
    "_disable_config": True,
}
_DEEPEST = 10

_UNSEEN = (
    nodes.comment,
    nodes.substitution_definition,
    nodes.target,
    nodes.raw,
    nodes.image,
    nodes.pending,
    nodes.meta,
    nodes.colspec,
)
_PARAGRAPHS = (
    nodes.section,
    nodes.block_quote,
    nodes.bullet_list,
    nodes.enumerated_list,
    nodes.definition_list,
    nodes.option_list,
    nodes.field_list,
    nodes.docinfo,
    nodes.table,
    nodes.topic,
    nodes.sidebar,
    nodes.Admonition,
    nodes.footnote,
    nodes.citation,
)
_LINES = (
    nodes.list_item,
    nodes.term,
    nodes.definition,
    nodes.line,
    nodes.option_list_item,
    nodes.field,
    nodes.field_body,
    nodes.entry,
)
_VERBATIM = (nodes.literal_block, nodes.doctest_block, nodes.math_block)

_ROLE = re.compile(r":[\w:.+-]+:`(.*)`\Z|`(.*)`(?::[\w:.+-]+:)?\Z", re.DOTALL)
_TARGET = re.compile(r"\s*<[^<>]*>\Z")
_DIRECTIVE = re.compile(r"\.\. (?:\|[^|]+\| )?([\w:.+-]+?)::[ \t]*(.*)")
_OPTION = re.compile(r":[\w-]+:")
_SPHINX_UNSEEN = frozenset(
    (
        "toctree index highlight currentmodule module tabularcolumns default-domain sectionauthor "
        "codeauthor moduleauthor program literalinclude automodule autoclass autofunction "
        "automethod autodata autosummary graphviz image include raw csv-table"
    ).split()
)
_SPHINX_CODE = frozenset("sourcecode testcode testoutput doctest prompt parsed-literal".split())
_SPHINX_WORDS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "seealso": "See also",
    "rubric": "",
    "centered": "",
    "only": "",
    "ifconfig": "",
}
_LOOK_AHEAD = 200
_LOOK_NEAR = 10


def extract_rst(data: bytes) -> Extracted:
    """Take the text out of a file of reStructuredText.

    Raises:
        IngestError: not text, or nothing in it that a reader would see.
    """
    decoded = decode(data)
    if len(decoded.text) > MOST_CHARS:
        return with_markup(decoded)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
    reader = _Reader(text)
    reader.read(text, 1)
    layout = reader.layout
    if not layout.length:
        raise IngestError("holds no text that a reader would see")
    outline = tuple(layout.outline)
    title = outline[0].text if outline else None
    last = text.count("\n") + 1
    lines = tuple((offset, min(line, last)) for offset, line in layout.lines)
    return Extracted(layout.text(), title=title, outline=outline, gaps=decoded.gaps, lines=lines)


class _Reader:
    """Lays out the tree that docutils makes of a file."""

    def __init__(self, text: str) -> None:
        self.layout = Layout()
        self._lines = text.split("\n")
        self._first = 1  # the line that docutils counts as its first
        self._depth = 0
        self._level = 0

    def read(self, text: str, first: int) -> None:
        """Lay a part of the file out that begins in a line."""
        outer, self._first = self._first, first
        self._depth += 1
        settings = {**_SETTINGS, "warning_stream": io.StringIO()}
        if self._depth > 1:
            settings["doctitle_xform"] = False
            settings["docinfo_xform"] = False
        self._walk(publish_doctree(text, settings_overrides=settings).children)
        self._depth -= 1
        self._first = outer

    def _walk(self, children: Iterable[nodes.Node]) -> None:
        for node in children:
            self._lay_out(node)

    def _lay_out(self, node: nodes.Node) -> None:
        layout = self.layout
        if isinstance(node, nodes.Text):
            self._write(node.astext())
        elif isinstance(node, _UNSEEN):
            return
        elif isinstance(node, nodes.system_message):
            self._unknown(node)
        elif isinstance(node, nodes.problematic):
            self._write(_words(node.astext()))
        elif isinstance(node, nodes.title | nodes.subtitle | nodes.rubric):
            self._title(node)
        elif isinstance(node, nodes.section):
            self._level += 1
            self._block(node)
            self._level -= 1
        elif isinstance(node, _VERBATIM):
            layout.paragraph()
            self._place(node.astext(), None, is_verbatim=True)
            layout.write_verbatim(node.astext())
            layout.paragraph()
        elif isinstance(node, nodes.paragraph):
            separate = layout.line if isinstance(node.parent, _LINES) else layout.paragraph
            separate()
            self._place(node.astext(), node.line)
            self._walk(node.children)
            separate()
        elif isinstance(node, nodes.enumerated_list):
            self._numbered(node)
        elif isinstance(node, nodes.row):
            layout.row()
            for entry in node.children:
                layout.cell()
                self._lay_out(entry)
                layout.end_cell()
            layout.row()
        elif isinstance(node, nodes.footnote_reference):
            layout.write_raised(node.astext(), is_mark=True)
        elif isinstance(node, nodes.superscript):
            layout.write_raised(node.astext())
        elif isinstance(node, nodes.subscript):
            layout.write_lowered(node.astext())
        elif isinstance(node, nodes.label):
            self._place(node.astext(), None)
            layout.write_marker(f"[{node.astext()}]")
        elif isinstance(node, nodes.field_name):
            layout.line()
            self._place(node.astext(), node.line)
            layout.write_marker(f"{node.astext()}:")
        elif isinstance(node, nodes.Bibliographic) and isinstance(node, nodes.TextElement):
            layout.line()
            self._place(node.astext(), node.line)
            layout.write_marker(f"{node.tagname.capitalize()}:")
            self._walk(node.children)
            layout.line()
        elif isinstance(node, nodes.Element) and isinstance(node, nodes.Admonition):
            layout.paragraph()
            if not isinstance(node, nodes.admonition):
                layout.write(node.tagname.capitalize())
            self._block(node)
        else:
            self._block(node)

    def _block(self, node: nodes.Node) -> None:
        self._separate(node)
        if isinstance(node, _LINES):
            self._place(node.astext(), None)
        self._walk(node.children)
        self.layout.release()
        self._separate(node)

    def _separate(self, node: nodes.Node) -> None:
        if isinstance(node, _PARAGRAPHS):
            self.layout.paragraph()
        elif isinstance(node, _LINES):
            self.layout.line()

    def _write(self, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            if number:
                self.layout.source_line += 1
                self.layout.apart()
            self.layout.write(line)

    def _title(self, node: nodes.Element) -> None:
        self.layout.paragraph()
        self._place(node.astext(), node.line)
        is_heading = isinstance(node.parent, nodes.section | nodes.document)
        if is_heading and not isinstance(node, nodes.rubric):
            is_document = isinstance(node.parent, nodes.document)
            subtitle = isinstance(node, nodes.subtitle)
            self.layout.open_heading(1 + subtitle if is_document else self._level + 1)
        self._walk(node.children)
        self.layout.close_heading()
        self.layout.paragraph()

    def _numbered(self, node: nodes.Element) -> None:
        self.layout.paragraph()
        for number, item in enumerate(node.children, node.get("start", 1)):
            self.layout.line()
            self._place(item.astext(), None)
            self.layout.write_marker(_number(number, node))
            self._walk(item.children)
            self.layout.release()
        self.layout.paragraph()

    def _place(self, text: str, line: int | None, is_verbatim: bool = False) -> None:
        """Note the line of the file in which a text begins.

        docutils says where a block is, for some more or less, and for some not at all: the words
        decide.
        """
        if is_verbatim:
            word = text.lstrip("\n").partition("\n")[0].strip()
        else:
            word = next(iter(re.findall(r"\w+", text[:200])), "")
        if line is not None:
            near = line + self._first - 1
            places = [near, near - 1, near - 2, *range(near + 1, near + _LOOK_NEAR)]
        else:
            near = max(self.layout.source_line, self._first)
            places = list(range(near, near + _LOOK_AHEAD))
        for place in places:
            if 1 <= place <= len(self._lines) and word in self._lines[place - 1]:
                self.layout.source_line = place
                return
        self.layout.source_line = min(max(near, 1), len(self._lines))

    def _unknown(self, node: nodes.Element) -> None:
        """Lay out what docutils doesn't know."""
        block = next(iter(node.findall(nodes.literal_block)), None)
        found = _DIRECTIVE.match(block.astext()) if block is not None else None
        if block is None or found is None:
            return
        name = found[1].rpartition(":")[2]
        if name in _SPHINX_UNSEEN or self._depth >= _DEEPEST:
            return
        start = int(node.get("line", 1)) + self._first - 1
        lines = block.astext().split("\n")
        self.layout.paragraph()
        self.layout.source_line = min(max(start, 1), len(self._lines))
        self.layout.write(f"{_SPHINX_WORDS.get(name, '')} {_words(found[2])}")
        at = 1
        while at < len(lines) and (_OPTION.match(lines[at].strip()) or not lines[at].strip()):
            at += 1
        rest = lines[at:]
        indent = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
        content = "\n".join(line[indent:] for line in rest)
        self.layout.paragraph()
        if name in _SPHINX_CODE:
            self.layout.source_line = min(start + at, len(self._lines))
            self.layout.write_verbatim(content)
        elif content.strip():
            self.read(content, start + at)
        self.layout.paragraph()


def _words(text: str) -> str:
    """The words of an interpreted text: ``the words`` of ``:ref:`the words <label>```."""
    found = _ROLE.match(text)
    if found is None:
        return text.replace("`", "").replace("*", "")
    words = found[1] if found[1] is not None else found[2]
    shown = _TARGET.sub("", words)
    if shown.startswith("~"):
        return shown.rpartition(".")[2].lstrip("~")
    return (shown or words.strip("<>")).lstrip("!")


def _number(number: int, node: nodes.Element) -> str:
    kind = node.get("enumtype", "arabic")
    text = str(number)
    if kind.endswith("alpha"):
        text = letters(number)
    elif kind.endswith("roman"):
        text = roman(number)
    text = text.upper() if kind.startswith("upper") else text
    return f"{node.get('prefix', '')}{text}{node.get('suffix', '.')}"
