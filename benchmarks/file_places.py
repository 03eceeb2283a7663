"""Whether stretches of documents stand in their files, and where docqa says they do.

    python benchmarks/file_places.py [--answers 200] [--seed 0] FILE ...

Of each format as many stretches of 1 to 12 words are drawn from its files, none over a line's end,
and the letters and digits of each are looked for

- ``in the file``: in the letters and digits of the file, decoded and without markup, in their
  order. A row of a table has its headers put in between, a list its numbers: where the whole
  stretch does not stand in the file, its words must, each of them.
- ``at its place``: in the line that docqa gives (Markdown, reStructuredText: its first word; plain
  text: all of it from the column on), or on the slide that docqa gives. ``-`` where a format has
  no place.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import gzip
import html
import io
import json
import os
import random
import re
import sys
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docqa.ingest.document import Document, LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.formats.encoding import decode
from docqa.ingest.load import load

_WORD = re.compile(r"\S+")
_MOST_WORDS = 12
_TAG = re.compile(r"<[^>]*>")
_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[nrt\\])")  # of JSON
_WITH_SLIDES = ("pptx", "opendocument")
_SLIDE = re.compile(r'<p:sldId [^>]*r:id="([^"]+)"')


@dataclass
class Counts:
    """What was found of a format's stretches."""

    stretches: int = 0
    there: int = 0
    with_place: int = 0
    placed: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    """Print a table in Markdown, a row a format, and what is wrong on stderr."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    formats: dict[str, list[Document]] = defaultdict(list)
    for path in options.files:
        try:
            document = load(os.path.abspath(path), LoadLimits())
        except IngestError as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        if document.format not in _SOURCES:
            print(f"{path}: not checked, as the file is no text", file=sys.stderr)
            continue
        formats[document.format].append(document)
    print("| format | files | stretches | in the file | at its place |\n|---|---|---|---|---|")
    for name, documents in sorted(formats.items()):
        counts = check(documents, options.answers, random.Random(options.seed))
        placed = f"{counts.placed / counts.with_place:.1%}" if counts.with_place else "-"
        print(
            f"| {name} | {len(documents)} | {counts.stretches} | "
            f"{counts.there / max(1, counts.stretches):.1%} | {placed} |",
            flush=True,
        )
        for line in counts.wrong:
            print(line, file=sys.stderr)


def check(documents: list[Document], answers: int, drawn: random.Random) -> Counts:
    """Check stretches of a format's documents."""
    counts = Counts()
    of_document: dict[str, int] = defaultdict(int)
    for _ in range(answers):
        of_document[drawn.choice(documents).path] += 1
    for document in documents:
        source = source_text(document)
        whole = folded(source)
        lines = _LINE_END.split(source)
        for start, end in stretches(document.text, of_document[document.path], drawn):
            text = document.text[start:end]
            counts.stretches += 1
            is_there = folded(text) in whole or all(folded(word) in whole for word in text.split())
            counts.there += is_there
            at_place = place_holds(document, start, text, lines)
            counts.with_place += at_place is not None
            counts.placed += bool(at_place)
            if not is_there or at_place is False:
                fault = "is not in the file" if not is_there else "is not at its place"
                counts.wrong.append(f"{Path(document.path).name} {start}: {text!r} {fault}")
    return counts


def stretches(text: str, count: int, drawn: random.Random) -> Iterator[tuple[int, int]]:
    """Yield as many stretches of words, each within a line."""
    words = [found.span() for found in _WORD.finditer(text) if folded(found[0])]
    for _ in range(count if words else 0):
        first = drawn.randrange(len(words))
        start, end = words[first]
        for other in words[first + 1 : first + drawn.randint(1, _MOST_WORDS)]:
            if "\n" in text[end : other[0]]:
                break
            end = other[1]
        yield start, end


def place_holds(document: Document, start: int, text: str, lines: list[str]) -> bool | None:
    """Tell whether a stretch stands at its place; None where the format has none."""
    line, column, page = document.line_at(start), document.column_at(start), document.page_at(start)
    if line is not None and column is not None:
        return lines[line - 1][column - 1 :].startswith(text)
    if line is not None:
        return folded(text.split()[0]) in folded(html.unescape(lines[line - 1]))
    if page is not None and document.format in _WITH_SLIDES:
        slide = folded(slides(document)[page[0] - 1])
        return folded(text) in slide or all(folded(word) in slide for word in text.split())
    return None


def folded(text: str) -> str:
    """Return the letters and digits of a text, in one form each."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text))).casefold()


def source_text(document: Document) -> str:
    """Return the text of a file, read in the simplest way, with all that is not seen."""
    data = Path(document.path).read_bytes()
    if document.path.endswith(".gz"):
        data = gzip.decompress(data)
    return _SOURCES[document.format](data)


def slides(document: Document) -> list[str]:
    """Return the texts of slides, in their order, each with its notes and diagrams."""
    with zipfile.ZipFile(document.path) as archive:
        if document.format == "opendocument":
            content = archive.read("content.xml").decode()
            return [_without_tags(page) for page in re.split(r"<draw:page ", content)[1:]]
        targets = _targets(archive, "ppt/presentation.xml")
        found = []
        for relation in _SLIDE.findall(_member(archive, "ppt/presentation.xml")):
            slide = targets[relation]
            names = [slide, *_targets(archive, slide).values()]
            beside = (name for name in names if name.endswith(".xml") and "Layout" not in name)
            found.append(" ".join(_without_tags(_member(archive, name)) for name in beside))
        return found


def _targets(archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    folder, _, base = name.rpartition("/")
    relations = _member(archive, f"{folder}/_rels/{base}.rels")
    found = {}
    for element in re.findall(r"<Relationship [^>]*>", relations):
        target = re.search(r'Target="([^"]+)"', element)
        number = re.search(r'Id="([^"]+)"', element)
        if target and number and "External" not in element:
            path = os.path.normpath(os.path.join("/", folder, target[1])).lstrip("/")
            found[number[1]] = path
    return found


def _member(archive: zipfile.ZipFile, name: str) -> str:
    try:
        return archive.read(name).decode("utf-8", "replace")
    except KeyError:
        return ""


def _decoded(data: bytes) -> str:
    return decode(data).text


def _without_tags(markup: str) -> str:
    return html.unescape(_TAG.sub("", markup))


def _marked_up(data: bytes) -> str:
    return _without_tags(_decoded(data))


def _zipped(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.endswith(("xml", "html", "htm"))]
        return " ".join(_without_tags(_member(archive, name)) for name in names)


def _json(data: bytes) -> str:
    text = _decoded(data)
    text = _ESCAPE.sub(lambda found: str(json.loads(f'"{found[0]}"')), text)
    return text.replace("true", "true yes").replace("false", "false no")


def _mail(data: bytes) -> str:
    message = email.message_from_bytes(data, policy=email.policy.default)
    parts: list[str] = []
    for part in message.walk():
        parts += [f"{name} {value}" for name, value in part.items()]
        if part.get_content_maintype() == "text":
            text = str(part.get_content())
            parts.append(_without_tags(text) if part.get_content_subtype() == "html" else text)
        parts.append(part.get_filename() or "")
    return "\n".join(parts)


def _mbox(data: bytes) -> str:
    return "\n".join(map(_mail, re.split(rb"(?m)^From .*\n", data)))


_SOURCES: dict[str, Callable[[bytes], str]] = {
    "text": _decoded,
    "markdown": _decoded,
    "rst": _decoded,
    "csv": _decoded,
    "html": _marked_up,
    "subtitles": _marked_up,
    "docx": _zipped,
    "pptx": _zipped,
    "opendocument": _zipped,
    "epub": _zipped,
    "json": _json,
    "jsonl": _json,
    "notebook": _json,
    "eml": _mail,
    "mbox": _mbox,
}


if __name__ == "__main__":
    main()
