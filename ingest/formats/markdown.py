"""Markdown: what a reader of the rendered page sees, with the file's lines.

markdown-it-py makes the page (CommonMark with tables and struck text), and
:mod:`docqa.ingest.formats.html` reads it, so that HTML inside Markdown is read as anywhere else.
Each block of the page carries the line of the file that it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.encoding import decode
from docqa.ingest.formats.html import read_marked_up
from docqa.ingest.formats.html.page import LINE
from docqa.ingest.formats.text import MOST_CHARS, with_markup

# The parser takes more than its share of time for long paragraphs, and for files in one piece.
_PIECE_CHARS = 64_000
_MOST_PARAGRAPH_CHARS = 10_000
_MOST_BRACKETS = 200
_DEEPEST = 200

_FRONT_MATTER = re.compile(r"(?:---|\+\+\+)[ \t]*\n")
_END_OF_FRONT_MATTER = re.compile(r"^(?:---|\+\+\+|\.\.\.)[ \t]*$", re.MULTILINE)
_MOST_FRONT_MATTER = 100_000
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]^][^\]]{0,500}\]:.*$", re.MULTILINE)
_FOOTNOTE = re.compile(r"^( {0,3})\[\^([^\]\s]{1,100})\]:", re.MULTILINE)
_FOOTNOTE_MARK = re.compile(r"\[\^([^\]\s]{1,100})\]")


def extract_markdown(data: bytes) -> Extracted:
    """Take the text out of a Markdown file.

    Raises:
        IngestError: not text, or nothing in it that a reader would see.
    """
    decoded = decode(data)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MOST_CHARS:
        return with_markup(decoded)
    front, body, first_line = _split_front_matter(text)
    page = "".join([*_front_matter(front), *_pages(body, first_line)])
    layout = read_marked_up(page).layout
    if not layout.length:
        raise IngestError("holds no text that a reader would see")
    found = _TITLE.search(front)
    title = found[1].strip().strip("\"'") if found else None
    return Extracted(
        layout.text(),
        title=title or next((heading.text for heading in layout.outline), None),
        outline=tuple(layout.outline),
        gaps=decoded.gaps,
        lines=tuple(layout.lines),
    )


def _split_front_matter(text: str) -> tuple[str, str, int]:
    """The data at the head of a file, the rest, and the number of the rest's first line."""
    start = _FRONT_MATTER.match(text)
    end = _END_OF_FRONT_MATTER.search(text, start.end(), _MOST_FRONT_MATTER) if start else None
    if start is None or end is None:
        return "", text, 1
    return text[start.end() : end.start()], text[end.end() :], text.count("\n", 0, end.end()) + 1


def _front_matter(front: str) -> Iterator[str]:
    for number, line in enumerate(front.splitlines(), 2):
        yield f'<div {LINE}="{number}">{escape(line)}</div>\n'
    yield "<hr>"


def _pages(text: str, first_line: int) -> Iterator[str]:
    """The file as a page, piece by piece, which share their definitions of links."""
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    parser.core.ruler.disable("inline")
    environment: dict[str, Any] = {}
    parser.parse("\n\n".join(_DEFINITION.findall(text)), environment)
    for start, end in pairwise(_cuts(text)):
        # A footnote is no definition of a link, which would be left out.
        piece = _FOOTNOTE.sub(r"\1\[^\2]:", text[start:end])
        tokens = parser.parse(piece, environment)
        line = first_line + text.count("\n", 0, start)
        for token in tokens:
            _mark(token, line, parser, environment)
        yield parser.renderer.render(tokens, parser.options, environment)


def _cuts(text: str) -> Iterator[int]:
    """Where the pieces of a file begin, and its end: at headings, else at empty lines."""
    yield 0
    last = at = 0
    fence = ""
    after_blank = False
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence):
            fence = ""
        size = at - last
        is_cut = after_blank and (line.startswith("#") or not line[:1].isspace())
        if size > _PIECE_CHARS and ((is_cut and not fence) or size > 2 * _PIECE_CHARS):
            yield at
            last = at
        after_blank = not line.strip()
        at += len(line) + 1
    yield len(text)


def _mark(token: Token, first_line: int, parser: MarkdownIt, environment: dict[str, Any]) -> None:
    """Note in a token of a block, and in those of its text, which lines they come from."""
    line = first_line + (token.map[0] if token.map else 0)
    if token.type == "inline":
        _parse_inline(token, parser, environment)
        _mark_inline(token, line)
    elif token.type == "html_block":
        token.content = _marked_html(token.content, line)
    elif token.map and token.nesting >= 0:
        # The code of a fence begins on the line after it.
        token.attrSet(LINE, str(line + (token.type == "fence")))


def _parse_inline(token: Token, parser: MarkdownIt, environment: dict[str, Any]) -> None:
    token.children = []
    content = token.content
    if len(content) <= _MOST_PARAGRAPH_CHARS and content.count("[") <= _MOST_BRACKETS:
        found: list[Token] = []
        parser.inline.parse(content, parser, environment, found)
        for child in found:
            if child.type == "text_special":  # an escaped sign or an entity
                child.type = "text"
            last = token.children[-1] if token.children else None
            if last is not None and last.type == child.type == "text":
                last.content += child.content
            else:
                token.children.append(child)
        return
    for number, line in enumerate(content.split("\n")):
        if number:
            token.children.append(Token("softbreak", "br", 0))
        token.children.append(Token("text", "", 0, content=line))


def _mark_inline(token: Token, line: int) -> None:
    """Put a mark of its line at each line's start; find breaks inside code by what was written."""
    children = []
    at = 0
    for child in token.children or []:
        if child.content and child.type in ("text", "code_inline", "html_inline"):
            found = token.content.find(child.content, at, at + len(child.content) + 2000)
            at = found + len(child.content) if found != -1 else at
        if child.type in ("softbreak", "hardbreak"):
            at = max(at, token.content.find("\n", at) + 1)
            number = line + token.content.count("\n", 0, at)
            if child.type == "hardbreak":
                children.append(Token("html_inline", "", 0, content="<br>"))
            children.append(Token("html_inline", "", 0, content=f'\n<wbr {LINE}="{number}">'))
        elif child.type == "text" and "[^" in child.content:
            children += _with_footnote_marks(child.content)
        elif child.type == "html_inline":
            child.content = child.content.replace(LINE, "")
            children.append(child)
        else:
            children.append(child)
    token.children = children


def _with_footnote_marks(text: str) -> Iterator[Token]:
    end = 0
    for mark in _FOOTNOTE_MARK.finditer(text):
        yield Token("text", "", 0, content=text[end : mark.start()])
        raised = f'<sup class="footnote">{escape(mark[1])}</sup>'
        yield Token("html_inline", "", 0, content=raised)
        end = mark.end()
        if text.startswith(":", end):
            end += 1
    yield Token("text", "", 0, content=text[end:])


def _marked_html(content: str, line: int) -> str:
    """A block of HTML with the number of each line that doesn't begin inside a tag."""
    pieces = []
    in_tag = False
    for number, text in enumerate(content.replace(LINE, "").split("\n"), line):
        pieces.append(text if in_tag else f'<wbr {LINE}="{number}">{text}')
        opens, closes = text.rfind("<"), text.rfind(">")
        in_tag = opens > closes if opens != closes else in_tag
    return "\n".join(pieces)
